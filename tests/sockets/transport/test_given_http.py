"""Replies through an HTTP client of the caller's: the same results and typed errors."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

import nous_billing as nb
from nous_billing import StaticToken
from tests.sockets.harness import charge, failure, poll
from tests.sockets.raw_server import Answer, answer

ACCEPTED = answer(202, {"chargeId": "ch_1"})


@pytest.fixture
def given(client_kind, server):
    """A client that was given its HTTP client."""
    http = client_kind.http_client()
    return client_kind.client(StaticToken("t"), base_url=server.url, http_client=http, timeout=5)


def test_a_reply_of_several_chunks_is_read(given, server):
    body = b'{"chargeId":"ch_1"' + b" " * 200_000 + b"}"
    server.script.append(answer(202, body))
    assert charge(given).charge_id == "ch_1"


def test_a_reply_that_is_too_large_is_refused(given, server):
    server.script.append(answer(202, b" " * (1024 * 1024 + 1)))
    error = failure(charge, given)
    assert (type(error), error.outcome_unknown) == (nb.BillingResponseError, True)


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_reply_that_breaks_off_in_its_body_is_a_typed_error(then, given, server):
    server.script.append(Answer(ACCEPTED.data[:-4], then))
    error = failure(charge, given)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, True)


def test_a_date_of_the_portal_is_reckoned_from_when_the_reply_came(given, server):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.script.append(answer(429, {"error": "rate_limited"}, {"Retry-After": date}))
    assert 60 < failure(poll, given).retry_after <= 100


def test_a_reply_that_stalls_in_its_body_ends_at_the_deadline(given, server):
    server.script.append(Answer(ACCEPTED.data[:-4], "hold"))
    error = failure(charge, given, timeout=0.5)
    assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, True)


def test_a_deadline_that_passes_while_a_body_comes_ends_the_call(client_kind, server):
    def linger(response):
        time.sleep(0.6)

    async def alinger(response):
        await asyncio.sleep(0.6)

    http = client_kind.http_client(event_hooks={"response": [alinger if client_kind.is_async else linger]})
    client = client_kind.client(StaticToken("t"), base_url=server.url, http_client=http, timeout=0.5)
    server.script.append(ACCEPTED)
    error = failure(charge, client)
    assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, True)


def test_a_transport_of_the_callers_is_told_how_long_it_has(client_kind):
    told = []

    def handler(request):
        told.append(request.extensions["timeout"])
        return httpx.Response(202, json={"chargeId": "ch_1"})

    http = client_kind.http_client(transport=httpx.MockTransport(handler))
    client = client_kind.client(StaticToken("t"), base_url="https://portal.test", http_client=http, timeout=5)
    charge(client)
    assert set(told[0]) == {"connect", "read", "write", "pool"}
    assert all(0 < seconds <= 5 for seconds in told[0].values())


def test_an_http_client_that_was_given_stays_open(client_kind, server):
    http = client_kind.http_client()
    client = client_kind.client(StaticToken("t"), base_url=server.url, http_client=http)
    client.close()
    client.awaited._driver._given.close() if client_kind.is_async else client._driver._given.close()
    assert not http.is_closed
