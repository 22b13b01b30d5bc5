"""What the deadline does to each operation; how it cuts a call short is shown over sockets."""

import asyncio
import socket
import threading
from types import SimpleNamespace

import httpcore
import pytest

from nous_billing.transport import deadline

NOW = 1000.0
HOST = "127.0.0.1"


class Stream(httpcore.NetworkStream):
    """Keeps what it is told; a TLS handshake leads to another one that keeps it in the same place."""

    def __init__(self, told=None):
        self.told = [] if told is None else told

    def read(self, max_bytes, timeout=None):
        self.told.append(("read", max_bytes, timeout))
        return b"read"

    def write(self, buffer, timeout=None):
        self.told.append(("write", buffer, timeout, deadline.current_request.get().sent))

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.told.append(("start_tls", ssl_context, server_hostname, timeout))
        return Stream(self.told)

    def get_extra_info(self, info):
        return f"the {info}"

    def close(self):
        self.told.append(("close",))


class AsyncStream(httpcore.AsyncNetworkStream):
    """The same for a task."""

    def __init__(self, told=None, fails=None):
        self.stream = Stream(told)
        self.told = self.stream.told
        self.fails = fails

    async def read(self, max_bytes, timeout=None):
        return self.stream.read(max_bytes, timeout)

    async def write(self, buffer, timeout=None):
        self.stream.write(buffer, timeout)

    async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        if self.fails is not None:
            raise self.fails
        self.stream.start_tls(ssl_context, server_hostname, timeout)
        return AsyncStream(self.told)

    def get_extra_info(self, info):
        return self.stream.get_extra_info(info)

    async def aclose(self):
        self.stream.close()


class Backend(httpcore.NetworkBackend):
    """Opens a stream, but where an address is to fail; keeps what it was asked for."""

    def __init__(self, *failures):
        self.asked = []
        self.failures = list(failures)
        self.stream = Stream()

    def connect_tcp(self, *arguments):
        self.asked.append(arguments)
        if self.failures:
            raise self.failures.pop(0)
        return self.stream


