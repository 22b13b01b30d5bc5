"""Whole exchanges: a purchase, a token replaced on the way, waiting, sharing a client, and other people's clients."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

import nous_billing as nb
from nous_billing import AsyncBillingClient, BillingClient, StaticToken
from nous_billing.mock import Card, Fault
from tests.documented import CALLS, CHANGING, KEYED, OPERATIONS
from tests.registry import KEY

from .harness import Source, charge, failure, poll, read, save
from .raw_server import RawServer, answer


def echo(request):
    """Answer a poll with a status that names the charge, so that a mixed-up reply is seen."""
    return answer(200, {"status": f"seen-{request.target.rpartition('/')[2]}"})


# --- Settings


@pytest.mark.parametrize("saved", [True, False], ids=["with amounts", "without"])
def test_auto_reload_is_switched_off_with_the_amounts_that_the_state_has(saved, client, mock_portal):
    if saved:
        save(client)
    client.patch_auto_top_up(enabled=False, threshold=None, top_up_amount=None)
    read_first, request = mock_portal.requests[-2:]
    assert (read_first.operation, request.operation) == ("get_billing_state", "patch_auto_top_up")
    amounts = b'"threshold":20,"topUpAmount":100.5' if saved else b'"threshold":0,"topUpAmount":0'
    assert request.body == b'{"enabled":false,' + amounts + b"}"
    assert read(client).auto_reload.enabled is False


@pytest.mark.parametrize(("status", "body"), [(408, "stream timeout"), (499, ""), (503, "<html>"), (403, "<html>")])
@pytest.mark.parametrize("operation", sorted(CHANGING))
def test_what_a_proxy_answers_in_the_place_of_the_portal_hides_nothing_that_was_done(
    operation, status, body, client, mock_portal
):
    mock_portal.inject(Fault.reply(status, body, {"content-type": "text/plain"}, acts=True), operation)
    error = failure(CALLS[operation], client)
    assert [request.operation for request in mock_portal.requests] == [operation]
    assert type(error) is (nb.BillingResponseError if status == 403 else nb.BillingServerError)
    assert (error.status, error.outcome_unknown) == (status, True)
    assert ("may have been made" if operation in KEYED else "may have been saved") in str(error)


# --- A purchase


def test_a_purchase_from_end_to_end(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    before = read(client)
    assert (before.balance_usd, before.can_charge, before.card.last4) == (Decimal("100"), True, "4242")
    accepted = charge(client, Decimal("50.25"))
    seen = []
    settled = client.wait_for_charge(accepted.charge_id, on_poll=seen.append)
    assert settled.amount_usd == Decimal("50.25")
    assert str(settled.amount_usd) == "50.25"
    assert settled.settled_at.utcoffset().total_seconds() == 0
    assert [type(outcome) for outcome in seen] == [nb.ChargePending, nb.ChargePending, nb.ChargeSettled]
    assert clock.sleeps == pytest.approx([2, 2], abs=0.5)
    assert read(client).balance_usd == Decimal("150.25")
    assert len(mock_portal.organisation.charges) == 1


def test_the_same_key_does_not_buy_twice(client, mock_portal):
    assert charge(client).charge_id == charge(client).charge_id
    assert len(mock_portal.organisation.charges) == 1


def test_a_lost_reply_and_the_same_key_again_buy_once(client, mock_portal):
    mock_portal.inject(Fault.drop(acts=True), "post_charge")
    assert failure(charge, client).outcome_unknown is True
    assert charge(client).charge_id == mock_portal.organisation.charges[0].id
    assert len(mock_portal.organisation.charges) == 1


def test_a_card_that_loses_the_reply_is_not_charged_twice(client, mock_portal):
    mock_portal.organisation.card = Card("visa", "0500")
    assert failure(charge, client).outcome_unknown is True
    assert charge(client).charge_id == mock_portal.organisation.charges[0].id


@pytest.mark.parametrize(
    ("last4", "reason"),
    [
        ("3155", "authentication_required"),
        ("9995", "card_declined"),
        ("0069", "payment_method_expired"),
        ("0119", "processing_error"),
    ],
)
def test_a_charge_that_fails_says_why(last4, reason, client_kind, mock_portal):
    mock_portal.organisation.card = Card("visa", last4)
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    failed = client.wait_for_charge(charge(client).charge_id)
    assert (type(failed), failed.reason, failed.status) == (nb.ChargeFailed, reason, "failed")
    assert read(client).balance_usd == Decimal("100")


def test_auto_reload_is_saved_and_read_back(client, mock_portal):
    assert save(client) is None
    assert mock_portal.requests[-1].body == b'{"enabled":true,"threshold":20,"topUpAmount":100.5}'
    reload = read(client).auto_reload
    assert (reload.enabled, reload.threshold_usd, reload.reload_to_usd) == (True, Decimal("20"), Decimal("100.5"))


# --- A token that is refused


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_401_is_followed_by_the_same_request_with_another_token(operation, client_kind, mock_portal):
    fresh = mock_portal.issue_token()
    source = Source(["stale", fresh], mock_portal.url)
    client = client_kind.client(source)
    CALLS[operation](client)
    first, second = mock_portal.requests
    assert (first.status, first.headers["authorization"]) == (401, "Bearer stale")
    assert second.headers["authorization"] == f"Bearer {fresh}"
    assert (second.method, second.path, second.body) == (first.method, first.path, first.body)
    assert second.headers.get("idempotency-key") == first.headers.get("idempotency-key")
    assert {**first.headers, "authorization": ""} == {**second.headers, "authorization": ""}
    assert source.rejected == [None, "stale"]
    # The new token is the one that is kept.
    CALLS[operation](client)
    assert len(mock_portal.requests) == 3
    assert source.rejected == [None, "stale"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_token_that_stays_the_same_is_not_sent_again(operation, client_kind, mock_portal):
    source = Source(["stale"], mock_portal.url)
    error = failure(CALLS[operation], client_kind.client(source))
    assert (type(error), error.error, error.status) == (nb.BillingAuthError, "invalid_token", 401)
    assert len(mock_portal.requests) == 1
    assert source.rejected == [None, "stale"]


def test_a_second_401_is_final(client_kind, mock_portal):
    source = Source(["stale", "as stale".replace(" ", "-"), mock_portal.issue_token()], mock_portal.url)
    assert type(failure(charge, client_kind.client(source))) is nb.BillingAuthError
    assert len(mock_portal.requests) == 2
    assert source.rejected == [None, "stale"]


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_session_that_was_logged_out_is_final(which, client_kind, mock_portal):
    token = mock_portal.issue_token()
    mock_portal.revoke_session(token)
    before = [] if which == "first" else ["stale"]
    source = Source([*before, token, mock_portal.issue_token()], mock_portal.url)
    assert type(failure(charge, client_kind.client(source))) is nb.BillingSessionRevoked
    assert len(mock_portal.requests) == len(before) + 1


def test_the_base_url_is_resolved_again_with_the_token(client_kind, mock_portal, server):
    server.otherwise = answer(401, {"error": "invalid_token"})
    fresh = mock_portal.issue_token()

    class Moved(Source):
        def resolve(self, *, rejected=None):
            self.rejected.append(rejected)
            where = (("stale", server.url), (fresh, mock_portal.url))[rejected is not None]
            return nb.Credentials(*where)

    client = client_kind.client(Moved([]))
    assert read(client).portal_url.startswith(mock_portal.url)
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer stale"]


# --- Waiting


def test_waiting_outlives_outages_and_rate_limits(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    charge_id = charge(client).charge_id
    for fault in (
        Fault.drop(),
        Fault.reply(500, {}),
        Fault.reply(502, "<h1>Bad gateway</h1>"),
        Fault.html(),
        Fault.raw(b"garbage\r\n\r\n"),
        Fault.unavailable(retry_after="7"),
        Fault.reply(429, {"error": "rate_limited"}, {"Retry-After": "60"}),
        Fault.reply(429, {"error": "rate_limited"}),
        Fault.reply(503, {}, {"Retry-After": "0"}),
    ):
        mock_portal.inject(fault, "get_charge_status")
    seen = []
    settled = client.wait_for_charge(charge_id, on_poll=seen.append)
    assert settled.amount_usd == Decimal("50.25")
    assert [type(outcome) for outcome in seen] == [
        nb.BillingNetworkError,
        nb.BillingServerError,
        nb.BillingServerError,
        nb.BillingResponseError,
        nb.BillingNetworkError,
        nb.BillingRateLimited,
        nb.BillingRateLimited,
        nb.BillingRateLimited,
        nb.BillingRateLimited,
        nb.ChargeSettled,
    ]
    # Retry-After, five seconds where it is absent; never less than the interval nor more than thirty.
    assert clock.sleeps == pytest.approx([2, 2, 2, 2, 2, 7, 30, 5, 2], abs=0.01)


def test_an_unknown_id_that_stays_pending_is_a_timeout_and_no_failure(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    begun = time.monotonic()
    error = failure(client.wait_for_charge, "ch_unknown", cap=20)
    # The requests take a part of the 20 seconds, on a busy machine a larger one.
    taken = time.monotonic() - begun
    assert (type(error), error.error, error.charge_id) == (nb.BillingChargeTimeout, "charge_timeout", "ch_unknown")
    assert (error.outcome_unknown, error.last_error) == (True, None)
    assert 20 - taken <= sum(clock.sleeps) + 0.01 <= 20.02
    assert len(mock_portal.requests) == 11


def test_an_outage_until_the_cap_is_a_timeout_with_the_last_error(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    mock_portal.inject(Fault.drop(), "get_charge_status", times=50)
    error = failure(client.wait_for_charge, "ch_1", cap=10)
    assert type(error) is nb.BillingChargeTimeout
    assert type(error.last_error) is nb.BillingNetworkError
    assert error.__cause__ is error.last_error


@pytest.mark.parametrize(
    ("lose", "raised"),
    [
        (lambda portal, token: portal.revoke_session(token), nb.BillingSessionRevoked),
        (lambda portal, token: portal.stop_spending(token), nb.BillingRemoteSpendingRevoked),
        (lambda portal, token: portal.expire(token), nb.BillingAuthError),
        (lambda portal, token: portal.deny_organisation(token), nb.BillingAccessDenied),
    ],
)
def test_access_that_is_lost_while_waiting_is_unconfirmed(lose, raised, client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    token = mock_portal.issue_token()
    client = client_kind.client(StaticToken(token), base_url=mock_portal.url, clock=clock)
    charge_id = charge(client).charge_id
    error = failure(client.wait_for_charge, charge_id, on_poll=lambda outcome: lose(mock_portal, token))
    assert (type(error), error.error, error.charge_id) == (
        nb.BillingChargeUnconfirmed,
        "charge_unconfirmed",
        charge_id,
    )
    assert (type(error.last_error), error.status) == (raised, error.last_error.status)
    assert error.outcome_unknown is True


def test_waiting_ends_when_the_caller_has_had_enough(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    asked = []
    error = failure(client.wait_for_charge, "ch_1", cancelled=lambda: asked.append(clock.monotonic()) or len(asked) > 6)
    assert (type(error), error.charge_id) == (nb.BillingChargeCancelled, "ch_1")
    assert error.outcome_unknown is True
    # It is asked about four times a second.
    assert max(clock.sleeps) <= 0.25
    assert len(mock_portal.requests) == 1


def test_who_cancels_before_the_first_poll_sends_nothing(client, mock_portal):
    assert type(failure(client.wait_for_charge, "ch_1", cancelled=lambda: True)) is nb.BillingChargeCancelled
    assert mock_portal.requests == []


def test_each_poll_has_a_deadline_of_its_own(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(
        StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock, timeout=0.2
    )
    mock_portal.inject(Fault.stall(), "get_charge_status", times=2)
    charge_id = charge(client).charge_id
    seen = []
    started = time.monotonic()
    settled = client.wait_for_charge(charge_id, on_poll=seen.append)
    assert time.monotonic() - started < 2
    assert type(settled) is nb.ChargeSettled
    assert [type(outcome) for outcome in seen[:2]] == [nb.BillingTimeout, nb.BillingTimeout]


def test_cancelling_a_task_ends_the_wait(mock_portal):
    polled = []

    async def main():
        async with AsyncBillingClient(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url) as client:
            reached = asyncio.Event()
            waiting = asyncio.create_task(
                client.wait_for_charge("ch_1", on_poll=lambda outcome: [polled.append(outcome), reached.set()])
            )
            await reached.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # The client is as good as before.
            return await client.get_billing_state()

    assert asyncio.run(main()).org.name == "Acme"
    assert len(polled) == 1


def test_cancelling_a_task_does_not_cut_the_refresh_that_it_began(mock_portal):
    token, released, asked = mock_portal.issue_token(), threading.Event(), []

    class Slow:
        def resolve(self, *, rejected=None):
            asked.append(rejected)
            released.wait(5)
            return nb.Credentials(token, mock_portal.url)

    async def main():
        async with AsyncBillingClient(Slow()) as client:
            reading = asyncio.create_task(client.get_billing_state())
            while not asked:
                await asyncio.sleep(0.005)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            released.set()
            return await client.get_billing_state()

    try:
        assert asyncio.run(main()).org.name == "Acme"
    finally:
        released.set()
    assert asked == [None]


# --- Sharing


def test_threads_share_one_client():
    with (
        RawServer(echo) as server,
        BillingClient(StaticToken("t"), base_url=server.url) as client,
        ThreadPoolExecutor(20) as pool,
    ):
        together = threading.Barrier(20)

        def work(worker):
            together.wait()
            return [client.get_charge_status(f"{worker}-{turn}").status for turn in range(5)]

        results = list(pool.map(work, range(20)))
    assert results == [[f"seen-{worker}-{turn}" for turn in range(5)] for worker in range(20)]
    assert len(server.requests) == 100


def test_tasks_share_one_client():
    async def main(url):
        async with AsyncBillingClient(StaticToken("t"), base_url=url) as client:

            async def work(worker):
                return [(await client.get_charge_status(f"{worker}-{turn}")).status for turn in range(3)]

            return await asyncio.gather(*(work(worker) for worker in range(50)))

    with RawServer(echo) as server:
        results = asyncio.run(main(server.url))
    assert results == [[f"seen-{worker}-{turn}" for turn in range(3)] for worker in range(50)]
    assert len(server.requests) == 150


def test_a_burst_asks_the_source_once():
    asked = []

    class Slow(Source):
        def resolve(self, *, rejected=None):
            asked.append(rejected)
            time.sleep(0.05)
            return nb.Credentials("t")

    async def main(url):
        async with AsyncBillingClient(Slow([]), base_url=url) as client:
            await asyncio.gather(*(client.get_charge_status(str(number)) for number in range(30)))

    with RawServer(echo) as server:
        asyncio.run(main(server.url))
        with BillingClient(Slow([]), base_url=server.url) as client, ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda number: client.get_charge_status(str(number)), range(10)))
    assert asked == [None, None]


def test_a_burst_that_meets_a_401_asks_for_one_new_token():
    asked = []

    class Renewed(Source):
        def resolve(self, *, rejected=None):
            asked.append(rejected)
            return nb.Credentials("old" if rejected is None else "new")

    def gate(request):
        return echo(request) if request.headers["authorization"] == "Bearer new" else answer(401, {})

    async def main(url):
        async with AsyncBillingClient(Renewed([]), base_url=url) as client:
            return await asyncio.gather(*(client.get_charge_status(str(number)) for number in range(30)))

    with RawServer(gate) as server:
        results = asyncio.run(main(server.url))
    assert [result.status for result in results] == [f"seen-{number}" for number in range(30)]
    assert asked == [None, "old"]


FORKED = """
import asyncio, os, sys, traceback
from nous_billing import AsyncBillingClient, BillingClient, StaticToken

