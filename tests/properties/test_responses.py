"""The facade holds what the portal sent: every reply that the contract allows, as a result or as its typed error."""

import dataclasses
import json
import re
import time
from datetime import datetime
from decimal import Decimal
from urllib.parse import urljoin

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing._printable import printable, printable_value
from tests.documented import CALLS, CHANGING, returns
from tests.registry import RAISES
from tests.sockets.raw_server import RawServer, answer
from tests.typed import is_typed

from . import contract
from .reached import FACADE


def decoded(text):
    return json.loads(text, parse_float=Decimal)


def camel(name):
    return re.sub("_(.)", lambda match: match[1].upper(), name.rstrip("_"))


def assert_holds(result, sent, base_url):
    """Each attribute of a result is what the reply had, digit for digit; what it lacked is None."""
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name == "headers":
            # They are of the reply, not of its body.
            assert isinstance(value, nb.ReplyHeaders)
        elif field.name == "raw":
            assert value == sent
        elif field.type.startswith("tuple[PortalUrl"):
            for link, named in zip(value or (), sent.get(camel(field.name)) or (), strict=True):
                assert_is_link(link, named, base_url, otherwise=None)
        elif field.type.startswith("PortalUrl |"):
            assert_is_link(value, sent.get(camel(field.name)), base_url, otherwise=None)
        elif field.type == "PortalUrl":
            link = sent.get(camel(field.name))
            assert_is_link(value or "", link, base_url, otherwise=f"{base_url}/billing?topup=open")
        else:
            key = camel(field.name)
            # An id is exact; what is for a person can be printed.
            shown = str if field.name == "id" or key.endswith("Id") else printable_value
            assert_equals(value, sent.get(key), base_url, shown)


def assert_equals(value, sent, base_url, shown=printable_value):
    if dataclasses.is_dataclass(value):
        assert_holds(value, sent, base_url)
    elif isinstance(value, Decimal):
        assert isinstance(sent, str)
        assert value.as_tuple() == Decimal(sent).as_tuple()
    elif isinstance(value, tuple):
        assert len(value) == len(sent)
        for one, other in zip(value, sent, strict=True):
            assert_equals(one, other, base_url, shown)
    elif isinstance(value, dict):
        assert value.keys() == sent.keys()
        for key, inner in value.items():
            assert_equals(inner, sent[key], base_url, shown)
    elif isinstance(value, datetime):
        assert value.utcoffset() is not None
        assert value == datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", sent))
    elif type(value) is int:
        # In JSON 3.0 is a whole number, too.
        assert value == sent
    else:
        assert (type(value), value) == (type(sent), shown(sent) if isinstance(sent, str) else sent)


def assert_is_link(link, sent, base_url, otherwise):
    """Absolute, to the address that the reply named, or what stands in where it named none that is safe to open."""
    assert link in (otherwise, urljoin(f"{base_url}/", (sent or "").strip()))
    assert link is None or re.match(r"https?://[^/@\\]+([/?#]|$)", link)


def assert_is_refusal(error, operation, status, reply, base_url):
    """The error is of its status and code, and has all that the reply said."""
    body = decoded(reply.body) if reply.media_type == "application/json" else None
    said = body if isinstance(body, dict) else {}
    code = said.get("error") if isinstance(said.get("error"), str) and said["error"].strip() else None
    assert type(error) is (nb.BillingServerError if status in (500, 502, 504) else RAISES[code])
    assert (error.status, error.error, error.payload) == (status, code and printable_value(code), said)
    assert error.outcome_unknown is (operation in CHANGING and status in (500, 502, 504))
    for name in ("code", "actor", "recovery"):
        assert getattr(error, name) == (printable_value(said[name]) if isinstance(said.get(name), str) else None)
    if isinstance(said.get("message"), str):
        assert str(error).startswith(printable(said["message"]) if printable(said["message"]).strip() else "")
    assert str(error).strip()
    assert_is_link(
        error.portal_url, said.get("portalUrl") if isinstance(said.get("portalUrl"), str) else "", base_url, None
    )
    retry_after = reply.headers.get("Retry-After")
    if retry_after is None:
        assert error.retry_after is None
    elif retry_after.isdecimal():
        assert error.retry_after == int(retry_after)
    else:
        wait = datetime.strptime(f"{retry_after[:-3]}+0000", "%a, %d %b %Y %H:%M:%S %z").timestamp() - time.time()
        assert max(wait, 0) <= error.retry_after <= max(wait, 0) + 10
    if status == 403 and code == "monthly_cap_exceeded":
        assert error.remaining_usd.as_tuple() == Decimal(said["remainingUsd"]).as_tuple()
        assert error.is_default_ceiling is said["isDefaultCeiling"]


@pytest.mark.parametrize(("operation", "status", "schema"), contract.REPLIES)
def test_every_documented_reply_becomes_what_it_says(operation, status, schema, both_kinds, for_all, record_property):
    with RawServer() as server:
        clients = [kind.client(StaticToken("token-1"), base_url=server.url, timeout=5) for kind in both_kinds]
        reached = []

        def read(reply):
            for client in clients:
                asked = len(server.requests)
                server.script.append(answer(status, reply.body, reply.headers, content_type=reply.media_type))
                try:
                    result = CALLS[operation](client)
                except nb.BillingError as error:
                    assert_is_refusal(error, operation, status, reply, server.url)
                else:
                    assert is_typed(result, returns(operation))
                    if result is not None:
                        assert_equals(result, decoded(reply.body), server.url)
                assert len(server.requests) == asked + 1
            reached.append(reply)

        for_all(read, contract.replies_of(operation, status, schema), share=0.15)
        record_property("reached", (FACADE, operation, status, len(reached)))
