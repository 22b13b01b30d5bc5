"""Whether something stands in for the network of httpx, and how a request is sent then."""

import asyncio
import ssl
import sys
import time
from types import ModuleType

import httpx
import httpx2
import pytest

from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Send
from nous_billing.transport import intercepted_senders, tls
from nous_billing.transport.intercepted_senders import AsyncInterceptedSender, InterceptedSender
from nous_billing.transport.interception import intercepted_library

STEP = Send(operations.get_billing_state(), "https://portal.test", None, 1e9)


def test_a_library_that_nobody_touched_is_not_intercepted():
    assert [intercepted_library(prefix) for prefix in ("", "Async")] == [None, None]


@pytest.mark.parametrize(
    "library", ["httpx._transports.default", "httpcore._sync.connection", "httpcore2._sync.connection_pool"]
)
def test_a_library_that_is_not_loaded_yet_is_not_intercepted(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, ModuleType(library))
    assert intercepted_library("") is None
    monkeypatch.delitem(sys.modules, library)
    assert intercepted_library("") is None


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize(
    ("proxy", "url", "auth"),
    [
        ("http://proxy.test:8080", "http://proxy.test:8080", None),
        ("http://me:p%40ss@[::1]:8080", "http://[::1]:8080", ("me", "p@ss")),
        ("http://me@proxy.test", "http://proxy.test", ("me", "")),
    ],
)
def test_a_request_goes_through_the_proxy_that_the_sdk_would_take(library, proxy, url, auth, monkeypatch):
    taken = []
    monkeypatch.setattr(library, "Client", lambda **arguments: taken.append(arguments))
    context = ssl.create_default_context()
    InterceptedSender(library.__name__, context, proxy)._client("Client", STEP)
    (arguments,) = taken
    assert arguments["verify"] is context
    assert (str(arguments["proxy"].url), arguments["proxy"].auth) == (url, auth)
    assert arguments["trust_env"] is False


@pytest.mark.parametrize("make", [intercepted_senders.sender, intercepted_senders.async_sender])
def test_a_replaced_network_gets_what_the_sdk_was_given(make, monkeypatch):
    monkeypatch.setattr(intercepted_senders, "intercepted_library", lambda prefix: "httpx")
    context = ssl.create_default_context()
    sender = make(context, "http://proxy.test")
    assert (sender._ssl_context, sender._proxy) == (context, "http://proxy.test")


def test_certificates_that_cannot_be_read_are_a_failure_before_anything_is_sent(monkeypatch):
    def unreadable(given):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(tls, "context", unreadable)
    failures = [
        InterceptedSender("httpx", None, None).send(STEP, 1, time.time),
        asyncio.run(AsyncInterceptedSender("httpx", None, None).send(STEP, 1, time.time)),
    ]
    for failure in failures:
        assert failure.reason == "the certificates of this system cannot be read (Too many open files)"
        assert not failure.sent
