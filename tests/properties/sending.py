"""The facade, called as a person would, and whether what it sent is what the contract asks for."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

import httpx

import nous_billing as nb
from nous_billing.mock.openapi import load_document, operations
from nous_billing.mock.replies import Request
from tests.documented import PLACES, validator
from tests.plain import NO_ROOTS

AMOUNT = validator({"$ref": "#/components/schemas/AmountUsd"})
KEY = validator({"$ref": "#/components/parameters/IdempotencyKey/schema"})
CHARGE_ID = validator({"$ref": "#/components/schemas/ChargeId"})
PARAMETERS = {each.id: each.parameters for each in operations(load_document())}


class Recording(httpx.HTTPTransport):
    """Keeps the reply that crossed the wire."""

    def handle_request(self, request):
        self.reply = super().handle_request(request)
        self.reply.read()
        self.reply.request = request
        # The HTTP library notes it when a reply is closed, which this one is before that.
        self.reply.elapsed = timedelta()
        return self.reply


class Facade:
    """A client of a rig's portal that keeps the reply which crossed the wire."""

    def __init__(self, rig):
        self._rig = rig
        self._transport = Recording(verify=NO_ROOTS)
        self._http = httpx.Client(transport=self._transport)

    @property
    def reply(self):
        return self._transport.reply

    def call(self, operation, arguments):
        """Call a method for the rig's person, and return its result or its error."""
        self._rig.portal.requests.clear()
        client = nb.BillingClient(
            nb.StaticToken(self._rig.token), base_url=self._rig.portal.url, http_client=self._http
        )
        try:
            return getattr(client, operation)(**arguments)
        except nb.BillingError as error:
            return error

    def close(self):
        self._http.close()


def refused(outcome):
    """Whether the facade itself refused, and sent nothing."""
    return isinstance(outcome, nb.BillingInvalidRequest) and outcome.status is None


def assert_within_the_contract(request, operation):
    """What crossed the wire is a request that the contract allows."""
    path, method, documented = PLACES[operation]
    sent, _, query = request.path.partition("?")
    in_path = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)), sent)
    assert request.method == method
    assert in_path
    arrived = Request(
        base_url="",
        path_params={name: unquote(value) for name, value in in_path.groupdict().items()},
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=request.headers,
        body=request.body,
    )
    for parameter in PARAMETERS[operation]:
        texts = parameter.texts(arrived)
        assert texts or not parameter.required
        if texts:
            parameter.schema.read(texts)
    assert {name for name, _ in arrived.query} <= {each.name for each in PARAMETERS[operation] if each.place == "query"}
    if "requestBody" not in documented:
        assert request.body == b""
        return
    media_type, content = next(iter(documented["requestBody"]["content"].items()))
    assert request.headers["content-type"] == media_type
    validator(content["schema"]).validate(decoded(request.body))


def decoded(body):
    return json.loads(body, parse_float=Decimal)
