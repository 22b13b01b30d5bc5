"""Error statuses, error codes and their fields that the facade's exceptions lack."""

import inspect
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from nous_billing.errors import BillingError
from nous_billing.protocol.error_codes import CLASSES, REFUSALS

from .contract import OPERATIONS, Gap, Json, annotation, bodies, place, resolved, snake_case

_TABLE_FILE = "nous_billing/protocol/error_codes.py"
_ERRORS_FILE = "nous_billing/errors.py"
# What every error carries.
_OF_ALL = {*inspect.signature(BillingError).parameters, *vars(BillingError)}


def gaps() -> Iterator[Gap]:
    found: set[str] = set()
    for operation_id, operation in OPERATIONS.items():
        for status, body in bodies(operation):
            if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in CLASSES:
                yield Gap(place(_TABLE_FILE, "CLASSES"), f"{operation_id} answers {status}. Say which class that is.")
            properties = resolved(body).get("properties", {})
            code = properties.get("error", {}).get("const")
            if code is not None:
                found.add(code)
                yield from _code(code, status, properties)
    for code in set(REFUSALS) - found:
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f"The contract has no error {code}. Take its row out.")


def _code(code: str, status: int, properties: Json) -> Iterator[Gap]:
    fields = {snake_case(key): annotation(schema, required=False) for key, schema in properties.items()}
    own = {field: kind for field, kind in fields.items() if field not in _OF_ALL}
    if code not in REFUSALS:
        name = f"Billing{code.title().replace('_', '')}"
        base = CLASSES.get(status, BillingError).__name__
        lines = [f"class {name}({base}): with a docstring", *(f"{field}: {kind} = None" for field, kind in own.items())]
        yield Gap(place(_ERRORS_FILE, base), f"There is no class for {code}. Add: {', '.join(lines)}")
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f'Add: "{code}": ({status}, errors.{name}, "A sentence."),')
        return
    known_status, cls, _ = REFUSALS[code]
    if known_status != status:
        yield Gap(place(_TABLE_FILE, "REFUSALS"), f"{code} comes with {status}. Its row says {known_status}.")
    if own and Counter(row[1] for row in REFUSALS.values())[cls] > 1:
        yield Gap(place(_ERRORS_FILE, cls.__name__), f"{code} has {', '.join(own)}. Give it a class of its own.")
        return
    given = {name: kind for base in cls.__mro__ for name, kind in vars(base).get("__annotations__", {}).items()}
    for field, kind in own.items():
        if given.get(field) != kind:
            is_there = f" in the place of {field}: {given[field]}" if field in given else ""
            yield Gap(place(_ERRORS_FILE, cls.__name__), f"{cls.__name__}: add {field}: {kind} = None{is_there}")
    for field in set(cls.__annotations__ if "__annotations__" in vars(cls) else ()) - set(own):
        yield Gap(place(_ERRORS_FILE, cls.__name__), f"The contract has no {field} of {code}. Take it out.")
