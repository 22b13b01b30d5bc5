"""The clocks of the machine pass on to it, and nothing else."""

import asyncio
import time

import pytest

from nous_billing import AsyncBillingClient, BillingClient, StoredLogin
from nous_billing.clock import DEFAULT_TIMEOUT, AsyncSystemClock, SystemClock
from nous_billing.errors import BillingInvalidRequest


def test_a_call_may_take_fifteen_seconds():
    assert DEFAULT_TIMEOUT == 15.0


@pytest.mark.parametrize("clock", [SystemClock(), AsyncSystemClock()])
def test_the_time_is_the_machines(monkeypatch, clock):
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(time, "time", lambda: 1_750_000_000.0)
    assert (clock.monotonic(), clock.time()) == (7.0, 1_750_000_000.0)


@pytest.mark.parametrize(
    ("kind", "clock", "wanted"),
    [
        (BillingClient, AsyncSystemClock(), "blocks, as that of SystemClock does"),
        (StoredLogin, AsyncSystemClock(), "blocks, as that of SystemClock does"),
        (AsyncBillingClient, SystemClock(), "is awaited, as that of AsyncSystemClock is"),
    ],
)
def test_a_clock_of_the_other_client_is_refused_before_anything_is_sent(kind, clock, wanted):
    with pytest.raises(BillingInvalidRequest) as caught:
        kind(clock=clock)
    assert (str(caught.value), caught.value.error) == (f"clock must have a sleep that {wanted}.", "invalid_clock")


def test_a_thread_sleeps_as_long_as_it_is_told(monkeypatch):
    naps = []
    monkeypatch.setattr(time, "sleep", naps.append)
    SystemClock().sleep(2.5)
    assert naps == [2.5]


def test_a_task_sleeps_without_blocking_the_thread(monkeypatch):
    naps = []

    async def sleep(seconds):
        naps.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("the thread slept"))
    asyncio.run(AsyncSystemClock().sleep(2.5))
    assert naps == [2.5]
