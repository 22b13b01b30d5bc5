"""How the senders read and write what is asked for, over a pair of sockets."""

import asyncio
import socket
import threading
import traceback
from types import SimpleNamespace

import pytest

from nous_billing import _threads
from nous_billing._secrets import Secret, SecretBytes
from nous_billing.credentials import Credentials
from nous_billing.protocol.exchange import Send
from nous_billing.protocol.operations import Operation
from nous_billing.transport import async_socket_sender, base_sender, socket_sender
from nous_billing.transport.async_socket_sender import AsyncSocketSender
from nous_billing.transport.endpoint import target
from nous_billing.transport.http1 import Http1, InFlightRequest
from nous_billing.transport.socket_sender import SocketSender
from nous_billing.transport.wire import Tcp
from tests.tracers import views


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; ``clock.now`` moves it."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(socket_sender, "time", clock)
    return clock


def ask(question=b"question"):
    yield question
    return (yield None)


def perform(ours, io):
    return socket_sender.perform(ours, io, deadline=socket_sender.time.monotonic() + 5)


def aperform(ours, io):
    ours.setblocking(False)
    return asyncio.run(async_socket_sender.perform(ours, io))


EACH = pytest.mark.parametrize("perform", [perform, aperform])


@EACH
def test_what_is_asked_for_is_written_and_read(perform, pair):
    ours, theirs = pair
    theirs.sendall(b"answer")
    assert perform(ours, ask()) == b"answer"
    assert theirs.recv(100) == b"question"


@EACH
def test_who_asks_is_told_what_failed_and_may_go_on(perform, pair):
    ours, theirs = pair
    theirs.close()

    def asking():
        try:
            yield b"question"
        except OSError as error:
            return type(error), (yield None)

    assert perform(ours, asking()) == (BrokenPipeError, b"")


def test_after_the_deadline_nothing_is_begun(pair, clock):
    def asking():
        raise AssertionError
        yield

    for late in (0, 1):
        with pytest.raises(TimeoutError):
            socket_sender.perform(pair[0], asking(), deadline=clock.now - late)


def test_each_operation_has_what_is_left(pair, clock):
    ours, theirs = pair
    seen = []

    def asking():
        for now in (101.0, 103.0):
            clock.now = now
            yield b"x"
            seen.append(ours.gettimeout())
        clock.now = 105.0
        yield b"too late"

    with pytest.raises(TimeoutError):
        socket_sender.perform(ours, asking(), deadline=105.0)
    assert seen == [4.0, 2.0]
    assert theirs.recv(100) == b"xx"


def test_a_reply_that_is_whole_counts_though_the_time_is_up(pair, clock):
    ours, theirs = pair
    theirs.sendall(b"answer")

    def asking():
        reply = yield None
        clock.now += 60
        return reply

    assert socket_sender.perform(ours, asking(), deadline=101.0) == b"answer"


def test_a_read_ends_at_the_deadline(pair):
    with pytest.raises(TimeoutError):
        socket_sender.perform(pair[0], ask(), deadline=socket_sender.time.monotonic() + 0.05)


@pytest.mark.parametrize("make", [SocketSender, AsyncSocketSender])
def test_a_sender_says_that_it_was_closed(make):
    sender = make()
    assert not sender.is_closed
    sender.close()
    assert sender.is_closed


def test_calls_at_once_share_a_look_up_and_one_that_hangs_is_not_waited_for(monkeypatch):
    go, moments = threading.Event(), [0.0]
    monkeypatch.setattr(base_sender, "prepare", lambda endpoint, context: go.wait(5))
    monkeypatch.setattr(_threads, "time", SimpleNamespace(monotonic=lambda: moments[-1]))
    sender = SocketSender()
    elsewhere = sender._prepared("elsewhere")
    first = sender._prepared("here")
    assert first is not elsewhere
    assert sender._prepared("here") is first
    moments.append(1.5)
    second = sender._prepared("here")
    assert second is not first
    go.set()
    assert second.result(5) is True
    assert sender._prepared("here") is not second


@EACH
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interrupt_while_a_request_is_written_shows_nothing_of_it(perform, interrupt, monkeypatch):
    class Socket:
        def settimeout(self, seconds):
            pass

        setblocking = settimeout

        def sendall(self, data):
            raise interrupt

    async def sock_sendall(self, sock, data):
        raise interrupt

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_sendall", sock_sendall)
    with pytest.raises(interrupt) as caught:
        perform(Socket(), ask(SecretBytes(b"canary")))
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    # A real socket's own method is written in C, and has no variables.
    ours = [frame.f_locals for frame in frames if frame.f_code.co_name in ("perform", "sock_sendall")]
    shown = [view for variables in ours for value in variables.values() for view in views(value)]
    assert shown
    assert not [view for view in shown if "canary" in view]


def test_a_request_shows_nothing_while_an_interrupt_passes():
    step = Send(
        Operation("POST", "/", {"x-nous-refresh-token": Secret("canary-1")}, SecretBytes(b"canary-2"), None),
        "http://localhost",
        Credentials("canary-3"),
        1.0,
    )
    http = Http1(Tcp())
    io = http.exchange(InFlightRequest(step, target(step.base_url, None), lambda: 0.0))
    sent = next(io)
    assert all(f"canary-{number}".encode() in sent.reveal() for number in (1, 2, 3))
    with pytest.raises(KeyboardInterrupt) as caught:
        io.throw(KeyboardInterrupt())
    ours = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert {frame.f_code.co_name for frame in ours} == {"exchange", "write"}
    for holder in [step, http, *(frame.f_locals for frame in ours)]:
        assert not [view for view in views(holder) if "canary" in view]
