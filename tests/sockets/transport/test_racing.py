"""Connecting to a host with several addresses, of which some are dead: the same in a thread and in a task."""

import asyncio
import errno
import socket
import time
from contextlib import ExitStack

import pytest

from nous_billing import BillingNetworkError, StaticToken
from nous_billing.transport import async_racing, racing
from nous_billing.transport.racing import Address, interleaved, look_up
from tests.sockets.harness import TOLERANCE, charge, failure, poll

V4, V6 = socket.AF_INET, socket.AF_INET6


def test_families_take_turns_and_the_preferred_one_is_first():
    names = [(V6, "a"), (V6, "b"), (V6, "c"), (V4, "d"), (V4, "e")]
    assert [each.sockaddr for each in interleaved([Address(*name) for name in names])] == ["a", "d", "b", "e", "c"]


def test_an_address_that_a_name_has_twice_is_tried_once(monkeypatch):
    infos = [(V6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0)), (V4, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos[:1] * 2 + infos[1:])
    assert look_up("portal.test", 1) == [Address(V6, ("::1", 1, 0, 0)), Address(V4, ("127.0.0.1", 1))]


@pytest.fixture
def hosts():
    """Ports on loopback: ``good``, ``refusing``, and ``dead``, whose queue is full so that it swallows packets."""
    with ExitStack() as sockets:

        def listener(address):
            opened = sockets.enter_context(socket.socket())
            opened.bind((address, 0))
            return opened

        good, dead, refusing = (listener(f"127.0.0.{number}") for number in (1, 2, 3))
        good.listen(16)
        dead.listen(0)
        for _ in range(4):
            filling = sockets.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(dead.getsockname())
        yield {
            "good": Address(V4, good.getsockname()),
            "dead": Address(V4, dead.getsockname()),
            "refusing": Address(V4, refusing.getsockname()),
            # Of a family that this machine does not have.
            "foreign": Address(-5, ("127.0.0.1", 1)),
        }


@pytest.fixture
def opened(monkeypatch):
    """The sockets that are opened."""
    sockets = []

    def open_socket(address):
        sockets.append(real(address))
        return sockets[-1]

    real = racing.open_socket
    monkeypatch.setattr(racing, "open_socket", open_socket)
    monkeypatch.setattr(async_racing, "open_socket", open_socket)
    yield sockets
    for each in sockets:
        each.close()


def connect(addresses, seconds=5.0):
    return racing.connect_first(addresses, time.monotonic() + seconds)


def aconnect(addresses, seconds=5.0):
    async def connecting():
        try:
            async with asyncio.timeout(seconds):
                return await async_racing.connect_first(addresses)
        finally:
            # Those that lost are closed in the next turn of the loop.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    return asyncio.run(connecting())


EACH = pytest.mark.parametrize("connect", [connect, aconnect])


@EACH
@pytest.mark.parametrize(
    ("names", "seconds", "tried"),
    [
        ("good", 0, 1),
        ("good dead", 0, 1),
        ("refusing good", 0, 2),
        ("foreign refusing good", 0, 2),
        ("dead good", 0.25, 2),
        ("dead refusing good", 0.25, 3),
        ("dead dead good refusing", 0.5, 3),
    ],
)
def test_the_first_that_answers_wins_and_the_others_are_closed(connect, names, seconds, tried, hosts, opened):
    started = time.monotonic()
    connected = connect([hosts[name] for name in names.split()])
    assert seconds <= time.monotonic() - started < seconds + 0.24
    assert connected.getpeername() == hosts["good"].sockaddr
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert len(opened) == tried
    assert [each for each in opened if each.fileno() != -1] == [connected]


@EACH
def test_one_that_answers_late_still_wins(connect, hosts, opened, monkeypatch):
    monkeypatch.setattr(racing, "STAGGER_SECONDS", 0.0)
    monkeypatch.setattr(async_racing, "STAGGER_SECONDS", 0.0)
    connected = connect([hosts["good"], hosts["good"], hosts["good"]])
    assert [each for each in opened if each.fileno() != -1] == [connected]


