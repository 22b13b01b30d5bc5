"""From a request to its handler: the gates, then the contract, then what the portal does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from . import gates
from .contract import IDEMPOTENCY_KEY, ContractViolation, Operation
from .gates import Gate
from .organisations import Organisation, Person
from .replies import Reply, Request
from .tokens import AccessToken, Tokens

Respond = Callable[[Request], Reply]
Handler = TypeVar("Handler", bound=Callable[..., Reply])


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that passed the gates and that the contract allows.

    `parameters` are the declared ones that were sent, by name; `body` is the decoded JSON, or None where the operation
    takes none. Numbers are `int` and `Decimal`.
    """

    operation: str
    token: AccessToken
    parameters: Mapping[str, Any]
    body: Any

    @property
    def person(self) -> Person:
        """Whose token it is."""
        return self.token.session.person

    @property
    def organisation(self) -> Organisation:
        """The organisation of the token."""
        return self.person.organisation

    @property
    def key(self) -> str:
        """The idempotency key."""
        key: str = self.parameters[IDEMPOTENCY_KEY]
        return key

    def once(self, act: Callable[[], Reply], check: Callable[[], None] | None = None) -> Reply:
        """Act once for the idempotency key, see `KeyMemory.once`."""
        others = {name: value for name, value in self.parameters.items() if name != IDEMPOTENCY_KEY}
        return self.organisation.keys.once(self.key, (self.operation, others, self.body), act, check)


def handler(*checks: Gate) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of the operation with its name, behind these gates.

    The mock always checks the token and its scope first, then these gates in their order, then the parameters and the
    body. The method gets a `Call` and returns a `Reply`, or raises a `Refusal`.
    """

    def mark(function: Handler) -> Handler:
        function.__dict__["gates"] = checks
        return function

    return mark


def bind(portal: object, contract: Iterable[Operation], tokens: Tokens) -> list[tuple[Operation, Respond]]:
    """Each operation with its handler among the portal's methods. Raises ContractViolation where one has none."""
    operations = {operation.id: operation for operation in contract}
    marked: dict[str, tuple[Gate, ...]] = {
        name: value.gates
        for base in reversed(type(portal).__mro__)
        for name, value in vars(base).items()
        if hasattr(value, "gates")
    }
    if marked.keys() != operations.keys():
        raise ContractViolation(
            f"Operations without a handler: {sorted(operations.keys() - marked.keys())}. "
            f"Handlers without an operation: {sorted(marked.keys() - operations.keys())}."
        )
    return [
        (operation, partial(_respond, operation, getattr(portal, name), marked[name], tokens))
        for name, operation in operations.items()
    ]


def _respond(
    operation: Operation,
    handle: Callable[[Call], Reply],
    checks: tuple[Gate, ...],
    tokens: Tokens,
    request: Request,
) -> Reply:
    token = gates.authenticate(request, tokens)
    gates.scope(token, operation.scopes)
    for check in checks:
        check(token)
    parameters, body = operation.read(request)
    return handle(Call(operation=operation.id, token=token, parameters=parameters, body=body))
