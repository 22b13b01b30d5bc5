"""What the senders make of what a connection does, with no network."""

import asyncio
import inspect
import time
from types import SimpleNamespace

import httpcore
import pytest

from nous_billing import Credentials
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Send
from nous_billing.protocol.replies import MAX_REPLY_BYTES, Failure
from nous_billing.transport import connection_pool as connections
from nous_billing.transport import deadline
from nous_billing.transport import httpx_senders as through_httpx
from nous_billing.transport import sender as transport
from nous_billing.transport.async_httpcore_sender import AsyncDirectSender
from nous_billing.transport.httpcore_sender import DirectSender

HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n"
ACCEPTED = HEAD % 2 + b"{}"
RESET = httpcore.ReadError("reset")


class Wire:
    """Of a connection, what it will read; a thing to raise is raised. Keeps what was done to it."""

    def __init__(self, *reads):
        self.reads = list(reads)
        self.written = b""
        self.is_closed = False
        self.is_readable = False
        self.contexts = []

    def next(self):
        read = self.reads.pop(0) if self.reads else b""
        if isinstance(read, BaseException):
            raise read
        return read

    def write(self, buffer):
        self.written += buffer

    def close(self):
        self.is_closed = True


class Stream(httpcore.NetworkStream):
    def __init__(self, wire):
        self.wire = wire

    def read(self, max_bytes, timeout=None):
        return self.wire.next()

    def write(self, buffer, timeout=None):
        self.wire.write(buffer)

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.wire.contexts.append(ssl_context)
        return self

    def get_extra_info(self, info):
        return self.wire.is_readable if info == "is_readable" else None

    def close(self):
        self.wire.close()


class AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, wire):
        self.wire = wire

    async def read(self, max_bytes, timeout=None):
        read = self.wire.next()
        if read is None:
            await asyncio.sleep(20)
        return read

    async def write(self, buffer, timeout=None):
        self.wire.write(buffer)

    async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.wire.contexts.append(ssl_context)
        return self

    def get_extra_info(self, info):
        return self.wire.is_readable if info == "is_readable" else None

    async def aclose(self):
        self.wire.close()


class Backend(httpcore.NetworkBackend):
    def __init__(self, wires):
        self.wires = wires

    def connect_tcp(self, *arguments, **more):
        return Stream(self.wires.pop(0))


class AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, wires):
        self.wires = wires

    async def connect_tcp(self, *arguments, **more):
        return AsyncStream(self.wires.pop(0))


MAKE = {
    "sync": DirectSender,
    "async": AsyncDirectSender,
    "sync httpx": through_httpx.proxied_sender,
    "async httpx": through_httpx.proxied_async_sender,
}


class Sender:
    """A sender whose connections are wires; the next one is opened with the next wire."""

    def __init__(self, kind, *wires):
        self.real = MAKE[kind]()
        self.is_async = kind.startswith("async")
        backend = (AsyncBackend if self.is_async else Backend)(list(wires))
        if kind.endswith("httpx"):
            for pool in through_httpx.pools(self.real._http):
                pool._network_backend._backend = backend
        else:
            self.real._backend._backend = backend

    async def send(self, *, seconds=5.0, left=lambda: 1.0, base_url="http://127.0.0.1:1"):
        step = Send(operations.post_charge("50.25", "key"), base_url, Credentials("t"), 1.0)
        arguments = () if self.is_async else (left,)
        sent = self.real.send(step, seconds, *arguments, lambda: 7.0)
        return await sent if inspect.isawaitable(sent) else sent

    async def keep(self, *wires):
        """Have one idle connection for each wire, the last one to be used first."""
        kept = self.real._kept
        for wire in wires:
            self.real._backend._backend.wires.append(wire)
            # It shall not go over the one before.
            self.real._kept = connections.IdleConnections()
            await self.send()
            (connection,) = self.real._kept.close()
            kept.give_back(connection)
        self.real._kept = kept

    async def close(self):
        if self.is_async:
            await self.real.aclose()
        else:
            self.real.close()


EACH = pytest.mark.parametrize("kind", list(MAKE))
SYNC = pytest.mark.parametrize("kind", ["sync", "sync httpx"])
ASYNC = pytest.mark.parametrize("kind", ["async", "async httpx"])
BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


@EACH
async def test_a_reply_says_when_it_came(kind):
    reply = await Sender(kind, Wire(ACCEPTED)).send()
    assert (reply.status, reply.body, reply.received_at) == (202, b"{}", 7.0)
    assert (reply.failure, reply.unreadable) == (None, None)


@EACH
@pytest.mark.parametrize("cut", [RESET, b""])
async def test_a_body_that_breaks_off_leaves_a_reply_with_its_status(kind, cut):
    wire = Wire(HEAD % 9 + b"{", cut)
    reply = await Sender(kind, wire).send()
    assert (reply.status, reply.body, reply.unreadable) == (202, b"", None)
    # InFlightRequest it again would be no remedy: the portal has answered.
    assert (reply.failure.sent, reply.failure.timed_out, reply.failure.stale) == (True, False, False)
    assert reply.failure.cause is not None
    assert wire.is_closed


@EACH
async def test_so_it_does_on_a_connection_that_was_kept(kind):
    sender = Sender(kind, Wire(ACCEPTED, HEAD % 9 + b"{", httpcore.ReadTimeout("slow")))
    await sender.send()
    reply = await sender.send()
    assert (reply.status, reply.failure.sent, reply.failure.timed_out) == (202, True, True)


@SYNC
async def test_a_deadline_that_passes_between_two_chunks_leaves_a_reply_with_its_status(kind):
    left = iter([1.0, 0.0])
    wire = Wire(HEAD % 3 + b"{", b" ", b"}")
    reply = await Sender(kind, wire).send(left=lambda: next(left))
    assert (reply.status, reply.body) == (202, b"")
    assert (reply.failure.sent, reply.failure.timed_out) == (True, True)
    assert wire.is_closed


