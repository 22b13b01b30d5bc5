"""Connections that are kept: how many, for how long, and what happens to those that have gone bad."""

import asyncio
import gc
import os
import threading
import time
from threading import Barrier

import pytest

from nous_billing import AsyncBillingClient, BillingNetworkError, BillingTimeout, StaticToken
from nous_billing.transport import connection, idle_connections
from tests.sockets.harness import charge, failure, poll, save
from tests.sockets.raw_server import Answer, RawServer, answer

PENDING = answer(200, {"status": "pending"})
ACCEPTED = answer(202, {"chargeId": "ch_1"})


def test_a_poll_opens_no_connection(raw_client, server):
    for _ in range(4):
        poll(raw_client)
    assert server.connections == 1


def test_where_money_moves_each_request_has_a_connection_of_its_own(raw_client, server):
    replies = {"GET": PENDING, "POST": ACCEPTED, "PATCH": answer(200, {"ok": True})}
    server.otherwise = lambda request: replies[request.method]
    for call in (poll, charge, poll, charge, save, poll):
        call(raw_client)
    assert [request.connection for request in server.requests] == [1, 2, 1, 3, 1, 1]
    assert server.hung_up(2)
    assert server.hung_up(3)
    assert not server.hung_up(1, within=0.05)


@pytest.mark.parametrize("status", [400, 401, 403, 409, 429, 500, 503])
def test_that_connection_is_closed_whatever_the_answer(status, raw_client, server):
    server.script.append(answer(status, {"error": "x"}))
    failure(charge, raw_client)
    assert server.hung_up(1)


def test_more_calls_at_once_than_connections_wait_for_one(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url)
    statuses = client_kind.together(client, 3 * idle_connections.CONNECTIONS, "get_charge_status", "ch_1")
    assert {each.status for each in statuses} == {"pending"}
    assert server.connections <= idle_connections.CONNECTIONS


def test_who_waits_for_a_connection_beyond_the_deadline_has_sent_nothing(client_kind, server, monkeypatch):
    # None is ever free.
    monkeypatch.setattr(idle_connections, "CONNECTIONS", 0)
    error = failure(charge, client_kind.client(StaticToken("t"), base_url=server.url, timeout=0.2))
    assert (type(error), error.outcome_unknown) == (BillingTimeout, False)
    assert "other calls used all connections" in str(error)
    assert server.connections == 0


@pytest.mark.parametrize("then", ["hold", "close", "reset"])
def test_a_call_that_failed_makes_room_for_the_next(then, client_kind, server, monkeypatch):
    monkeypatch.setattr(idle_connections, "CONNECTIONS", 1)
    client = client_kind.client(StaticToken("t"), base_url=server.url)
    # A charge may time out before the server reads it, so the answers go by the request and not by their order.
    server.otherwise = lambda request: Answer(b"", then) if request.method == "POST" else PENDING
    for _ in range(2):
        failure(charge, client, timeout=0.1)
    assert poll(client, timeout=5).status == "pending"


def test_connections_that_were_kept_for_too_long_are_closed(client_kind, server, monkeypatch):
    monkeypatch.setattr(connection, "KEEP_SECONDS", 0.05)
    client = client_kind.client(StaticToken("t"), base_url=server.url)
    client_kind.together(client, 4, "get_charge_status", "ch_1")
    opened = server.connections
    time.sleep(0.1)
    poll(client)
    assert server.connections == opened + 1


def test_ninety_charges_at_once_do_not_wait_for_one_another(client_kind, raw_client, server):
    together = Barrier(90)

    def accept(request):
        together.wait(20)
        return ACCEPTED

    server.otherwise = accept
    accepted = client_kind.at_once(raw_client, *[charge] * 90)
    assert [each.charge_id for each in accepted] == ["ch_1"] * 90


@pytest.mark.parametrize("in_one_piece", [True, False])
@pytest.mark.parametrize("secure", [True, False])
def test_what_comes_behind_a_reply_is_not_the_next_reply(secure, in_one_piece, client_kind, server, tls_server):
    portal = tls_server if secure else server
    client = client_kind.client(StaticToken("t"), base_url=portal.url)
    forged = answer(200, {"status": "settled", "amountUsd": "1", "settledAt": "2026-06-13T10:00:00Z"}).data
    portal.script.append(Answer(PENDING.data + forged) if in_one_piece else Answer(PENDING.data, behind=forged))
    assert poll(client).status == "pending"
    # What is written in two pieces may come in two.
    time.sleep(0.05)
    assert poll(client).status == "pending"
    assert portal.connections == 2


