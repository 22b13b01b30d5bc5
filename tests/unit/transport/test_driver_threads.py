"""What the drivers have done beside the caller: in which thread, and for how long it is waited for."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nous_billing import _threads
from nous_billing._threads import SharedWork, start
from nous_billing.clock import AsyncSystemClock, SystemClock
from nous_billing.credentials import Credentials
from nous_billing.errors import BillingAuthError
from nous_billing.protocol.exchange import Resolve, RunBlocking, Send
from nous_billing.transport.async_driver import AsyncDriver
from nous_billing.transport.driver import RENEWING, Driver


class Source:
    """Says which thread it is asked in; takes until it is told to go on, or half a second."""

    def __init__(self, *, slow=False):
        self.go = threading.Event()
        self.threads = []
        if not slow:
            self.go.set()

    def resolve(self, *, rejected=None):
        self.threads.append(here())
        self.go.wait(0.5)
        return Credentials("t")


def here():
    return threading.current_thread().name, threading.current_thread().daemon


def run(flow, source):
    return Driver(None, SystemClock(), source).run(flow)


def arun(flow, source):
    async def running():
        return await AsyncDriver(None, AsyncSystemClock(), source).run(flow)

    return asyncio.run(running())


EACH_DRIVER = pytest.mark.parametrize("run", [run, arun])


def one(step):
    return (yield step)


@pytest.mark.parametrize("daemon", [True, False])
def test_work_in_a_task_is_not_cut_off_at_the_end_of_the_program_whoever_asks_for_it(daemon):
    done = []
    asking = threading.Thread(target=lambda: done.append(arun(one(RunBlocking(here)), Source())), daemon=daemon)
    asking.start()
    asking.join(5)
    assert done == [("nous-billing-work", False)]


@EACH_DRIVER
def test_credentials_are_resolved_in_a_thread_that_nobody_waits_for_at_the_end(run):
    source = Source()
    assert run(one(Resolve(time.monotonic() + 60)), source) == Credentials("t")
    assert source.threads == [("nous-billing-credentials", True)]


@EACH_DRIVER
def test_credentials_that_are_known_need_no_thread(run, started):
    def twice():
        for _ in range(2):
            yield Resolve(time.monotonic() + 60)

    run(twice(), Source())
    assert started == ["nous-billing-credentials"]


def call_in_threads(driver, flows):
    with ThreadPoolExecutor(len(flows)) as pool:
        return list(pool.map(driver.run, flows))


def call_in_tasks(driver, flows):
    async def running():
        return await asyncio.gather(*map(driver.run, flows))

    return asyncio.run(running())


@pytest.fixture
def started(monkeypatch):
    """The names of the threads that drivers start."""
    names = []

    def counted(work, *, name, **more):
        names.append(name)
        return start(work, name=name, **more)

    monkeypatch.setattr(_threads, "start", counted)
    return names


CALLS = 20
AT_ONCE = pytest.mark.parametrize(
    ("call", "make"),
    [
        (call_in_threads, lambda source: Driver(None, SystemClock(), source)),
        (call_in_tasks, lambda source: AsyncDriver(None, AsyncSystemClock(), source)),
    ],
)


@AT_ONCE
@pytest.mark.parametrize("rejected", [None, Credentials("rejected")])
def test_calls_at_once_need_no_thread_each_to_wait_for_credentials(call, make, rejected, started):
    source = Source(slow=True)
    flows = [one(Resolve(time.monotonic() + 30, rejected)) for _ in range(CALLS)]
    assert call(make(source), flows) == [Credentials("t")] * CALLS
    assert len(source.threads) == 1
    # Two calls may both find that nobody asks yet.
    assert 1 <= len(started) < CALLS / 2


@AT_ONCE
def test_a_call_waits_also_for_another_that_began_to_ask_while_it_waited(call, make, started):
    driver, ends = make(Source()), [threading.Event(), threading.Event()]
    driver._asking.begin(None, ends[0].wait)
    with ThreadPoolExecutor() as pool:
        answers = pool.submit(call, driver, [one(Resolve(time.monotonic() + 30))])
        time.sleep(0.1)
        driver._asking.begin(None, ends[1].wait)
        for end, threads in zip(ends, (2, 3), strict=True):
            end.set()
            time.sleep(0.1)
            assert started.count("nous-billing-credentials") == threads
        assert answers.result() == [Credentials("t")]


@AT_ONCE
def test_a_call_that_waited_for_credentials_that_were_refused_to_another_asks_for_itself(call, make):
    class Failing(Source):
        def resolve(self, *, rejected=None):
            super().resolve()
            if len(self.threads) == 1:
                raise BillingAuthError("Nobody is logged in.")
            return Credentials("t")

    def told():
        try:
            return (yield Resolve(time.monotonic() + 30))
        except BillingAuthError as error:
            return str(error)

    answers = call(make(Failing(slow=True)), [told() for _ in range(3)])
    assert sorted(answers, key=str) == [Credentials("t")] * 2 + ["Nobody is logged in."]


@AT_ONCE
def test_what_another_call_is_refused_is_not_the_answer_to_this_one(call, make):
    driver, waited_for = make(Source()), threading.Event()
    asked = driver._asked_by_others

    def refuse():
        waited_for.wait(5)
        raise BillingAuthError("Nobody is logged in.")

    def seen():
        others = asked()
        waited_for.set()
        return others

    driver._asking.begin(None, refuse)
    driver._asked_by_others = seen
    assert call(driver, [one(Resolve(time.monotonic() + 30))]) == [Credentials("t")]


@EACH_DRIVER
def test_a_token_that_was_refused_is_not_taken_from_the_memo(run):
    def twice():
        first = yield Resolve(time.monotonic() + 30)
        yield Resolve(time.monotonic() + 30, first)

    source = Source()
    run(twice(), source)
    assert len(source.threads) == 2


@AT_ONCE
def test_calls_at_once_wait_for_one_thread_that_makes_what_sends(call, make, started):
    driver, made = make(Source()), []

    def making():
        time.sleep(0.2)
        made.append(None)
        raise ImportError("gone")

    driver._make = making
    step = Send(None, "http://localhost", None, time.monotonic() + 30, float("inf"))
    answers = call(driver, [one(step) for _ in range(CALLS)])
    assert not any(answer.sent for answer in answers)
    # On a busy machine a call may come only after the work of another has failed.
    assert 1 <= len(made) == started.count("nous-billing-load") < CALLS


def test_nobody_waits_for_work_that_a_fork_left_behind(monkeypatch):
    go, work = threading.Event(), SharedWork("work")
    begun = work.begin("key", go.wait)
    assert work.under_way("key") is begun
    pid = os.getpid()
    monkeypatch.setattr(_threads.os, "getpid", lambda: pid + 1)
    assert work.under_way("key") is None
    go.set()


@EACH_DRIVER
def test_credentials_that_take_too_long_are_waited_for_until_the_deadline(run):
    source = Source(slow=True)
    assert run(one(Resolve(time.monotonic() + 0.05)), source) is RENEWING
    source.go.set()


@EACH_DRIVER
def test_beside_a_look_at_the_credentials_that_stalls_there_is_no_other(run):
    class Stalling(Source):
        looks = 0

        def fingerprint(self):
            self.looks += 1
            # That of the thread that is to replace the refused token.
            return self.looks != 3 or go.wait(5)

    go, source = threading.Event(), Stalling()

    def asking():
        first = yield Resolve(time.monotonic() + 30)
        return [(yield Resolve(time.monotonic() + 0.1, first)), (yield Resolve(time.monotonic() + 0.1))]

    assert (run(asking(), source), source.looks) == ([RENEWING, RENEWING], 3)
    go.set()


def test_work_of_a_store_that_is_awaited_goes_on_when_the_task_is_cancelled():
    async def running():
        begun, go, saved = asyncio.Event(), asyncio.Event(), []

        async def save():
            begun.set()
            await go.wait()
            saved.append("pending")
            raise ValueError("nobody is left to be told")

        driver = AsyncDriver(None, AsyncSystemClock(), Source())
        call = asyncio.create_task(driver.run(one(RunBlocking(save))))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        go.set()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
        return saved

    assert asyncio.run(running()) == ["pending"]