@ASYNC
async def test_a_deadline_that_passes_in_a_body_leaves_a_reply_with_its_status(kind):
    reply = await Sender(kind, Wire(HEAD % 3 + b"{", None)).send(seconds=0.05)
    assert (reply.status, reply.failure.sent, reply.failure.timed_out) == (202, True, True)


@EACH
async def test_no_more_than_the_limit_is_read(kind):
    wire = Wire(HEAD % (2 * MAX_REPLY_BYTES), b" " * MAX_REPLY_BYTES, b" ", b" ", b" ")
    reply = await Sender(kind, wire).send()
    assert (reply.status, reply.body, reply.failure) == (202, b"", None)
    assert reply.unreadable is not None
    assert wire.reads == [b" ", b" "]


@EACH
async def test_what_is_compressed_is_not_read(kind):
    wire = Wire(b"HTTP/1.1 202 Accepted\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n", b"{}")
    reply = await Sender(kind, wire).send()
    assert reply.unreadable is not None
    assert wire.reads == [b"{}"]


@EACH
async def test_a_connection_is_used_again_and_closed_in_the_end(kind):
    wire = Wire(ACCEPTED, ACCEPTED)
    sender = Sender(kind, wire)
    assert [(await sender.send()).status for _ in range(2)] == [202, 202]
    assert not wire.is_closed
    await sender.close()
    assert wire.is_closed


@EACH
@pytest.mark.parametrize(("pause", "opened"), [(30, 1), (51, 2)])
async def test_a_connection_outlives_a_pause_between_polls(kind, pause, opened, monkeypatch):
    moments = [time.monotonic()]
    for module in ("httpcore._sync.http11", "httpcore._async.http11"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: moments[-1]))
    wires = [Wire(ACCEPTED, ACCEPTED), Wire(ACCEPTED)]
    sender = Sender(kind, *wires)
    await sender.send()
    moments.append(moments[0] + pause)
    assert (await sender.send()).status == 202
    assert sum(wire.written != b"" for wire in wires) == opened


@EACH
@pytest.mark.parametrize("broken", [RESET, b""])
async def test_a_kept_connection_that_is_dead_is_told_from_a_new_one(kind, broken):
    sender = Sender(kind, Wire(broken), Wire(ACCEPTED, broken))
    new = await sender.send()
    assert isinstance(new, Failure)
    assert (new.sent, new.stale, new.timed_out) == (True, False, False)
    assert (await sender.send()).status == 202
    kept = await sender.send()
    assert isinstance(kept, Failure)
    assert (kept.sent, kept.stale, kept.timed_out) == (True, True, False)


@EACH
async def test_what_failed_before_the_request_has_sent_nothing(kind):
    sender = Sender(kind)
    failure = await sender.send()
    assert isinstance(failure, Failure)
    assert (failure.sent, failure.stale) == (False, False)
    assert isinstance(failure.cause, IndexError)


@EACH
async def test_a_connection_is_trusted_by_the_one_tls_context(kind):
    wire = Wire(ACCEPTED)
    await Sender(kind, wire).send(base_url="https://127.0.0.1:1")
    assert wire.contexts == [transport.ssl_context()]


@EACH
async def test_a_request_is_on_its_way_only_while_it_is_sent(kind):
    wire = Wire()
    seen = []

    def look():
        seen.append(deadline.current_request.get())
        return ACCEPTED

    wire.next = look
    before = time.monotonic()
    await Sender(kind, wire).send(seconds=30)
    assert before + 30 <= seen[0].deadline <= time.monotonic() + 30
    assert deadline.current_request.get(None) is None


@BOTH
async def test_who_waits_in_vain_for_a_free_connection_has_sent_nothing(kind, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 0)
    failure = await Sender(kind, Wire(ACCEPTED)).send(seconds=0.05)
    assert isinstance(failure, Failure)
    assert (failure.sent, failure.timed_out) == (False, True)
    assert deadline.current_request.get(None) is None


@BOTH
async def test_a_call_that_failed_makes_room_for_the_next(kind, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    sender = Sender(kind, Wire(RESET), Wire(RESET), Wire(ACCEPTED))
    assert [type(await sender.send(seconds=0.5)) is Failure for _ in range(3)] == [True, True, False]


@BOTH
async def test_one_that_cannot_be_closed_does_not_keep_the_others_open(kind):
    sender, wires = Sender(kind), [Wire(ACCEPTED) for _ in range(3)]
    await sender.keep(*wires)

    def fail():
        raise OSError("closing")

    wires[1].close = fail
    await sender.close()
    assert [wire.is_closed for wire in wires] == [True, False, True]


@BOTH
async def test_what_lay_idle_for_too_long_is_closed_though_the_call_fails(kind):
    dead, old, other = Wire(ACCEPTED, RESET), Wire(ACCEPTED), Wire(ACCEPTED)
    sender = Sender(kind)
    await sender.keep(other, dead, old)
    old.is_readable = True
    assert (await sender.send()).stale
    assert (dead.is_closed, old.is_closed, other.is_closed) == (True, True, True)


async def test_who_waits_in_vain_for_a_free_connection_leaves_the_kept_ones_open(monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    idle = Wire(ACCEPTED)
    sender = Sender("async", idle, Wire(None))
    await sender.send()
    busy = asyncio.create_task(sender.send(base_url="http://127.0.0.2:1"))
    await asyncio.sleep(0.01)
    assert not (await sender.send(seconds=0.05)).sent
    assert not idle.is_closed
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
