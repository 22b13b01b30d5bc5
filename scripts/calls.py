"""Call each operation of the contract once on the mock, with the contract's own examples, and check each reply."""

import json
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

from nous_billing.mock import ContractViolation, MockPortal, Reply
from nous_billing.mock.contract import Operation
from nous_billing.mock.openapi import operations, resolve
from nous_billing.mock.replies import names_json
from scripts.changes import CONTRACT
from scripts.document import Json, load


def example(document: Json, entry: Json) -> Any:
    """The first example of a parameter, a media type or a schema. Raises LookupError where there is none."""
    entry = resolve(document, entry)
    if "example" in entry:
        return entry["example"]
    if examples := entry.get("examples"):
        return examples[0] if isinstance(examples, list) else resolve(document, next(iter(examples.values())))["value"]
    for inner in (entry.get("schema"), *entry.get("anyOf", []), *entry.get("oneOf", [])):
        if inner:
            with suppress(LookupError):
                return example(document, inner)
    if "items" in entry:
        return [example(document, entry["items"])]
    raise LookupError(entry.get("name", "its body"))


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def arguments(document: Json, operation: Operation) -> Json:
    """The arguments of an HTTP client for a call with all parameters."""
    entry = document["paths"][operation.path][operation.method.lower()]
    made: Json = {"method": operation.method, "url": operation.path, "headers": {}, "params": {}}
    for parameter in (resolve(document, each) for each in entry.get("parameters", [])):
        name, value = parameter["name"], example(document, parameter)
        if parameter["in"] == "path":
            made["url"] = made["url"].replace(f"{{{name}}}", quote(as_text(value), safe=""))
        elif parameter["in"] == "header":
            made["headers"][name] = as_text(value)
        else:
            made["params"][name] = [as_text(each) for each in (value if isinstance(value, list) else [value])]
    if operation.body:
        made["json"] = example(document, resolve(document, entry["requestBody"])["content"]["application/json"])
    return made


def check_replies(document: Json, operation: Operation) -> None:
    """Raise ContractViolation for a reply that lacks an example. The tests answer with these examples."""
    entry = document["paths"][operation.path][operation.method.lower()]
    for status, reply in entry["responses"].items():
        answer = resolve(document, reply)
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {"example": None})
        parts = [("its schema", each) for each in resolve(document, schema).get("anyOf", [schema])]
        parts += [(f"its header {name}", header) for name, header in answer.get("headers", {}).items()]
        for what, part in parts:
            try:
                example(document, part)
            except LookupError as missing:
                raise ContractViolation(
                    f"{operation.id} answers {status} without an example in {what}. Add there: example: ..."
                ) from missing


def call(document: Json, operation: Operation) -> int:
    """The status of a success that the contract allows. Raises ContractViolation for anything else."""
    check_replies(document, operation)
    try:
        made = arguments(document, operation)
    except LookupError as missing:
        raise ContractViolation(f"{operation.id} has no example of {missing.args[0]}. Give it one.") from missing
    # A portal for each: the examples share one idempotency key.
    portal = MockPortal()
    made["headers"]["Authorization"] = f"Bearer {portal.issue_token()}"
    with portal.serve() as url, httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.request(**made)
    if not answer.is_success:
        raise ContractViolation(f"{operation.id} answered {answer.status_code}: {answer.text}")
    media_type = answer.headers.get("content-type")
    body = answer.json() if media_type and names_json(media_type) else answer.content
    operation.check_reply(Reply(answer.status_code, body, answer.headers, media_type))
    return answer.status_code


def main() -> None:
    """Print a line for each operation. Fails when one of them does."""
    document, failed = load(CONTRACT), False
    try:
        # Says once what the mock lacks.
        MockPortal()
        for operation in operations(document):
            try:
                print(f"{operation.id}: {operation.method} {operation.path} {call(document, operation)}")
            except ContractViolation as violation:
                print(violation)
                failed = True
    except ContractViolation as violation:
        sys.exit(str(violation))
    sys.exit(failed)


if __name__ == "__main__":
    main()
