"""A given client's connections: none is used again where money moves, and none with something unread."""

import socket
import ssl
import threading
from contextlib import suppress
from types import SimpleNamespace

import httpx
import pytest
import trustme

from nous_billing.transport import httpx_pool
from tests.sockets.harness import charge, poll, save
from tests.sockets.raw_server import Answer, answer

from .given import both_libraries, given

ACCEPTED = answer(202, {"chargeId": "ch_1"})
PENDING = answer(200, {"status": "pending"})
FORGED = answer(200, {"status": "settled", "amountUsd": "50", "settledAt": "2026-06-13T10:00:00Z"})


@both_libraries
def test_a_charge_travels_on_a_connection_of_its_own(library, client_kind, server):
    client = given(client_kind, library, server.url)
    server.script.extend([PENDING, PENDING, ACCEPTED, PENDING, PENDING])
    for call in (poll, poll, charge, poll, poll):
        call(client)
    assert [request.connection for request in server.requests] == [1, 1, 2, 3, 3]
    assert server.hung_up(1)
    assert server.hung_up(2)
    assert [request.headers.get("connection") for request in server.requests].count("close") == 1


@both_libraries
def test_a_connection_to_another_host_is_left_alone(library, client_kind, server):
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    http = client_kind.keep((library.AsyncClient if client_kind.is_async else library.Client)())
    client = given(client_kind, library, server.url, mounts={"all://": http._transport})
    client_kind.run(http.get(elsewhere))
    server.script.append(ACCEPTED)
    charge(client)
    client_kind.run(http.get(elsewhere))
    assert [request.connection for request in server.requests] == [1, 2, 1]


@both_libraries
@pytest.mark.parametrize("first", [poll, save], ids=["poll", "save"])
def test_what_came_behind_a_reply_is_not_the_next_ones(first, library, client_kind, server):
    client = given(client_kind, library, server.url)
    own = answer(200, {"ok": True}) if first is save else PENDING
    server.script.append(Answer(own.data + FORGED.data))
    first(client)
    assert poll(client).status == "pending"
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.fixture
def two_records():
    """A portal over TLS that sends a second reply with its first one, in a record of its own; and its authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    forged = [FORGED.data]

    def serve(connection):
        # A client that gives the connection up resets it.
        with context.wrap_socket(connection, server_side=True) as tls, suppress(ConnectionResetError):
            while tls.recv(65536):
                tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                tls.sendall(PENDING.data)
                if forged:
                    tls.sendall(forged.pop())
                tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def accept():
        for _ in range(2):
            threads.append(threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = [threading.Thread(target=accept, daemon=True)]
        threads[0].start()
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        yield f"https://localhost:{listener.getsockname()[1]}", trusting
        for thread in threads:
            thread.join(1)


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="the records would not arrive at once")
@both_libraries
def test_a_record_that_came_with_a_reply_is_not_the_next_one(library, client_kind, two_records):
    url, trusting = two_records
    http = (library.AsyncClient if client_kind.is_async else library.Client)(verify=trusting)
    client = given(client_kind, library, url, mounts={"all://": http._transport})
    assert [poll(client).status for _ in range(2)] == ["pending", "pending"]
    client_kind.run(http.aclose() if client_kind.is_async else http.close())


def decrypted(data):
    """A connection over TLS that has decrypted more than was read."""
    tls = SimpleNamespace(pending=lambda: len(data))
    return SimpleNamespace(_network_stream=SimpleNamespace(get_extra_info=lambda _: tls))


def stream(**attributes):
    """A connection whose network stream reads from such a stream of anyio."""
    return SimpleNamespace(
        _network_stream=SimpleNamespace(get_extra_info=lambda _: None, _stream=SimpleNamespace(**attributes))
    )


@pytest.mark.parametrize(
    ("connection", "unread"),
    [
        (stream(), False),
        (stream(_read_bio=ssl.MemoryBIO(), transport_stream=SimpleNamespace()), False),
        (stream(_protocol=SimpleNamespace(read_queue=[b"x"])), True),
        (stream(transport_stream=SimpleNamespace(_protocol=SimpleNamespace(read_queue=[b"x"]))), True),
        (decrypted(b""), False),
        (decrypted(b"x"), True),
    ],
)
def test_each_buffer_is_looked_at(connection, unread):
    assert httpx_pool._has_unread(connection) is unread


def test_a_connection_that_another_request_was_given_is_left_alone(server):
    with httpx.Client() as http:
        http.get(server.url)
        own = httpx_pool.transport_for(http, httpx.URL(server.url))
        (connection,) = own._pool.connections
        own._pool._requests.append(SimpleNamespace(connection=connection))
        httpx_pool.retire_idle(http, httpx.URL(server.url), every=True)
        assert not connection.has_expired()
        own._pool._requests.clear()
        httpx_pool.retire_idle(http, httpx.URL(server.url), every=True)
        assert connection.has_expired()


def test_a_library_that_has_renamed_its_attributes_is_used_all_the_same():
    httpx_pool.retire_idle(SimpleNamespace(), httpx.URL("https://portal.test"), every=True)
    assert httpx_pool.transport_for(SimpleNamespace(), httpx.URL("https://portal.test")) is None
