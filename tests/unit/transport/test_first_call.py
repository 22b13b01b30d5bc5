"""How a driver comes to have what sends its requests: beside the caller, without a lock, one for each owner."""

import asyncio
import inspect
import ssl
import threading
from types import SimpleNamespace

import httpx
import pytest

from nous_billing import BillingClient, BillingInvalidRequest, StaticToken, StoredLogin
from nous_billing.async_client import AsyncBillingClient
from nous_billing.clock import AsyncSystemClock, SystemClock
from nous_billing.protocol.exchange import Send
from nous_billing.protocol.operations import get_billing_state
from nous_billing.transport import async_driver, driver
from nous_billing.transport.async_driver import AsyncDriver
from nous_billing.transport.driver import Driver

STEP = Send(get_billing_state(), "https://portal.test", None, float("inf"))


class Sender:
    """Of a sender, what a driver asks of one."""

    is_closed = False

    def __init__(self):
        self.closed = False

    def send(self, step, seconds, now):
        return self

    def close(self):
        self.closed = True


class AsyncSender(Sender):
    async def send(self, step, seconds, now):
        return self


class Kind:
    """A driver of either kind, whose senders are made by ``make``."""

    def __init__(self, *, is_async):
        self.is_async = is_async
        self.sender_class = AsyncSender if is_async else Sender
        self.driver = (
            AsyncDriver(None, AsyncSystemClock(), StaticToken("t"))
            if is_async
            else Driver(None, SystemClock(), StaticToken("t"))
        )
        self.driver._make = self.make = lambda: self.sender_class()

    def send(self, step=STEP):
        def flow():
            return (yield step)

        ran = self.driver.run(flow())
        return asyncio.run(ran) if inspect.isawaitable(ran) else ran

    def close(self):
        closed = self.driver.aclose() if self.is_async else self.driver.close()
        if inspect.isawaitable(closed):
            asyncio.run(closed)


@pytest.fixture(params=["sync", "async"])
def kind(request):
    return Kind(is_async=request.param == "async")


def test_it_is_made_in_a_thread_that_nobody_waits_for_at_the_end(kind):
    threads = []

    def make():
        threads.append((threading.current_thread().name, threading.current_thread().daemon))
        return kind.sender_class()

    kind.driver._make = make
    kind.send()
    assert threads == [("nous-billing-load", True)]


def test_it_is_made_once_for_a_process_and_once_for_an_event_loop(kind, monkeypatch):
    first = kind.send()
    second = kind.send()
    assert (second is first) is not kind.is_async
    monkeypatch.setattr(driver.os, "getpid", lambda: -1)
    third = kind.send()
    assert third is not first
    # Its connections belong to another process, or loop.
    assert (first.closed, third.closed) == (True, False)
    kind.close()
    assert third.closed


def test_who_is_slower_takes_what_the_other_has_made(kind):
    winner = kind.sender_class()

    def make():
        owner = kind.owner if kind.is_async else driver.os.getpid()
        kind.driver._own.setdefault(owner, winner)
        return kind.sender_class()

    kind.driver._make = make

    async def owned():
        kind.owner = driver.os.getpid(), asyncio.get_running_loop()

        def flow():
            return (yield STEP)

        return await kind.driver.run(flow())

    assert (asyncio.run(owned()) if kind.is_async else kind.send()) is winner


def test_a_client_that_is_closed_while_it_is_made_leaves_none_open(kind):
    made = kind.sender_class()

    def make():
        kind.driver._close()
        return made

    kind.driver._make = make
    with pytest.raises(BillingInvalidRequest) as caught:
        kind.send()
    assert caught.value.error == "client_closed"
    assert made.closed


def test_one_that_another_thread_has_taken_away_meanwhile_is_left_to_it(kind):
    first = kind.send()
    first.close = lambda: kind.driver._own.clear()
    kind.driver._own["another"] = another = kind.sender_class()
    kind.close()
    assert not another.closed


def test_one_that_takes_too_long_to_load_is_given_up_at_the_deadline(kind):
    go = threading.Event()
    kind.driver._make = lambda: go.wait(5)
    failure = kind.send(Send(None, "https://portal.test", None, kind.driver._clock.monotonic() + 0.05))
    assert (failure.sent, failure.timed_out) == (False, True)
    go.set()


def test_no_time_that_is_left_after_it_was_made_is_told_so(kind):
    moments = iter([0.0, 20.0])
    kind.driver._clock = SimpleNamespace(monotonic=lambda: next(moments), time=lambda: 0.0)
    failure = kind.send(Send(None, "https://portal.test", None, 10.0))
    assert (failure.sent, failure.timed_out) == (False, True)


@pytest.mark.parametrize("error", [ImportError("Python is likely shutting down."), OSError("Too many open files")])
def test_modules_that_do_not_load_any_more_are_a_failure_like_another(kind, error):
    def make():
        raise error

    kind.driver._make = make
    failure = kind.send()
    assert failure.reason == f"the modules that send requests cannot be loaded ({str(error).removesuffix('.')})"
    assert (failure.sent, failure.cause) == (False, error)


@pytest.mark.parametrize("make", [BillingClient, AsyncBillingClient, StoredLogin])
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"ssl_context": "a path"}, "invalid_ssl_context"),
        ({"proxy": "ftp://proxy.test"}, "invalid_proxy"),
        ({"proxy": True}, "invalid_proxy"),
        ({"http_client": httpx.Client(), "proxy": False}, "invalid_http_client"),
        ({"http_client": httpx.Client(), "ssl_context": ssl.create_default_context()}, "invalid_http_client"),
    ],
)
def test_arguments_that_say_how_to_reach_the_portal_are_looked_at_when_they_are_given(make, arguments, error, tmp_path):
    source = tmp_path / "login.json" if make is StoredLogin else StaticToken("t")
    with pytest.raises(BillingInvalidRequest) as caught:
        make(source, **arguments)
    assert caught.value.error == error
    if error == "invalid_ssl_context":
        assert str(caught.value).startswith("ssl_context must be an ssl.SSLContext, not str.")


@pytest.mark.parametrize("module", [driver, async_driver])
def test_they_reach_what_sends_the_requests(module):
    make = driver._new_sender if module is driver else async_driver._new_async_sender
    context = ssl.create_default_context()
    sender = make(context, "http://proxy.test")
    assert (sender._ssl_context, sender._proxy) == (context, "http://proxy.test")


def test_the_login_that_a_client_finds_goes_the_same_way():
    context = ssl.create_default_context()
    client = BillingClient(ssl_context=context, proxy="http://proxy.test")
    login = client._default_login._stored
    assert login._keeper._driver._make.args == (context, "http://proxy.test") == client._driver._make.args
