"""Operations and arguments of the contract that the facade and the mock lack."""

import inspect
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from nous_billing import BILLING_MANAGE_SCOPE, AsyncBillingClient, BillingClient
from nous_billing.auth.oauth import LOGIN_SCOPE
from nous_billing.mock import MockPortal
from nous_billing.mock.contract import IDEMPOTENCY_KEY
from nous_billing.mock.ledger import FAILURES
from nous_billing.protocol import operations
from scripts.document import Json

from .annotations import NotReadError, check_plain
from .arguments import arguments, body, parameters, taken_otherwise
from .contract import OF_GENERATED, Contract, Gap, place, snake_case

OPERATIONS_FILE = "nous_billing/protocol/operations.py"
_CLIENT_FILE = "nous_billing/client.py"
_ASYNC_CLIENT_FILE = "nous_billing/async_client.py"
# What every method takes beside the arguments of its operation, and the names that a request has inside.
_OF_EVERY_METHOD = {"self", "timeout", "headers"}
# What a client compares with the login before it sends a change, and does not send.
_COMPARED = {"organisation_id"}
_TAKEN = {*_OF_EVERY_METHOD, *OF_GENERATED, "body", "params", "cookies", "client"}
_SOMETHING_ELSE = "something other than this operation. Give the operation another operationId."
# What a login asks for by itself.
_SCOPES = (LOGIN_SCOPE, BILLING_MANAGE_SCOPE)
# What says who asks, for what, and how a request is framed. No caller gives it.
_SET_BY_THE_SDK = {"accept", "authorization", "content-length", "content-type", "cookie", "host", "user-agent"}


