"""Operations and arguments of the contract that the facade and the mock lack."""

import inspect
from collections.abc import Iterator

from nous_billing import AsyncBillingClient, BillingClient
from nous_billing.mock import MockPortal
from nous_billing.mock.ledger import FAILURES
from nous_billing.protocol import operations

from .contract import Contract, Gap, Json, place, snake_case

OPERATIONS_FILE = "nous_billing/protocol/operations.py"
_CLIENT_FILE = "nous_billing/client.py"
_ASYNC_CLIENT_FILE = "nous_billing/async_client.py"


def gaps(contract: Contract) -> Iterator[Gap]:
    for name, operation in contract.operations.items():
        yield from (
            Gap(contract.place(name), f"{name} has {kind}, which the facade does not send.")
            for kind in _not_sent(contract, operation)
        )
        for holder, where in (
            (operations, OPERATIONS_FILE),
            (BillingClient, place(_CLIENT_FILE, "BillingClient")),
            (AsyncBillingClient, place(_ASYNC_CLIENT_FILE, "AsyncBillingClient")),
        ):
            function = getattr(holder, name, None)
            if function is None:
                yield Gap(where, f"{holder.__name__} has no {name}. Add it.")
                continue
            taken = set(inspect.signature(function).parameters)
            for argument in {snake_case(each) for each in _arguments(contract, operation)} - taken:
                yield Gap(where, f"{name} does not take {argument}. Add it.")
        if not hasattr(MockPortal, name):
            yield Gap("nous_billing/mock/billing.py", f"The mock has no handler {name}. Add it.")
    for name, value in vars(operations).items():
        ours = inspect.isfunction(value) and value.__module__ == operations.__name__ and not name.startswith("_")
        if ours and name not in contract.operations:
            yield Gap(place(OPERATIONS_FILE, name), f"The contract has no operation {name}. Take it out.")
    reasons = contract.schemas["ChargeFailed"]["properties"]["reason"]["anyOf"][0]["enum"]
    for reason in set(reasons) - set(FAILURES.values()):
        yield Gap(
            place("nous_billing/mock/ledger.py", "FAILURES"), f"The mock has no card that ends in {reason}. Add one."
        )


def _arguments(contract: Contract, operation: Json) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        yield contract.resolved(parameter)["name"]
    content = contract.resolved(operation.get("requestBody", {})).get("content", {})
    for body in contract.alternatives(content.get(operations.JSON, {}).get("schema", {})):
        properties = contract.resolved(body).get("properties", {}).items()
        # A constant is for the facade to say, not for its caller.
        yield from (name for name, part in properties if "const" not in contract.resolved(part))


def _not_sent(contract: Contract, operation: Json) -> Iterator[str]:
    """What an operation of the facade would not carry."""
    for parameter in (contract.resolved(each) for each in operation.get("parameters", [])):
        if parameter["in"] == "cookie":
            yield f"the cookie {parameter['name']}"
        if {"style", "explode", "content"} & set(parameter) or contract.resolved(parameter["schema"]).get(
            "type"
        ) == "object":
            yield f"the parameter {parameter['name']} in a form of its own"
    for media_type in contract.resolved(operation.get("requestBody", {})).get("content", {}):
        if media_type != operations.JSON:
            yield f"a body of {media_type}"
