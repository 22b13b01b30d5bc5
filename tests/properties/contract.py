"""Strategies for what the contract allows, and for what it does not: requests, and the replies of every pair."""

import json
from dataclasses import dataclass

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from nous_billing.mock.openapi import resolve
from tests.documented import DOCUMENT, PAIRS, PLACES, json_of

CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "database": "none", "with-security-parameters": False},
    "phases": {"stateful": {"inference": {"algorithms": []}}},
    # Whatever the id looks like, it is unknown and its charge pending.
    "operations": [
        {
            "include-operation-id": "get_charge_status",
            "checks": {"negative_data_rejection": {"expected-statuses": [200]}},
        }
    ],
}
PAGE = "a page"
UNNAMED = "unnamed"
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict(CONFIG))


# Of the checks, those that ask whether a reply is one of the contract's, whatever it was that was asked.
CONFORMANCE = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def requests(operation, mode=GenerationMode.POSITIVE):
    """Requests of an operation, as cases of schemathesis."""
    path, method, _ = PLACES[operation]
    return SCHEMA[path][method].as_strategy(generation_mode=mode)


@dataclass(frozen=True)
class Documented:
    """A reply: its body, media type and headers."""

    body: bytes
    media_type: str
    headers: dict[str, str]


def replies(operation, status, mode=GenerationMode.POSITIVE):
    """JSON of a pair, within its schemas or, in the negative mode, just outside."""
    return _MIRROR[_mirrored(operation, status)]["POST"].as_strategy(generation_mode=mode).map(_as_reply)


def replies_of(operation, status, name):
    """Replies of a pair by the one of its schemas that has this name: left to chance, some of them never come."""
    if name == PAGE:
        return st.text().map(_as_page)
    return _MIRROR[_mirrored(operation, status, name)]["POST"].as_strategy().map(_as_reply)


def _as_page(text):
    return Documented(text.encode(), "text/html", {})


def _as_reply(case):
    headers = {name: str(value) for name, value in case.query.items()}
    # Just outside the schema lies what is no JSON, and nothing at all.
    if isinstance(case.body, NotSet):
        body = b""
    else:
        body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    return Documented(body, "application/json", headers)


def _answer(operation, status):
    return resolve(DOCUMENT, PLACES[operation][2]["responses"][str(status)])


def _schemas(operation, status):
    """By name, the schemas of which a body of the pair has one."""
    for media_type, content in _answer(operation, status).get("content", {}).items():
        if media_type == "text/html":
            yield PAGE, None
        else:
            for schema in resolve(DOCUMENT, content["schema"]).get("anyOf", [content["schema"]]):
                yield schema.get("$ref", UNNAMED).rpartition("/")[2], schema


def _mirrored(operation, status, name="any"):
    return f"/{operation}/{status}/{name}"


def _mirror(operation, status, schema):
    """A request whose body is the pair's reply and whose query its headers: from replies nothing is generated."""
    headers = {
        name: resolve(DOCUMENT, header) for name, header in _answer(operation, status).get("headers", {}).items()
    }
    return {
        "post": {
            "parameters": [
                {"name": name, "in": "query", "required": header["required"], "schema": header["schema"]}
                for name, header in headers.items()
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "Never sent."}},
        }
    }


# An operation, a status and the name of one of the schemas that its body may have.
REPLIES = [(*pair, name) for pair in PAIRS for name, _ in _schemas(*pair)]
_MIRROR = schemathesis.openapi.from_dict(
    {
        "openapi": DOCUMENT["openapi"],
        "info": DOCUMENT["info"],
        "paths": {
            _mirrored(*pair, name): _mirror(*pair, schema)
            for pair in PAIRS
            if json_of(*pair)
            for name, schema in [
                ("any", json_of(*pair)["schema"]),
                *((name, schema) for name, schema in _schemas(*pair) if name != PAGE),
            ]
        },
        "components": DOCUMENT["components"],
    },
    config=SchemathesisConfig.from_dict(CONFIG),
)
