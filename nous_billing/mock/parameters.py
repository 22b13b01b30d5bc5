"""Values that arrive as text: the parameters of a request, and the headers of a reply."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from .replies import Request

_JSON_TYPES: dict[type, set[str]] = {
    bool: {"boolean"},
    int: {"integer", "number"},
    float: {"number"},
    Decimal: {"number"},
    str: {"string"},
    NoneType: {"null"},
}
_WRONG_TYPE = ValidationErrorKind.Type


class Invalid(ValueError):
    """A value that its schema does not allow. The message is a sentence."""


@dataclass(frozen=True)
class TextSchema:
    """The schema of a value that arrives as text, or, for an array, as several texts.

    `types` are the JSON types that it may have; those of its items, where `is_array`.
    """

    types: frozenset[str]
    is_array: bool
    validator: Draft202012Validator

    def read(self, texts: Sequence[str]) -> Any:
        """The value, valid by the schema. Raises Invalid."""
        if len(texts) > 1 and not self.is_array:
            raise Invalid("It is given more than once.")
        values = [self._value(text) for text in texts]
        value = values if self.is_array else values[0]
        check(self.validator, value)
        return value

    def _value(self, text: str) -> Any:
        try:
            value: object = decode_json(text)
        except ValueError:
            return text
        # Quotation marks in a text are part of it.
        return text if isinstance(value, str) or not self.types & json_types(value) else value


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation. `place` is `path`, `query` or `header`."""

    name: str
    place: str
    required: bool
    schema: TextSchema

    def texts(self, request: Request) -> list[str]:
        """What the request says for it, which may be nothing."""
        if self.place == "query":
            return [value for name, value in request.query if name == self.name]
        source = request.headers if self.place == "header" else request.path_params
        value = source.get(self.name.lower() if self.place == "header" else self.name)
        return [] if value is None else [value]


def json_types(value: object) -> set[str]:
    """The types that JSON Schema has for a value, `object` for an object and for an array."""
    return _JSON_TYPES.get(type(value), {"object"})


def decode_json(text: str) -> Any:
    """Decoded JSON, with numbers as `int` and `Decimal`. Raises ValueError."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    # Besides what is not JSON: an exponent of twenty digits, brackets without an end.
    except (ArithmeticError, RecursionError) as error:
        raise ValueError("This is not JSON.") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")


def check(validator: Draft202012Validator, value: Any) -> None:
    """Raise Invalid for a value that the schema does not allow."""
    try:
        # JSON can escape a lone surrogate, and UTF-8 cannot encode it.
        json.dumps(value, ensure_ascii=False, default=str).encode()
        error = next(iter(validator.iter_errors(value)), None)
    except UnicodeError as failure:
        raise Invalid("A text is not Unicode.") from failure
    except (RecursionError, ValueError) as failure:
        raise Invalid("This cannot be written as JSON, such as a list that contains itself.") from failure
    if error is not None:
        error = _closest(error)
        place = ".".join(str(step) for step in error.instance_path)
        raise Invalid(f"{place}: {error.message[:200]}." if place else f"{error.message[:200]}.")


def _closest(error: ValidationError) -> ValidationError:
    """The error of the alternative that the value was probably meant for, where each of several was tried."""
    while isinstance(error.kind, ValidationErrorKind.AnyOf):
        tried = [each for errors in error.kind.context for each in errors]
        error = max(tried, key=lambda each: (len(each.instance_path), not isinstance(each.kind, _WRONG_TYPE)))
    return error