@EACH
@pytest.mark.parametrize("names", ["refusing", "foreign refusing", "refusing refusing refusing"])
def test_where_none_answers_the_last_says_why(connect, names, hosts, opened):
    with pytest.raises(ConnectionRefusedError) as caught:
        connect([hosts[name] for name in names.split()])
    assert caught.value.errno == errno.ECONNREFUSED
    assert [each.fileno() for each in opened] == [-1] * len(opened)


@EACH
@pytest.mark.parametrize("names", ["dead", "dead dead", "dead refusing"])
def test_where_none_answers_in_time_all_are_closed(connect, names, hosts, opened):
    with pytest.raises(TimeoutError):
        connect([hosts[name] for name in names.split()], seconds=0.4)
    assert [each.fileno() for each in opened] == [-1] * len(opened)


def test_after_the_deadline_none_is_tried(hosts):
    with pytest.raises(TimeoutError):
        connect([hosts["good"]], seconds=-1)


async def test_of_two_that_answer_at_once_one_is_closed(monkeypatch):
    both = asyncio.Event()
    pair = socket.socketpair()
    sockets = iter(pair)

    async def answer(address):
        mine = next(sockets)
        await both.wait()
        return mine

    monkeypatch.setattr(async_racing, "_connect", answer)
    monkeypatch.setattr(async_racing, "STAGGER_SECONDS", 0.01)
    racing_both = asyncio.create_task(async_racing.connect_first(["first", "second"]))
    await asyncio.sleep(0.05)
    both.set()
    connected = await racing_both
    await asyncio.sleep(0)
    assert [each for each in pair if each.fileno() != -1] == [connected]
    connected.close()


def test_an_attempt_that_cannot_even_begin_is_closed(opened):
    with pytest.raises(OverflowError):
        connect([Address(V4, ("127.0.0.1", 70_000))])
    assert [each.fileno() for each in opened] == [-1]


async def test_a_task_that_is_cancelled_closes_all(hosts, opened):
    task = asyncio.create_task(async_racing.connect_first([hosts["dead"], hosts["dead"]]))
    await asyncio.sleep(0.3)
    assert len(opened) == 2
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert [each.fileno() for each in opened] == [-1, -1]


@pytest.fixture
def resolver(monkeypatch):
    """Answers a look-up of portal.test with addresses; all others are the system's."""
    names = []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host != "localhost":
            return real(host, port, *args, **kwargs)
        return [(V4, socket.SOCK_STREAM, 6, "", (name, port)) for name in names]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


def test_a_dead_address_costs_a_call_a_quarter_of_a_second(client_kind, server, resolver):
    resolver += ["127.0.0.2", "127.0.0.1"]
    with ExitStack() as sockets:
        dead = sockets.enter_context(socket.socket())
        dead.bind(("127.0.0.2", server.port))
        dead.listen(0)
        for _ in range(4):
            filling = sockets.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(dead.getsockname())
        client = client_kind.client(StaticToken("t"), base_url=f"http://localhost:{server.port}")
        started = time.monotonic()
        assert poll(client).status == "pending"
        assert 0.25 <= time.monotonic() - started < 0.25 + TOLERANCE


def test_a_host_that_refuses_is_named(client_kind, resolver):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    resolver += ["127.0.0.1", "127.0.0.3"]
    error = failure(charge, client_kind.client(StaticToken("t"), base_url=f"http://localhost:{port}"))
    assert type(error) is BillingNetworkError
    assert str(error) == (
        f"Could not reach the portal: no connection to localhost:{port} (Connection refused). Nothing was charged."
    )


def test_an_address_that_the_system_refuses_at_once_is_its_error_and_leaves_no_socket(hosts, monkeypatch):
    class Unreachable(socket.socket):
        def connect_ex(self, _):
            return errno.ENETUNREACH

    sock = Unreachable()
    monkeypatch.setattr(racing, "open_socket", lambda _: sock)
    with pytest.raises(OSError, match=r"unreachable") as caught:
        racing.connect_first([hosts["good"]], time.monotonic() + 5)
    assert (caught.value.errno, sock.fileno()) == (errno.ENETUNREACH, -1)
