"""What the facade sends is what the generated client's public functions send: method, address, headers, body."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from nous_portal_api.api.billing import get_billing_state, get_charge_status, patch_auto_top_up, post_charge
from nous_portal_api.client import AuthenticatedClient
from nous_portal_api.models import AutoTopUpRequest, ChargeRequest

import nous_billing as nb

from .sockets.raw_server import RawServer, answer

TOKEN = "token-1"
KEY = "7f2c1b9e-3d54-4c8a-9a51-0f6f1f2f7a10"
COMPARED = ("host", "authorization", "content-type", "idempotency-key")
REPLY = answer(
    200,
    {
        "org": {"id": "org_1", "slug": "acme", "name": "Acme", "role": "OWNER"},
        "balanceUsd": "142.5",
        "cliBillingEnabled": True,
        "chargePresets": ["100"],
        "bounds": {"minUsd": "10", "maxUsd": "10000"},
        "card": None,
        "monthlyCap": None,
        "autoReload": None,
        "ok": True,
        "chargeId": "ch_1",
        "status": "pending",
    },
)
CHARGE_IDS = ["ch_3PqXyZ", "a/b", "a?b#c", "%2e", "%2e%2e", "a%2Fb", "a+b", "a&b=c", "...", "~", "a;b,c"]
CHARGE_IDS += ["\"'<>", "a\\b", "a:@b", "!$()*[]|^`{}"]


# The operation, the facade's arguments, the generated function's arguments.
SENT: list[tuple[str, dict[str, Any], Any, dict[str, Any]]] = [
    ("get_billing_state", {}, get_billing_state, {}),
    *(("get_charge_status", {"charge_id": each}, get_charge_status, {"charge_id": each}) for each in CHARGE_IDS),
    *(
        (
            "post_charge",
            {"amount_usd": amount, "idempotency_key": key},
            post_charge,
            {"body": ChargeRequest(amount_usd=float(amount)), "idempotency_key": key},
        )
        for amount, key in [("50", KEY), ("50.25", "!"), ("0.01", "~" * 255), ("1000000", "a:b,c"), ("19.99", "%20")]
    ),
    *(
        (
            "patch_auto_top_up",
            {"enabled": enabled, "threshold": threshold, "top_up_amount": amount},
            patch_auto_top_up,
            {"body": AutoTopUpRequest(enabled=enabled, threshold=float(threshold), top_up_amount=float(amount))},
        )
        for enabled, threshold, amount in [(True, "20", "100.5"), (False, "0.01", "99999.99")]
    ),
]
IDS = [f"{sent[0]} {' '.join(str(value)[:20] for value in sent[1].values())}" for sent in SENT]


def from_facade(kind, url, operation, arguments):
    if kind == "sync":
        with nb.BillingClient(nb.StaticToken(TOKEN), base_url=url) as client:
            getattr(client, operation)(**arguments)
        return

    async def main():
        async with nb.AsyncBillingClient(nb.StaticToken(TOKEN), base_url=url) as client:
            await getattr(client, operation)(**arguments)

    asyncio.run(main())


def from_generated(kind, url, endpoint, arguments):
    client = AuthenticatedClient(base_url=url, token=TOKEN)
    if kind == "sync":
        with client:
            endpoint.sync_detailed(client=client, **arguments)
        return

    async def main():
        async with client:
            await endpoint.asyncio_detailed(client=client, **arguments)

    asyncio.run(main())


def body_of(request):
    return json.loads(request.body, parse_float=Decimal, parse_int=Decimal) if request.body else None


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("operation", "given", "endpoint", "generated"), SENT, ids=IDS)
def test_the_facade_sends_what_the_generated_client_sends(kind, operation, given, endpoint, generated, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with RawServer(REPLY) as server:
        from_facade(kind, server.url, operation, given)
        from_generated(kind, server.url, endpoint, generated)
    ours, theirs = server.requests
    assert (ours.method, ours.target) == (theirs.method, theirs.target)
    for name in COMPARED:
        assert ours.headers.get(name) == theirs.headers.get(name)
    assert ours.headers["authorization"] == f"Bearer {TOKEN}"
    assert body_of(ours) == body_of(theirs)
    # The rest is the HTTP library's, or the facade's own and no part of the contract.
    rest = {"accept", "accept-encoding", "connection", "content-length", "user-agent"}
    assert set(ours.headers) - rest == set(theirs.headers) - rest


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("charge_id", [".", "..", "\u00fc", "a b"])
def test_an_id_that_would_arrive_as_another_is_refused(kind, charge_id):
    with RawServer(REPLY) as server:
        with pytest.raises(nb.BillingInvalidRequest) as caught:
            from_facade(kind, server.url, "get_charge_status", {"charge_id": charge_id})
        assert caught.value.error == "invalid_charge_id"
    assert server.connections == 0


def test_every_operation_is_compared():
    assert {sent[0] for sent in SENT} == {"get_billing_state", "patch_auto_top_up", "post_charge", "get_charge_status"}
