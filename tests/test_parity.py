"""What the facade sends is what the generated client's public functions send: method, address, headers, body."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from nous_portal_api import models
from nous_portal_api.client import AuthenticatedClient

import nous_billing as nb
from nous_billing.mock.openapi import resolve

from .documented import DOCUMENT, OPERATIONS, PLACES, body_schemas, snake, success
from .plain import NO_ROOTS
from .registry import ENTRIES, KEY
from .sockets.raw_server import RawServer, answer

TOKEN = "token-1"
COMPARED = ("host", "authorization", "content-type", "idempotency-key")
CHARGE_IDS = ["ch_3PqXyZ", "a/b", "a?b#c", "%2e", "%2e%2e", "a%2Fb", "a+b", "a&b=c", "...", "~", "a;b,c"]
CHARGE_IDS += ["\"'<>", "a\\b", "a:@b", "!$()*[]|^`{}"]


# The operation, and the arguments of the facade's method.
SENT: list[tuple[str, Mapping[str, Any]]] = [
    *((operation, ENTRIES[operation].arguments) for operation in OPERATIONS),
    *(("get_charge_status", {"charge_id": each}) for each in CHARGE_IDS),
    *(
        ("post_charge", {"amount_usd": amount, "idempotency_key": key})
        for amount, key in [("50", KEY), ("50.25", "!"), ("0.01", "~" * 255), ("1000000", "a:b,c"), ("19.99", "%20")]
    ),
    ("set_pending_subscription_change", {"subscription_type_id": None}),
    ("patch_auto_top_up", {"enabled": False, "threshold": "0.01", "top_up_amount": "99999.99"}),
]
SCHEMAS = DOCUMENT["components"]["schemas"]
# The schemas whose example has every property, and an object inside.
NESTING = [
    name
    for name, schema in SCHEMAS.items()
    if "properties" in schema
    and schema["properties"].keys() == schema["example"].keys()
    and any(isinstance(value, dict) for value in schema["example"].values())
]
IDS = [f"{sent[0]} {' '.join(str(value)[:20] for value in sent[1].values())}" for sent in SENT]


def to_generated(operation, arguments):
    """What the generated functions are to be given: the body as its model, numbers as floats."""
    schemas = body_schemas(operation)
    if not schemas:
        return arguments
    given = {name: value for name, value in arguments.items() if value is not None}
    # Of several bodies it is the first that takes them.
    schema = next(
        schema
        for schema in schemas
        if {name for name, each in properties(schema).items() if "const" not in each} <= set(given)
    )
    model = getattr(models, schema["$ref"].rpartition("/")[2])
    body = {}
    for wire_name, each in resolve(DOCUMENT, schema)["properties"].items():
        if "const" in each:
            body[wire_name] = each["const"]
        elif snake(wire_name) in given:
            body[wire_name] = to_wire(given.pop(snake(wire_name)), resolve(DOCUMENT, each))
    # It makes classes of the objects and maps in the body.
    return {**given, "body": model.from_dict(body)}


def to_wire(value, schema):
    if schema.get("type") == "number":
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def properties(schema):
    return {snake(name): each for name, each in resolve(DOCUMENT, schema)["properties"].items()}


def from_facade(kind, url, operation, arguments):
    if kind == "sync":
        with nb.BillingClient(nb.StaticToken(TOKEN), base_url=url) as client:
            getattr(client, operation)(**arguments)
        return

    async def main():
        async with nb.AsyncBillingClient(nb.StaticToken(TOKEN), base_url=url) as client:
            await getattr(client, operation)(**arguments)

    asyncio.run(main())


def from_generated(kind, url, operation, arguments):
    endpoint = import_module(f"nous_portal_api.api.{PLACES[operation][2]['tags'][0]}.{operation}")
    arguments = to_generated(operation, arguments)
    client = AuthenticatedClient(base_url=url, token=TOKEN, verify_ssl=NO_ROOTS)
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


@pytest.mark.parametrize("name", NESTING)
def test_objects_inside_a_body_become_those_of_the_generated_model(name, monkeypatch):
    monkeypatch.setattr("tests.test_parity.body_schemas", lambda operation: [{"$ref": f"#/components/schemas/{name}"}])
    example = SCHEMAS[name]["example"]
    given = to_generated("any", {snake(key): value for key, value in example.items()})
    assert given["body"].to_dict() == example


def test_a_moment_in_a_body_is_text():
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    assert to_wire(moment, {"type": "string", "format": "date-time"}) == "2026-01-31T00:00:00+00:00"


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("operation", "given"), SENT, ids=IDS)
def test_the_facade_sends_what_the_generated_client_sends(kind, operation, given, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with RawServer(answer(*success(operation))) as server:
        from_facade(kind, server.url, operation, given)
        from_generated(kind, server.url, operation, given)
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
    with RawServer() as server:
        with pytest.raises(nb.BillingInvalidRequest) as caught:
            from_facade(kind, server.url, "get_charge_status", {"charge_id": charge_id})
        assert caught.value.error == "invalid_charge_id"
    assert server.connections == 0
