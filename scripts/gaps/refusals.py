"""Error statuses, error codes and their fields that the facade's exceptions lack."""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

import nous_billing
from nous_billing.errors import BillingError
from nous_billing.mock.replies import names_json
from nous_billing.protocol.error_codes import CLASSES, REFUSALS, statuses
from nous_billing.protocol.failures import FAILS_CLOSED
from scripts.document import Json

from .annotations import NotReadError, check_name, field
from .contract import Contract, Gap, place, snake_case

_TABLE_FILE = "nous_billing/protocol/error_codes.py"
_ERRORS_FILE = "nous_billing/errors.py"
_FAILURES_FILE = "nous_billing/protocol/failures.py"
_FAILED = HTTPStatus.INTERNAL_SERVER_ERROR
# What is nothing of these may be anything: the page of a proxy, too.
_SAYS_WHAT = {"type", "properties", "allOf", "anyOf", "oneOf"}
_NO_CODE = (
    "{} answers {} without a code. Give each code a schema of its own under components/schemas, "
    "with error: {{const: the_code}}."
)
# What every error has of its body, each a text, and what it has that is not of its body.
_OF_ALL = {"error", "message", "portal_url", "code", "actor", "recovery"}
_NOT_OF_THE_BODY = {*inspect.signature(BillingError).parameters, *dir(BillingError)} - _OF_ALL


def gaps(contract: Contract) -> Iterator[Gap]:
    found: dict[str, tuple[set[str], set[int]]] = {}
    for operation_id, operation in contract.operations.items():
        for status, media_type, body in contract.bodies(operation):
            if HTTPStatus.BAD_REQUEST <= status < _FAILED and status not in CLASSES:
                yield Gap(place(_TABLE_FILE, "CLASSES"), f"{operation_id} answers {status}. Say which class that is.")
            here = contract.resolved(body)
            code = contract.resolved(here.get("properties", {}).get("error", {})).get("const")
            if contract.name_of(body) and isinstance(code, str):
                names, statuses_of = found.setdefault(code, (set(), set()))
                names.add(contract.name_of(body))
                statuses_of.add(status)
            elif status >= HTTPStatus.BAD_REQUEST and _must_have_a_code(status, media_type, here):
                yield Gap(contract.place(operation_id), _NO_CODE.format(operation_id, status))
    for code, (names, at) in found.items():
        yield from _code(contract, code, tuple(sorted(at)), sorted(names))
    for code in set(REFUSALS) - set(found):
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f"The contract has no error {code}. Take its row out.")


def _must_have_a_code(status: int, media_type: str, body: Json) -> bool:
    """Whether a body is one that says why. Of a 4xx without a code nobody knows whether it is the portal's."""
    if names_json(media_type):
        return bool(_SAYS_WHAT & set(body))
    return status < _FAILED


def _kind(contract: Contract, key: str, part: Json) -> str:
    """The annotation of a field that is the code's own; empty for what every error has."""
    check_name(key)
    kind, name = field(contract, part, required=False).partition(" = ")[0], snake_case(key)
    if name in _NOT_OF_THE_BODY:
        raise NotReadError(f"a name that every error has for something else ({name})")
    if name not in _OF_ALL:
        return kind
    if not kind.startswith(("str", "PortalUrl", "Literal['")):
        raise NotReadError(f"{kind}, where every error has a text")
    return ""


def _code(contract: Contract, code: str, at: tuple[int, ...], schemas: list[str]) -> Iterator[Gap]:
    own: dict[str, str] = {}
    for schema in schemas:
        for key, part in contract.resolved(contract.schemas[schema])["properties"].items():
            try:
                kind = _kind(contract, key, part)
                if kind and own.setdefault(snake_case(key), kind) != kind:
                    raise NotReadError(f"{kind}, and {own[snake_case(key)]} in another schema of {code}")
            except NotReadError as refused:
                yield Gap(contract.place(schema, key), f"{schema}.{key} is {refused}, which the facade does not read.")
    if HTTPStatus.SERVICE_UNAVAILABLE in at and code not in FAILS_CLOSED:
        text = f"After {code} a charge counts as unknown. Add it, if its description promises that nothing was done."
        yield Gap(place(_FAILURES_FILE, "FAILS_CLOSED"), text)
    if untrusted := [status for status in at if status >= _FAILED and status != HTTPStatus.SERVICE_UNAVAILABLE]:
        text = f"{code} comes with {untrusted[0]}, at which the facade trusts no code. A refusal has a 4xx or 503."
        yield Gap(contract.place(schemas[0]), text)
    shown = at[0] if len(at) == 1 else at
    if code not in REFUSALS:
        name = f"Billing{re.sub(r'[^A-Za-z0-9]', '', code.title())}"
        base = next((CLASSES[status] for status in at if status in CLASSES), BillingError).__name__
        lines = [f"class {name}({base}): with a docstring", *(f"{each}: {kind} = None" for each, kind in own.items())]
        where = place(_ERRORS_FILE, base)
        # Not in the file of BillingError, from which errors.py takes that class only.
        where = where if where.startswith(_ERRORS_FILE) else _ERRORS_FILE
        unless = f". There is a {name}: give the new one another name, unless it is that" * (
            name in nous_billing.__all__
        )
        yield Gap(where, f"There is no class for {code}. Add: {', '.join(lines)}{unless}")
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f'Add: "{code}": ({shown}, errors.{name}, "A sentence."),')
        return
    cls = REFUSALS[code][1]
    if tuple(sorted(statuses(code))) != at:
        text = f"{code} comes with {' and '.join(map(str, at))}. Write {shown} in the place of {REFUSALS[code][0]}."
        yield Gap(place(_TABLE_FILE, "REFUSALS"), text)
    if own and Counter(row[1] for row in REFUSALS.values())[cls] > 1:
        yield Gap(place(_ERRORS_FILE, cls.__name__), f"{code} has {', '.join(own)}. Give it a class of its own.")
        return
    given = {name: kind for base in cls.__mro__ for name, kind in vars(base).get("__annotations__", {}).items()}
    for each, kind in own.items():
        if given.get(each) != kind:
            is_there = f" in the place of {each}: {given[each]}" if each in given else ""
            yield Gap(place(_ERRORS_FILE, cls.__name__), f"{cls.__name__}: add {each}: {kind} = None{is_there}")
    for each in set(cls.__annotations__ if "__annotations__" in vars(cls) else ()) - set(own):
        yield Gap(place(_ERRORS_FILE, cls.__name__), f"The contract has no {each} of {code}. Take it out.")
