"""What the drivers have done beside the caller: in which thread, and for how long it is waited for."""

import asyncio
import threading
import time

import pytest

from nous_billing._threads import start
from nous_billing.clock import AsyncSystemClock, SystemClock
from nous_billing.credentials import Credentials
from nous_billing.protocol.exchange import Resolve, RunBlocking
from nous_billing.transport import driver as drivers
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
    assert run(one(Resolve(float("inf"))), source) == Credentials("t")
    assert source.threads == [("nous-billing-credentials", True)]


@EACH_DRIVER
def test_credentials_that_are_known_need_no_thread(run, monkeypatch):
    started = []

    def counted(*arguments, **more):
        started.append(more["name"])
        return start(*arguments, **more)

    def twice():
        for _ in range(2):
            yield Resolve(float("inf"))

    monkeypatch.setattr(drivers, "start", counted)
    run(twice(), Source())
    assert started == ["nous-billing-credentials"]


@EACH_DRIVER
def test_credentials_that_take_too_long_are_waited_for_until_the_deadline(run):
    source = Source(slow=True)
    assert run(one(Resolve(time.monotonic() + 0.05)), source) is RENEWING
    source.go.set()