@pytest.fixture(autouse=True)
def on_its_way(monkeypatch):
    """A request that has six seconds left, by a clock that stands still."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: NOW))
    token = deadline.current_request.set(deadline.InFlightRequest(NOW + 6))
    yield deadline.current_request.get()
    deadline.current_request.reset(token)


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def stream(backend):
    return deadline.DeadlineBackend(backend).connect_tcp(HOST, 1)


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (lambda stream: stream.read(1), httpcore.ReadTimeout),
        (lambda stream: stream.write(b"x"), httpcore.WriteTimeout),
        (lambda stream: stream.start_tls(None), httpcore.ConnectTimeout),
        (lambda _: deadline.DeadlineBackend(Backend()).connect_tcp(HOST, 1), httpcore.ConnectTimeout),
    ],
)
def test_after_the_deadline_no_operation_is_begun(operation, error, late, stream, backend, on_its_way):
    on_its_way.deadline = NOW - late
    with pytest.raises(error, match=r"^deadline$"):
        operation(stream)
    assert on_its_way.sent is False
    assert backend.stream.told == []


def test_each_operation_gets_what_is_left(stream, backend, on_its_way):
    assert stream.read(5, 60) == b"read"
    on_its_way.deadline = NOW + 4
    secured = stream.start_tls("context", "host", 60)
    assert on_its_way.sent is False
    on_its_way.deadline = NOW + 2
    secured.write(b"x", 60)
    assert on_its_way.sent is True
    on_its_way.deadline = NOW + 1
    secured.read(7)
    # Before a byte is written it may have left.
    assert backend.stream.told == [
        ("read", 5, 6.0),
        ("start_tls", "context", "host", 4.0),
        ("write", b"x", 2.0, True),
        ("read", 7, 1.0),
    ]


def test_all_else_is_the_streams_own(stream, backend):
    assert stream.get_extra_info("socket") == "the socket"
    stream.close()
    assert backend.stream.told == [("close",)]


@pytest.fixture
def looked_up(monkeypatch):
    """Three addresses, one of them named twice; keeps what was asked for, and in which thread."""
    asked = []

    def getaddrinfo(*arguments, **more):
        asked.append((arguments, more, threading.current_thread().name, threading.current_thread().daemon))
        names = ("::1", "127.0.0.2", "::1", "127.0.0.3")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, 443)) for name in names]

    monkeypatch.setattr(deadline, "socket", SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM))
    return asked


def test_addresses_that_do_not_answer_leave_their_share_to_the_next(looked_up):
    backend = Backend(httpcore.ConnectTimeout("slow"), httpcore.ConnectError("refused"))
    stream = deadline.DeadlineBackend(backend).connect_tcp("portal.test", 443, 60, "local", ["option"])
    assert backend.asked == [
        ("::1", 443, 2.0, "local", ["option"]),
        ("127.0.0.2", 443, 3.0, "local", ["option"]),
        ("127.0.0.3", 443, 6.0, "local", ["option"]),
    ]
    assert stream.read(1) == b"read"
    # Nobody waits for a look-up at the end of the program.
    assert looked_up == [(("portal.test", 443), {"type": socket.SOCK_STREAM}, "nous-billing-look-up", True)]


@pytest.mark.usefixtures("looked_up")
def test_after_the_deadline_no_further_address_is_tried(on_its_way):
    class Slow(Backend):
        def connect_tcp(self, *arguments):
            on_its_way.deadline = NOW
            return super().connect_tcp(*arguments)

    backend = Slow(httpcore.ConnectError("refused"))
    with pytest.raises(httpcore.ConnectTimeout, match=r"^deadline$"):
        deadline.DeadlineBackend(backend).connect_tcp("portal.test", 443)
    assert len(backend.asked) == 1


@pytest.mark.usefixtures("looked_up")
def test_the_last_address_says_why_there_is_no_connection():
    failures = [httpcore.ConnectError(str(number)) for number in range(3)]
    with pytest.raises(httpcore.ConnectError, match=r"^2$"):
        deadline.DeadlineBackend(Backend(*failures)).connect_tcp("portal.test", 443)


@pytest.mark.usefixtures("looked_up")
def test_what_no_other_address_would_mend_is_raised_at_once():
    backend = Backend(ValueError())
    with pytest.raises(ValueError, match=r"^$"):
        deadline.DeadlineBackend(backend).connect_tcp("portal.test", 443)
    assert len(backend.asked) == 1


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("no such name")])
def test_a_host_that_cannot_be_found_is_named(error, monkeypatch):
    def getaddrinfo(*arguments, **more):
        raise error

    monkeypatch.setattr(deadline, "socket", SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM))
    with pytest.raises(httpcore.ConnectError) as caught:
        deadline.DeadlineBackend(Backend()).connect_tcp("portal.test", 443)
    assert str(caught.value) == "the host portal.test cannot be found (no such name)"
    assert caught.value.__cause__ is error


def test_a_look_up_is_given_up_at_the_deadline(monkeypatch, on_its_way):
    go = threading.Event()

    def getaddrinfo(*arguments, **more):
        go.wait(5)
        return []

    monkeypatch.setattr(deadline, "socket", SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM))
    on_its_way.deadline = NOW + 0.02
    with pytest.raises(httpcore.ConnectTimeout, match=r"^deadline$"):
        deadline.DeadlineBackend(Backend()).connect_tcp("portal.test", 443)
    go.set()


class AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, stream):
        self.stream = stream
        self.asked = []

    async def connect_tcp(self, *arguments, **more):
        self.asked.append((arguments, more))
        return self.stream


async def test_in_a_task_each_operation_is_the_streams_own(on_its_way):
    inner = AsyncStream()
    backend = AsyncBackend(inner)
    stream = await deadline.ClosingBackend(backend).connect_tcp(HOST, 443, timeout=9)
    assert backend.asked == [((HOST, 443), {"timeout": 9})]
    assert await stream.read(5, 60) == b"read"
    secured = await stream.start_tls("context", "host", 50)
    assert on_its_way.sent is False
    await secured.write(b"x", 40)
    assert on_its_way.sent is True
    assert secured.get_extra_info("socket") == "the socket"
    await secured.aclose()
    assert inner.told == [
        ("read", 5, 60),
        ("start_tls", "context", "host", 50),
        ("write", b"x", 40, True),
        ("close",),
    ]


@pytest.mark.parametrize("error", [httpcore.ConnectError("odd"), asyncio.CancelledError()])
async def test_in_a_task_a_handshake_that_does_not_end_closes_its_connection(error):
    inner = AsyncStream(fails=error)
    stream = await deadline.ClosingBackend(AsyncBackend(inner)).connect_tcp(HOST, 443)
    with pytest.raises(type(error)):
        await stream.start_tls(None)
    assert inner.told == [("close",)]
