"""Error statuses, error codes and their fields that the facade's exceptions lack."""

import inspect
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from nous_billing.errors import BillingError
from nous_billing.protocol.error_codes import CLASSES, REFUSALS, statuses

from .annotations import NotReadError, check_name, field
from .contract import Contract, Gap, Json, name_of, place, snake_case

_TABLE_FILE = "nous_billing/protocol/error_codes.py"
_ERRORS_FILE = "nous_billing/errors.py"
# What every error carries.
_OF_ALL = {*inspect.signature(BillingError).parameters, *vars(BillingError)}


def gaps(contract: Contract) -> Iterator[Gap]:
    found: dict[str, tuple[str, Json, set[int]]] = {}
    for operation_id, operation in contract.operations.items():
        for status, _, body in contract.bodies(operation):
            if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in CLASSES:
                yield Gap(place(_TABLE_FILE, "CLASSES"), f"{operation_id} answers {status}. Say which class that is.")
            properties = contract.resolved(body).get("properties", {})
            code = properties.get("error", {}).get("const")
            if code is not None:
                found.setdefault(code, (name_of(body), properties, set()))[2].add(status)
    for code, (name, properties, at) in found.items():
        yield from _code(contract, code, tuple(sorted(at)), name, properties)
    for code in set(REFUSALS) - set(found):
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f"The contract has no error {code}. Take its row out.")


def _code(contract: Contract, code: str, at: tuple[int, ...], schema: str, properties: Json) -> Iterator[Gap]:
    own: dict[str, str] = {}
    for key, part in properties.items():
        try:
            check_name(key)
            if snake_case(key) not in _OF_ALL:
                own[snake_case(key)] = field(contract, part, required=False).partition(" = ")[0]
        except NotReadError as refused:
            yield Gap(contract.place(schema, key), f"{schema}.{key} is {refused}, which the facade does not read.")
    shown = at[0] if len(at) == 1 else at
    if code not in REFUSALS:
        name = f"Billing{code.title().replace('_', '')}"
        base = next((CLASSES[status] for status in at if status in CLASSES), BillingError).__name__
        lines = [f"class {name}({base}): with a docstring", *(f"{each}: {kind} = None" for each, kind in own.items())]
        yield Gap(place(_ERRORS_FILE, base), f"There is no class for {code}. Add: {', '.join(lines)}")
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
