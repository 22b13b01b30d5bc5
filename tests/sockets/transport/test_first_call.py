"""The first call of a process, which loads what it needs: met by a signal, a fork, an event loop, the end. No hang."""

import subprocess
import sys

import pytest

PREAMBLE = """
import faulthandler, os, signal, sys, threading, time
from nous_billing import AsyncBillingClient, BillingClient, BillingError, StaticToken
faulthandler.dump_traceback_later(20, exit=True)
URL = sys.argv[1]
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "error", "-c", PREAMBLE + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


CLOSED_BY_A_SIGNAL = """
client = BillingClient(StaticToken("t"), base_url=URL)
def stop(*_):
    client.close()
    print("closed", flush=True)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
try:
    while True:
        client.get_charge_status("ch_1")
except BillingError as error:
    print(error.error)
"""


@pytest.mark.parametrize("milliseconds", [1, 4, 9, 15, 25, 50])
def test_a_signal_handler_may_close_the_client_at_any_moment(milliseconds, server):
    done = run(CLOSED_BY_A_SIGNAL, server.url, str(milliseconds / 1000))
    assert (done.stdout, done.stderr) == ("closed\nclient_closed\n", "")


# While the parent loads h11, which takes as long as the child lives.
FORKED_WHILE_LOADING = """
import importlib.machinery
loading, go = threading.Event(), threading.Event()
class Slow(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target) if name == "h11" else None
        if spec is not None:
            execute = spec.loader.exec_module
            def exec_module(module):
                loading.set()
                go.wait(10)
                execute(module)
            spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Slow)
client = BillingClient(StaticToken("t"), base_url=URL, timeout=10)
def call(**more):
    try:
        return client.get_charge_status("ch_1", **more).status
    except BillingError as error:
        return type(error).__name__
thread = threading.Thread(target=lambda: print(call(), flush=True))
thread.start()
loading.wait(10)
child = os.fork()
if not child:
    started = time.monotonic()
    outcome = call(timeout=0.5)
    # Which of the two depends on whether a thread of the child has the number of the one that was loading.
    print(outcome in ("BillingTimeout", "BillingNetworkError"), time.monotonic() - started < 3, flush=True)
    os._exit(0)
os.waitpid(child, 0)
go.set()
thread.join()
client.close()
"""


def test_a_fork_during_a_first_call_leaves_a_child_whose_deadline_holds(server):
    done = run(FORKED_WHILE_LOADING, server.url)
    assert (done.stdout, done.stderr) == ("True True\npending\n", "")


AT_THE_END = """
class Owner:
    def __init__(self):
        self.client = BillingClient(StaticToken("t"), base_url=URL)
        if sys.argv[2] == "used":
            self.client.get_charge_status("ch_1")
    def __del__(self):
        try:
            print(self.client.get_charge_status("ch_1", timeout=3).status, flush=True)
            self.client.close()
        except BillingError as error:
            print(type(error).__name__, flush=True)
owner = Owner()
"""


@pytest.mark.parametrize(("before", "outcome"), [("used", "pending"), ("unused", "BillingNetworkError")])
def test_a_call_at_the_end_of_the_interpreter_is_answered_or_typed(before, outcome, server):
    done = run(AT_THE_END, server.url, before)
    assert (done.stdout, done.returncode) == (f"{outcome}\n", 0)


BESIDE_THE_LOOP = """
import asyncio, ssl
async def main():
    blocked, loading = [], []
    def watched(event, arguments):
        if threading.current_thread() is threading.main_thread() and event in ("import", "open"):
            loading.append(arguments[0])
    client = AsyncBillingClient(StaticToken("t"), base_url=URL)
    real = ssl.create_default_context
    def context(*arguments, **more):
        blocked.append(threading.current_thread() is threading.main_thread())
        return real(*arguments, **more)
    ssl.create_default_context = context
    sys.addaudithook(watched)
    status = (await client.get_charge_status("ch_1")).status
    heavy = [each for each in loading if str(each).split(".")[0] in ("h11", "socket", "selectors")]
    await client.aclose()
    print(status, blocked, heavy)
asyncio.run(main())
"""


def test_what_a_first_call_loads_is_loaded_beside_the_event_loop(tls_server):
    done = run(BESIDE_THE_LOOP, tls_server.url)
    assert (done.stdout, done.stderr) == ("pending [False] []\n", "")
