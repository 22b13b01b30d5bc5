"""Work beside the caller, after the main thread has ended and after a fork, in processes of their own."""

import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import wait
from contextvars import ContextVar

import pytest

from nous_billing import _threads
from nous_billing._threads import ForkSafeLock, SharedWork, SideThread, start


def run(code):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)


def test_what_the_work_returns_or_raises_reaches_who_waits():
    assert start(lambda: 5, name="work", daemon=True).result(5) == 5
    with pytest.raises(ZeroDivisionError):
        start(lambda: 1 / 0, name="work", daemon=True).result(5)


def test_who_waits_cannot_cancel_the_work():
    go = threading.Event()
    future = start(go.wait, name="work", daemon=True)
    assert not future.cancel()
    go.set()
    assert future.result(5) is True
    assert wait({future}, 5).done == {future}


def test_where_no_thread_can_be_started_the_work_is_done_by_who_asks(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert start(threading.get_ident, name="work", daemon=True).result(0) == threading.get_ident()


def test_at_the_end_of_the_interpreter_no_thread_is_started(monkeypatch):
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    assert start(threading.get_ident, name="work", daemon=True).result(0) == threading.get_ident()


def test_a_lock_that_the_parent_held_is_free_in_the_child(monkeypatch):
    lock = ForkSafeLock()
    in_parent = lock.current
    with lock, in_parent:
        assert lock.current is in_parent
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert lock.current is not in_parent


INTERRUPTED = """
import signal
from nous_billing._threads import ForkSafeLock, start
class Interrupt(BaseException): pass
def interrupt(number, frame):
    raise Interrupt
def is_free():
    return lock.current.acquire(blocking=False) and not lock.current.release()
lock, interrupts = ForkSafeLock(), 0
signal.signal(signal.SIGALRM, interrupt)
while interrupts < 1000:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0001)
        while True:
            with lock, lock.current:
                pass
    except Interrupt:
        interrupts += 1
    assert start(is_free, name="other", daemon=True).result(5)
"""


def test_the_lock_is_given_back_once_and_only_by_who_holds_it():
    lock = ForkSafeLock()
    with pytest.raises(ZeroDivisionError), lock, lock.current:
        raise ZeroDivisionError
    with lock.current, pytest.raises(ZeroDivisionError):
        start(lambda: failing(lock), name="other", daemon=True).result(5)


def failing(lock):
    with lock:
        raise ZeroDivisionError


def test_what_fails_within_leaves_the_lock_to_who_held_it_before():
    lock = ForkSafeLock()
    with lock, lock.current:
        # As a signal handler does that comes meanwhile.
        with pytest.raises(ZeroDivisionError), lock, lock.current:
            raise ZeroDivisionError
        assert not start(lambda: lock.current.acquire(blocking=False), name="other", daemon=True).result(5)


def test_an_interrupt_never_leaves_a_lock_held():
    done = run(INTERRUPTED)
    assert (done.returncode, done.stderr) == (0, "")


MAIN_ENDED = """
import threading
from nous_billing import BillingClient, BillingNetworkError, StaticToken
def call():
    threading.main_thread().join()
    try:
        BillingClient(StaticToken("t"), base_url="http://127.0.0.1:1").get_billing_state()
    except BillingNetworkError as error:
        print(type(error).__name__)
threading.Thread(target=call).start()
"""

AT_EXIT = """
import atexit
from nous_billing import BillingClient, BillingNetworkError, StaticToken
def call():
    try:
        BillingClient(StaticToken("t"), base_url="http://127.0.0.1:1").get_billing_state()
    except BillingNetworkError as error:
        print(type(error).__name__)
atexit.register(call)
"""

FORKED = """
import os, threading
from nous_billing import BillingClient, BillingNetworkError, Credentials
resolving, go = threading.Event(), threading.Event()
class Slow:
    def resolve(self, *, rejected=None):
        if os.getpid() == parent:
            resolving.set()
            go.wait()
        return Credentials("t")
parent = os.getpid()
client = BillingClient(Slow(), base_url="http://127.0.0.1:1", timeout=5)
def call():
    try:
        client.get_billing_state()
    except BillingNetworkError as error:
        return type(error).__name__
thread = threading.Thread(target=call)
thread.start()
resolving.wait()
child = os.fork()
if not child:
    print(call(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
go.set()
thread.join()
"""


@pytest.mark.parametrize("code", [MAIN_ENDED, AT_EXIT, FORKED], ids=["main ended", "atexit", "forked"])
def test_a_call_is_made_and_typed(code):
    done = run(code)
    assert (done.stdout, done.stderr) == ("BillingNetworkError\n", "")


# The thread for work that may stall

VARIABLE = ContextVar("variable", default=None)


@pytest.fixture
def side():
    return SideThread("side")


def thread():
    return threading.current_thread()


def test_one_thread_does_all_short_work_in_the_context_of_who_asks(side):
    first, second = (side.begin(thread).result(5) for _ in range(2))
    assert first is second
    assert (first.name, first.daemon, first is thread()) == ("side", True, False)
    VARIABLE.set("mine")
    assert side.begin(VARIABLE.get).result(5) == "mine"


def test_the_thread_outlives_work_that_fails(side):
    first = side.begin(thread).result(5)
    with pytest.raises(ZeroDivisionError):
        side.begin(lambda: 1 / 0).result(5)
    assert side.begin(thread).result(5) is first


def test_who_waits_cannot_cancel_the_work_of_the_thread(side):
    go = threading.Event()
    future = side.begin(go.wait)
    assert not future.cancel()
    go.set()
    assert future.result(5) is True


def test_the_thread_ends_when_there_is_nothing_to_do_and_another_is_started(side, monkeypatch):
    monkeypatch.setattr(_threads, "_IDLE_SECONDS", 0.01)
    first = side.begin(thread).result(5)
    first.join(5)
    assert not first.is_alive()
    second = side.begin(thread).result(5)
    assert second is not first


def test_work_that_comes_as_the_thread_ends_is_done(side):
    jobs = [_threads._Job(lambda: 5), queue.Empty(), _threads._Job(lambda: side._serving), queue.Empty()]

    class Queue:
        """Is empty for a moment, once."""

        def get(self, timeout):
            assert timeout == 10.0
            job = jobs.pop(0)
            if isinstance(job, queue.Empty):
                raise job
            return job

        def empty(self):
            return not jobs

    begun = [jobs[0].done, jobs[2].done]
    side._serve(7, Queue())
    assert [each.result(0) for each in begun] == [5, 7]
    assert side._serving is None


def test_where_no_thread_can_be_started_it_is_done_by_who_asks(side, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert side.begin(thread).result(0) is thread()
    assert side.begin(thread).result(5) is not thread()


def test_at_the_end_of_the_interpreter_it_is_done_by_who_asks(side, monkeypatch):
    monkeypatch.setattr(_threads.sys, "is_finalizing", lambda: True)
    assert side.begin(thread).result(0) is thread()


def test_a_forked_child_has_a_thread_of_its_own(side, monkeypatch):
    go, pid = threading.Event(), os.getpid()
    stuck = side.begin(go.wait)
    monkeypatch.setattr(_threads.os, "getpid", lambda: pid + 1)
    assert side.begin(thread).result(5).name == "side"
    assert not stuck.done()
    go.set()


@pytest.mark.parametrize(
    ("seconds", "passed", "is_shared"), [(1, 0.99, True), (1, 1, False), (float("inf"), 1e9, True)]
)
def test_work_is_shared_for_so_long(seconds, passed, is_shared, monkeypatch):
    go, work = threading.Event(), SharedWork("work", seconds)
    begun = work.begin("key", go.wait)
    at = work._last[1]
    monkeypatch.setattr(_threads.time, "monotonic", lambda: at + passed)
    assert (work.under_way("key") is begun) is is_shared
    go.set()


def test_work_is_shared_before_its_thread_has_started_and_not_if_it_is_never_started(monkeypatch):
    shared = SharedWork("shared")

    def interrupted(work, *, future, **_):
        assert shared.under_way("key") is future
        raise KeyboardInterrupt

    monkeypatch.setattr(_threads, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shared.begin("key", int)
    assert shared.under_way("key") is None
