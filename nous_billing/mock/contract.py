"""The contract's operations: what they take, and what they may answer.

They are read from the OpenAPI document, see `openapi`. Nothing about routes, methods, schemas or scopes is written down
elsewhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jsonschema_rs import Draft202012Validator

from .replies import Call, Refusal, Reply


class ContractViolation(Exception):
    """The mock itself broke the contract: by a reply that it does not allow, or by a handler too many or too few."""


@dataclass(frozen=True)
class Parameter:
    """A header or path parameter."""

    name: str
    place: str
    required: bool
    validator: Draft202012Validator


@dataclass(frozen=True)
class Header:
    """A header of a reply."""

    required: bool
    validator: Draft202012Validator


@dataclass(frozen=True)
class Answer:
    """What may be answered with one status."""

    content: Mapping[str, Draft202012Validator]
    headers: Mapping[str, Header]


@dataclass(frozen=True)
class Operation:
    """One operation of the contract."""

    id: str
    method: str
    path: str
    scopes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Draft202012Validator | None
    answers: Mapping[int, Answer]

    def check_parameters(self, call: Call) -> None:
        """Refuse a call whose parameters the contract does not allow."""
        for parameter in self.parameters:
            source = call.headers if parameter.place == "header" else call.path_params
            value = source.get(parameter.name.lower() if parameter.place == "header" else parameter.name)
            if value is None:
                if parameter.required:
                    raise _invalid(f"{parameter.name} is missing.")
            elif problem := _problem(parameter.validator, value):
                raise _invalid(f"{parameter.name}: {problem}")

    def read_body(self, call: Call) -> Any:
        """The decoded body, or a refusal of one that the contract does not allow. Numbers are `int` and `Decimal`."""
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _invalid("The body must be sent as application/json.")
        try:
            body = json.loads(call.body.decode(), parse_float=Decimal)
        # Besides what is not JSON: an integer of thousands of digits, an exponent of twenty, brackets without an end.
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise _invalid("The body is not JSON.") from error
        if self.body and (problem := _problem(self.body, body)):
            raise _invalid(problem)
        return body

    def check_reply(self, reply: Reply) -> None:
        """Raise ContractViolation for a reply that the contract does not allow."""
        answer = self.answers.get(reply.status)
        if answer is None:
            raise ContractViolation(f"{self.id} answered {reply.status}, which the contract does not declare.")
        said = f"{self.id} answered {reply.status}"
        validator = answer.content.get(reply.media_type.partition(";")[0])
        if validator is None:
            raise ContractViolation(f"{said} with {reply.media_type}, which the contract does not declare.")
        # What is checked is what goes over the wire, not what the handler holds in its hands.
        text = reply.encoded().decode()
        body = json.loads(text, parse_float=Decimal) if reply.media_type == "application/json" else text
        if problem := _problem(validator, body):
            raise ContractViolation(f"{said} with a body that breaks the contract: {problem}")
        sent = {name.lower(): value for name, value in reply.headers.items()}
        for name, header in answer.headers.items():
            value = sent.get(name.lower())
            if value is None:
                if header.required:
                    raise ContractViolation(f"{said} without the header {name}.")
            elif problem := _problem(header.validator, int(value) if value.isdecimal() else value):
                raise ContractViolation(f"{said} with a wrong header {name}: {problem}")


def _problem(validator: Draft202012Validator, value: Any) -> str | None:
    try:
        error = next(iter(validator.iter_errors(value)), None)
    except ValueError:
        # A lone surrogate, which JSON can escape and UTF-8 cannot write.
        return "A text is no Unicode."
    if error is None:
        return None
    place = ".".join(str(step) for step in error.instance_path)
    return f"{place}: {error.message[:200]}." if place else f"{error.message[:200]}."


def _invalid(message: str) -> Refusal:
    return Refusal(400, "validation_failed", message)
