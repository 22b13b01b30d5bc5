"""Connections that are kept: how many, for how long, and what happens to those that have gone bad."""

import asyncio
import time
from contextlib import suppress
from threading import Barrier

import httpcore

from nous_billing import AsyncBillingClient, BillingTimeout, StaticToken
from nous_billing.transport import async_httpcore_sender as async_direct
from nous_billing.transport import connection_pool as connections
from nous_billing.transport import sender as transport
from tests.sockets.harness import charge, failure, poll
from tests.sockets.raw_server import Answer, answer

PENDING = answer(200, {"status": "pending"})
ACCEPTED = answer(202, {"chargeId": "ch_1"})


def test_a_poll_opens_no_connection(raw_client, server):
    for _ in range(4):
        poll(raw_client)
    assert server.connections == 1


def test_more_calls_at_once_than_connections_wait_for_one(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url)
    statuses = client_kind.together(client, 3 * connections.CONNECTIONS, "get_charge_status", "ch_1")
    assert {each.status for each in statuses} == {"pending"}
    assert server.connections <= connections.CONNECTIONS


def test_who_waits_for_a_connection_beyond_the_deadline_has_sent_nothing(client_kind, server, monkeypatch):
    # None is ever free.
    monkeypatch.setattr(connections, "CONNECTIONS", 0)
    error = failure(charge, client_kind.client(StaticToken("t"), base_url=server.url, timeout=0.2))
    assert (type(error), error.outcome_unknown) == (BillingTimeout, False)
    assert server.connections == 0


def test_connections_that_were_kept_for_too_long_are_closed(client_kind, server, monkeypatch):
    monkeypatch.setattr(transport, "KEEP_SECONDS", 0.05)
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


def test_what_comes_behind_a_reply_is_not_the_next_reply(raw_client, server):
    forged = answer(202, {"chargeId": "ch_forged"})
    server.script += [Answer(PENDING.data + forged.data), ACCEPTED]
    poll(raw_client)
    assert charge(raw_client).charge_id == "ch_1"
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
    server.otherwise = lambda request: Answer(b"", "hold") if request.connection <= 5 else ACCEPTED
    assert failure(charge, client, timeout=0.3).outcome_unknown
    assert charge(client).charge_id == "ch_1"
    assert all(server.hung_up(number) for number in range(1, 6))


def test_a_poll_is_sent_again_on_a_new_connection_where_all_kept_ones_are_dead(client_kind, server):
    client = client_kind.client(StaticToken("t"), base_url=server.url, timeout=5)
    _keep(client_kind, client, server, 5)
    server.otherwise = lambda request: Answer(b"", "close") if request.connection <= 5 else PENDING
    assert poll(client).status == "pending"
    assert server.connections == 6


def test_a_reply_that_was_read_counts_though_closing_fails(raw_client, server, monkeypatch):
    def fail(self):
        raise OSError("closing")

    async def afail(self):
        raise OSError("closing")

    monkeypatch.setattr(httpcore.Response, "close", fail)
    monkeypatch.setattr(httpcore.Response, "aclose", afail)
    server.script.append(ACCEPTED)
    assert charge(raw_client).charge_id == "ch_1"


def test_a_reply_counts_though_its_connection_cannot_be_closed(raw_client, server, monkeypatch):
    def fail(self):
        raise OSError("closing")

    async def afail(self):
        raise OSError("closing")

    monkeypatch.setattr(httpcore.HTTPConnection, "close", fail)
    monkeypatch.setattr(httpcore.AsyncHTTPConnection, "aclose", afail)
    server.script.append(answer(202, {"chargeId": "ch_1"}, {"Connection": "close"}, then="close"))
    assert charge(raw_client).charge_id == "ch_1"


def test_a_reply_that_was_read_counts_though_the_time_is_up_while_closing(server, monkeypatch):
    async def hang(self):
        await asyncio.sleep(20)

    async def charged():
        client = AsyncBillingClient(StaticToken("t"), base_url=server.url, timeout=1)
        return await charge(client)

    monkeypatch.setattr(httpcore.Response, "aclose", hang)
    server.script.append(ACCEPTED)
    assert asyncio.run(charged()).charge_id == "ch_1"


async def test_one_that_is_cut_short_while_it_closes_does_not_keep_the_others_open():
    class Connection:
        def __init__(self, seconds):
            self.seconds = seconds
            self.closed = False

        async def aclose(self):
            await asyncio.sleep(self.seconds)
            self.closed = True

    slow, others = Connection(20), [Connection(0), Connection(0)]
    closing = asyncio.ensure_future(async_direct._aclose([others[0], slow, others[1]]))
    await asyncio.sleep(0.05)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    assert [each.closed for each in others] == [True, True]