def gaps(contract: Contract) -> Iterator[Gap]:
    yield from (Gap(contract.place(path), text) for path, text in contract.misplaced())
    for name, operation in contract.operations.items():
        yield from (Gap(contract.place(name), text) for text in _unusable(contract, name, operation))
        yield from (
            Gap(contract.place(name), f"{name} has {kind}, which the facade does not send.")
            for kind in _not_sent(contract, operation)
        )
        yield from (
            Gap(contract.place(name), f"{name} links to {target}, which the contract does not have.")
            for target in _broken_links(contract, operation)
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
            if not is_operation(function) and (holder is operations or name not in vars(operations)):
                yield Gap(contract.place(name), f"{holder.__name__}.{name} is {_SOMETHING_ELSE}")
                continue
            taken = set(inspect.signature(function).parameters) - _OF_EVERY_METHOD
            said = arguments(contract, operation)
            for argument in said.keys() - taken:
                yield Gap(where, f"{name} does not take {argument}. Add it.")
            for argument in taken - said.keys() - (set() if holder is operations else _COMPARED):
                yield Gap(where, f"The contract has no {argument} of {name}. Take it out.")
            for text in taken_otherwise(contract, function, said):
                yield Gap(where, f"{name} takes {text}")
        if not hasattr(MockPortal, name):
            yield Gap("nous_billing/mock/billing.py", f"The mock has no handler {name}. Add it.")
        elif not hasattr(getattr(MockPortal, name), "gates"):
            yield Gap(contract.place(name), f"MockPortal.{name} is no @handler, or {_SOMETHING_ELSE}")
    for name, value in vars(operations).items():
        if is_operation(value) and not name.startswith("_") and name not in contract.operations:
            yield Gap(place(OPERATIONS_FILE, name), f"The contract has no operation {name}. Take it out.")
    failed = contract.schemas.get("ChargeFailed", {}).get("properties", {})
    kinds = map(contract.resolved, contract.alternatives(failed.get("reason", {})))
    for reason in {reason for kind in kinds for reason in kind.get("enum", [])} - set(FAILURES.values()):
        yield Gap(
            place("nous_billing/mock/ledger.py", "FAILURES"), f"The mock has no card that ends in {reason}. Add one."
        )


def is_operation(value: object) -> bool:
    """Whether something in the module of operations is a function of it."""
    return inspect.isfunction(value) and value.__module__ == operations.__name__


def _unusable(contract: Contract, name: str, operation: Json) -> Iterator[str]:
    """What the facade, the mock and the tests would not find by its name."""
    if not name.isidentifier() or snake_case(name) != name:
        example = snake_case(name) if snake_case(name).isidentifier() else "get_balance"
        yield f"{name} is no name for a method. Give it an operationId such as {example}."
    tags = operation.get("tags", [])
    if len(tags) != 1 or not tags[0].isidentifier() or tags[0].lower() != tags[0]:
        yield f"{name} has {tags or 'no tag'}. Give it one tag, a word in lower case such as billing."
    for status in operation["responses"]:
        if not status.isdecimal():
            yield f"{name} answers {status}. Name each status."
        elif int(status) < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= int(status) < HTTPStatus.BAD_REQUEST:
            yield f"{name} answers {status}, which the facade does not follow. Take it out: a reply is 2xx, 4xx or 5xx."
    for scope in contract.scopes(operation):
        if scope not in _SCOPES:
            yield f"{name} requires the scope {scope}, which no login asks for. Name {' or '.join(_SCOPES)}."


def _broken_links(contract: Contract, operation: Json) -> Iterator[str]:
    """The operations, and the parameters of operations, that links of its replies name and that are not there."""
    replies = map(contract.resolved, operation["responses"].values())
    for link in [contract.resolved(link) for reply in replies for link in reply.get("links", {}).values()]:
        target = str(link.get("operationId") or link.get("operationRef"))
        if target not in contract.operations:
            yield target
            continue
        known = {parameter["name"] for parameter in parameters(contract, contract.operations[target])}
        # It may say where the parameter is: path.chargeId.
        yield from (
            f"{each} of {target}" for each in link.get("parameters", {}) if each.rpartition(".")[2] not in known
        )


def _not_sent(contract: Contract, operation: Json) -> Iterator[str]:
    """What an operation of the facade would not carry."""
    taken = parameters(contract, operation)
    schema, bodies = body(contract, operation)
    for parameter in taken:
        yield from _parameter_not_sent(contract, parameter)
    for media_type in contract.resolved(operation.get("requestBody", {})).get("content", {}):
        if media_type != operations.JSON:
            yield f"a body of {media_type}"
    try:
        check_plain(contract, schema)
    except NotReadError as kind:
        yield f"a body of {kind}"
    for each in bodies:
        if "properties" not in each or isinstance(each.get("additionalProperties"), dict):
            yield "a body other than an object with named fields"
    of_bodies = {key for each in bodies for key in each.get("properties", {})}
    names = Counter(map(snake_case, [*(parameter["name"] for parameter in taken), *of_bodies]))
    for name, times in names.items():
        if not name.isidentifier() or name in _TAKEN:
            yield f"{name}, which can be no argument of a method"
        if times > 1:
            yield f"{name} in {times} places"


def _parameter_not_sent(contract: Contract, parameter: Json) -> Iterator[str]:
    name, place_, lower = parameter["name"], parameter["in"], parameter["name"].lower()
    types = {str(contract.resolved(each).get("type")) for each in contract.alternatives(parameter.get("schema", {}))}
    if place_ == "cookie":
        yield f"the cookie {name}"
    if {"style", "explode", "content"} & set(parameter) or "object" in types:
        yield f"the parameter {name} in a form of its own"
    if place_ == "path" and "boolean" in types:
        yield f"true or false in the path ({name})"
    if place_ == "header" and lower in _SET_BY_THE_SDK:
        yield f"the header {name} as a parameter, which the SDK sets itself"
    is_key = lower.replace("_", "-") == IDEMPOTENCY_KEY.lower()
    if is_key and (name != IDEMPOTENCY_KEY or place_ != "header" or not parameter.get("required")):
        yield f"an idempotency key other than a required header {IDEMPOTENCY_KEY}"