kind, url = sys.argv[1:]

def poll_thrice(client, name):
    for turn in range(20):
        charge_id = f"{name}-{turn}"
        if kind == "sync":
            status = client.get_charge_status(charge_id).status
        else:
            status = (yield client.get_charge_status(charge_id)).status
        assert status == f"seen-{charge_id}", (status, charge_id)

def polls(client, name):
    if kind == "sync":
        list(poll_thrice(client, name))
        return
    async def drive():
        steps, value = poll_thrice(client, name), None
        try:
            while True:
                value = await steps.send(value)
        except StopIteration:
            pass
    asyncio.run(drive())

client = (BillingClient if kind == "sync" else AsyncBillingClient)(StaticToken("t"), base_url=url)
polls(client, "before")
child = os.fork()
if child == 0:
    try:
        polls(client, "child")
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
polls(client, "parent")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_forked_child_makes_connections_of_its_own(kind):
    with RawServer(echo) as server:
        done = subprocess.run(
            [sys.executable, "-c", FORKED, kind, server.url], capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 0, done.stderr
    owners = {}
    for request in server.requests:
        owners.setdefault(request.connection, set()).add(request.target.rpartition("/")[2].partition("-")[0])
    # "before" and "parent" are one process.
    assert all(names == {"child"} or "child" not in names for names in owners.values())
    assert len(server.requests) == 60


def test_an_async_client_serves_one_event_loop_after_another(mock_portal):
    with warnings.catch_warnings():
        # The first loop ended before anybody closed its connection; asyncio says so when that is collected.
        warnings.simplefilter("ignore", ResourceWarning)
        client = AsyncBillingClient(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url)
        for _ in range(2):
            assert asyncio.run(client.get_billing_state()).org.name == "Acme"
        del client
        gc.collect()


def test_an_async_client_can_be_closed_after_its_event_loop_ended(mock_portal):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        client = AsyncBillingClient(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url)
        asyncio.run(client.get_billing_state())
        problem = None
        try:
            asyncio.run(client.aclose())
        except RuntimeError as error:
            problem = str(error)
        del client
        gc.collect()
    assert problem is None


# --- Connections


def test_polls_share_one_connection(raw_client, server):
    for _ in range(5):
        poll(raw_client)
    assert [request.connection for request in server.requests] == [1] * 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_refusal_leaves_the_connection_in_use(status, raw_client, server):
    server.script.append(answer(status, {"error": "x"}))
    failure(poll, raw_client)
    poll(raw_client)
    assert [request.connection for request in server.requests] == [1, 1]


def test_a_closed_client_says_so_and_closes_again(client_kind, mock_portal):
    source = Source([mock_portal.issue_token()], mock_portal.url)
    client = client_kind.client(source)
    read(client)
    client.close()
    client.close()
    for call in CALLS.values():
        error = failure(call, client)
        assert (type(error), error.error, error.outcome_unknown) == (nb.BillingInvalidRequest, "client_closed", False)
    assert len(mock_portal.requests) == 1


def test_a_client_that_was_never_used_closes(client_kind):
    client_kind.client(StaticToken("t")).close()


def test_leaving_the_block_closes_the_client(client_kind, server):
    with client_kind.client(StaticToken("t"), base_url=server.url) as client:
        poll(client)
    assert server.hung_up(1)
    assert failure(poll, client).error == "client_closed"


# --- An HTTP client of the caller's


def test_a_given_http_client_is_used_and_not_closed(client_kind, mock_portal):
    http = client_kind.http_client()
    token = mock_portal.issue_token()
    first = client_kind.client(StaticToken(token), base_url=mock_portal.url, http_client=http)
    read(first)
    first.close()
    assert not http.is_closed
    assert failure(read, first).error == "client_closed"
    second = client_kind.client(StaticToken(token), base_url=mock_portal.url, http_client=http)
    assert charge(second).charge_id


def test_a_given_http_client_that_was_closed_is_a_typed_error(client_kind, server):
    http = client_kind.http_client()
    client = client_kind.client(StaticToken("t"), base_url=server.url, http_client=http)
    client_kind.run(http.aclose() if client_kind.is_async else http.close())
    error = failure(charge, client)
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "client_closed")
    assert server.connections == 0


def test_the_deadline_holds_for_a_given_http_client(client_kind, mock_portal):
    http = client_kind.http_client(timeout=None)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, http_client=http)
    for fault in (Fault.stall(), Fault.drip(0.03, "body")):
        mock_portal.inject(fault, "post_charge")
        started = time.monotonic()
        error = failure(charge, client, timeout=0.5)
        assert time.monotonic() - started < 0.95
        assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, True)


def test_a_given_http_client_that_cannot_connect_has_sent_nothing(client_kind):
    with RawServer() as gone:
        url = gone.url
    client = client_kind.client(StaticToken("t"), base_url=url, http_client=client_kind.http_client())
    error = failure(charge, client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)


def test_a_mock_transport_serves(client_kind):
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(202, json={"chargeId": "ch_1"})

    http = client_kind.http_client(transport=httpx.MockTransport(handler))
    client = client_kind.client(StaticToken("token-1"), base_url="https://portal.test", http_client=http)
    assert charge(client).charge_id == "ch_1"
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://portal.test/api/billing/charge")
    assert request.headers["idempotency-key"] == KEY
    assert request.content == b'{"amountUsd":50.25}'
