"""The contract's operations: the requests that they take, and the replies that they allow.

`openapi` reads them from the OpenAPI document. Nothing else in the mock states a route, a method, a schema or a scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator

from .parameters import Invalid, Parameter, TextSchema, check, decode_json
from .replies import Refusal, Reply, Request

IDEMPOTENCY_KEY = "Idempotency-Key"


class ContractViolation(Exception):
    """The mock broke the contract by a reply, or cannot keep it: it lacks a handler, or a way to check something."""


@dataclass(frozen=True)
class Body:
    """The JSON body of a request."""

    required: bool
    validator: Draft202012Validator


@dataclass(frozen=True)
class Header:
    """A header of a reply."""

    required: bool
    schema: TextSchema


@dataclass(frozen=True)
class Answer:
    """What a reply with one status may contain. Without `content` it has no body."""

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
    body: Body | None
    answers: Mapping[int, Answer]

    def read(self, request: Request) -> tuple[dict[str, Any], Any]:
        """The parameters by name and the decoded body. Numbers are `int` and `Decimal`.

        Raises Refusal with status 400 for a request that the contract does not allow.
        """
        parameters: dict[str, Any] = {}
        for parameter in self.parameters:
            texts = parameter.texts(request)
            if parameter.name == IDEMPOTENCY_KEY and parameter.required and not "".join(texts).strip():
                raise Refusal(400, "idempotency_key_required", "The header Idempotency-Key is missing or blank.")
            if texts:
                parameters[parameter.name] = self._value(parameter, texts)
            elif parameter.required:
                raise _invalid(f"{parameter.name} is missing.")
        return parameters, self._read_body(request)

    def _value(self, parameter: Parameter, texts: list[str]) -> Any:
        try:
            return parameter.schema.read(texts)
        except Invalid as problem:
            # The handler answers as to any unknown id where the contract has no 400.
            if parameter.place == "path" and 400 not in self.answers:
                return texts[0]
            raise _invalid(f"{parameter.name}: {problem}") from problem

    def _read_body(self, request: Request) -> Any:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.body is None or not (self.body.required or request.body or media_type):
            return None
        if media_type != "application/json":
            raise _invalid("The body must be sent as application/json.")
        try:
            body = decode_json(request.body.decode())
        except ValueError as error:
            raise _invalid("The body is not JSON.") from error
        try:
            check(self.body.validator, body)
        except Invalid as problem:
            raise _invalid(str(problem)) from problem
        return body

    def check_reply(self, reply: Reply) -> None:
        """Raise ContractViolation for a reply that the contract does not allow."""
        said = f"{self.id} answered {reply.status}"
        answer = self.answers.get(reply.status)
        if answer is None:
            raise ContractViolation(f"{said}, which the contract does not declare.")
        if reply.media_type is not None or answer.content:
            self._check_body(said, answer, reply)
        sent = {name.lower(): value for name, value in reply.headers.items()}
        for name, header in answer.headers.items():
            value = sent.get(name.lower())
            try:
                if value is not None:
                    header.schema.read([value])
                elif header.required:
                    raise ContractViolation(f"{said} without the header {name}.")
            except Invalid as problem:
                raise ContractViolation(f"{said} with a wrong header {name}: {problem}") from problem

    def _check_body(self, said: str, answer: Answer, reply: Reply) -> None:
        if reply.media_type is None:
            raise ContractViolation(f"{said} without a body. The contract declares {', '.join(answer.content)}.")
        validator = answer.content.get(reply.media_type.partition(";")[0])
        if validator is None:
            raise ContractViolation(f"{said} with {reply.media_type}, which the contract does not declare.")
        # Check the bytes that are sent, not the objects that they were made from.
        text = reply.encoded().decode(errors="replace")
        try:
            check(validator, decode_json(text) if reply.is_json else text)
        except Invalid as problem:
            raise ContractViolation(f"{said} with a body that breaks the contract: {problem}") from problem


def _invalid(message: str) -> Refusal:
    return Refusal(400, "validation_failed", message)