def test_nor_is_what_comes_while_the_connection_is_idle(raw_client, server):
    assert poll(raw_client).status == "pending"
    server.say(1, answer(200, {"status": "settled", "amountUsd": "1", "settledAt": "2026-06-13T10:00:00Z"}).data)
    assert poll(raw_client).status == "pending"
    assert server.connections == 2


def _keep(client_kind, client, server, count):
    together = Barrier(count)

    def answer_all(request):
        together.wait(20)
        return PENDING

    server.otherwise = answer_all
    client_kind.together(client, count, "get_charge_status", "ch_1")
    assert server.connections == count


def test_one_call_at_most_finds_that_the_path_of_kept_connections_is_dead(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url, timeout=5)
    _keep(client_kind, client, server, 5)
    server.otherwise = lambda request: Answer(b"", "hold") if request.connection <= 5 else PENDING
    assert type(failure(poll, client, timeout=0.3)) is BillingTimeout
    assert poll(client).status == "pending"
    assert all(server.hung_up(number) for number in range(1, 6))


def test_a_poll_is_sent_again_on_a_new_connection_where_all_kept_ones_are_dead(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url, timeout=5)
    _keep(client_kind, client, server, 5)
    server.otherwise = lambda request: Answer(b"", "close") if request.connection <= 5 else PENDING
    assert poll(client).status == "pending"
    assert server.connections == 6


async def test_a_call_that_is_cancelled_at_any_moment_leaves_nothing_behind(server):
    def descriptors():
        gc.collect()
        return sum("socket:" in os.readlink(f"/proc/self/fd/{each}") for each in _open_descriptors())

    server.otherwise = lambda request: time.sleep(0.005) or PENDING
    async with AsyncBillingClient(StaticToken("t"), base_url=server.url) as client:
        await client.get_charge_status("ch_1")
        tasks, before = len(asyncio.all_tasks()), descriptors()
        for moment in range(60):
            call = asyncio.create_task(client.post_charge(amount_usd=50, idempotency_key="k"))
            await asyncio.sleep(moment * 0.0002)
            call.cancel()
            await asyncio.wait([call])
        (sender,) = client._driver._own.values()
        assert sender._free._value == idle_connections.CONNECTIONS
        assert len(asyncio.all_tasks()) == tasks
        # The server's own end of each is still open for a moment.
        for _ in range(100):
            if descriptors() == before:
                break
            await asyncio.sleep(0.02)
        assert descriptors() == before
        assert (await client.get_charge_status("ch_1")).status == "pending"


def _open_descriptors():
    for each in os.listdir("/proc/self/fd"):
        if os.path.islink(f"/proc/self/fd/{each}"):
            yield each


def test_a_client_in_one_event_loop_after_another_has_new_connections(server):
    client = AsyncBillingClient(StaticToken("t"), base_url=server.url)
    for _ in range(2):
        assert asyncio.run(client.get_charge_status("ch_1")).status == "pending"
    assert server.connections == 2
    assert server.hung_up(1)
    asyncio.run(client.aclose())
    assert server.hung_up(2)


def test_a_client_in_two_event_loops_at_once_mixes_up_no_replies():
    def name(request):
        return answer(200, {"status": request.target.rpartition("/")[2]})

    with RawServer(name) as server:
        client = AsyncBillingClient(StaticToken("t"), base_url=server.url)
        wrong = []

        async def polling(thread):
            for number in range(30):
                status = (await client.get_charge_status(f"{thread}-{number}")).status
                if status != f"{thread}-{number}":
                    wrong.append(status)

        threads = [threading.Thread(target=lambda n=n: asyncio.run(polling(n))) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        asyncio.run(client.aclose())


def test_a_child_has_connections_of_its_own_and_leaves_its_parents_alone(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url)
    # Of an event loop, the child has a copy that is the same object.
    poll(client)
    child = os.fork()
    if not child:
        status = 1
        try:
            if poll(client).status == "pending":
                client.close()
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    poll(client)
    assert [request.connection for request in server.requests] == [1, 2, 1]


def test_a_port_that_refuses_is_named(client_kind):
    with RawServer() as gone:
        port = gone.port
    error = failure(charge, client_kind.client(StaticToken("t"), base_url=f"http://127.0.0.1:{port}"))
    assert type(error) is BillingNetworkError
    assert f"no connection to 127.0.0.1:{port} (Connection refused)" in str(error)
