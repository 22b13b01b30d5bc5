"""The rules of an exchange with the portal, written once and without I/O.

A flow is a generator. It yields steps (``Resolve``, ``Send``, ``Sleep``, ``RunBlocking``, ``CallUser``) and is sent the
result of each. The drivers of the two clients perform the steps. ``answer = yield from Send(...)`` is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Generic, Protocol, TypeAlias, TypeVar, cast

from .._secrets import reveal
from ..clock import BaseClock
from ..credentials import Credentials
from ..errors import (
    BillingAuthError,
    BillingError,
    BillingSessionRevoked,
)
from ..portal import DEFAULT_PORTAL_BASE_URL, check_base_url, environment_base_url
from .decoding import ContractBreach
from .failures import error_from_failure, error_from_reply, response_error
from .operations import JSON, Operation
from .replies import Failure, Reply, decode_json

T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resolve:
    """Get credentials: ``Credentials`` or a ``Failure``. The portal has just refused ``rejected``, if it is given."""

    deadline: float
    rejected: Credentials | None = None

    def __iter__(self) -> Flow[Credentials | Failure]:
        return cast("Credentials | Failure", (yield self))


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request once: a ``Reply`` or a ``Failure``.

    ``deadline`` is on the client's monotonic clock. ``latest``, in seconds since 1970, is the time after which no byte
    may leave: on most systems the monotonic clock stops while the machine sleeps. ``attempt`` counts from 1 how often
    the request was sent. ``headers`` are those that the caller or an observer adds.
    """

    operation: Operation[object]
    base_url: str
    credentials: Credentials | None
    deadline: float
    latest: float = inf
    attempt: int = field(default=1, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)

    def __iter__(self) -> Flow[Reply | Failure]:
        return cast("Reply | Failure", (yield self))


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait."""

    seconds: float

    def __iter__(self) -> Flow[None]:
        yield self


@dataclass(frozen=True, slots=True)
class RunBlocking(Generic[T_co]):
    """Run blocking work, such as writing a file, without blocking an event loop. Returns what the work returns."""

    work: Callable[[], T_co]

    def __iter__(self) -> Flow[T_co]:
        return cast("T_co", (yield self))


@dataclass(frozen=True, slots=True)
class CallUser:
    """Call a function of the caller, and await what it returns if that is awaitable.

    ``changes_login``: whether it may change the login, so that the credentials must be resolved again.
    """

    question: Callable[[], object]
    changes_login: bool = True

    def __iter__(self) -> Flow[object]:
        return (yield self)


_LONGEST_NAP = 0.25
# A year: systems refuse to sleep much longer, and a reply can ask for that.
_LONGEST_SLEEP = 31_536_000.0

Step: TypeAlias = Resolve | Send | Sleep | RunBlocking[object] | CallUser
Flow: TypeAlias = Generator[Step, object, T]


class SendAuthenticated(Protocol):
    """Performs an operation with the token, the base URL and the deadline of an exchange."""

    def __call__(self, operation: Operation[R], /) -> Flow[R]: ...


BeforeSend = Callable[[Credentials, str, SendAuthenticated], Flow[None]]
"""Checks the credentials and the base URL before a request is sent. Raises if it must not be sent."""


def exchange(
    operation: Operation[T],
    *,
    base_url: str | None,
    deadline: float,
    latest: float = inf,
    before_send: BeforeSend | None = None,
    attempts_before: int = 0,
) -> Flow[T]:
    """Perform one operation: get a token, send the request, retry once after a 401, return the result.

    Args:
        base_url: The caller's own base URL, checked; it takes precedence over every other.
        deadline: On the client's monotonic clock, for the whole exchange.
        latest: Seconds since 1970 after which nothing may be sent.
        before_send: Called before each request. Its own requests belong to the exchange.
        attempts_before: How often the same request was sent before.
    """
    # A reply about money must not be lost because something cannot be loaded any more.
    try:
        operation.load_result()
    except ImportError as error:
        raise error_from_failure(Failure("the program is ending", sent=False, cause=error), operation) from error
    credentials = yield from _resolve(operation, deadline)
    may_resend = may_replace_token = True
    attempts = {operation.path: attempts_before}

    def send(operation: Operation[R]) -> Flow[R]:
        nonlocal may_resend
        while True:
            attempt = attempts[operation.path] = attempts.get(operation.path, 0) + 1
            answer = yield from Send(operation, chosen_url, credentials, deadline, latest, attempt)
            if isinstance(answer, Reply):
                return _result(answer, operation, chosen_url)
            # Only a read may be resent without telling the caller.
            if not (answer.stale and may_resend and operation.is_read):
                raise error_from_failure(answer, operation)
            may_resend = False

    while True:
        chosen_url = _choose_base_url(base_url, credentials)
        try:
            if before_send is not None:
                yield from before_send(credentials, chosen_url, send)
            return (yield from send(operation))
        except BillingAuthError as error:
            refusal = error
        if refusal.status != 401 or isinstance(refusal, BillingSessionRevoked) or not may_replace_token:
            raise refusal
        may_replace_token = False
        replacement = yield from _resolve(operation, deadline, rejected=credentials)
        if replacement.secret == credentials.secret:
            raise refusal
        credentials = replacement


def pause_until(moment: float, clock: BaseClock, check_cancelled: Callable[[], Flow[None] | None] | None) -> Flow[None]:
    """Sleep until a moment of the monotonic clock. Checks for cancellation every quarter of a second."""
    while (left := moment - clock.monotonic()) > 0:
        checking = None if check_cancelled is None else check_cancelled()
        if checking is not None:
            yield from checking
        yield from Sleep(min(left, _LONGEST_SLEEP if check_cancelled is None else _LONGEST_NAP))


def _resolve(operation: Operation[object], deadline: float, rejected: Credentials | None = None) -> Flow[Credentials]:
    answer = yield from Resolve(deadline, rejected)
    if isinstance(answer, Failure):
        raise error_from_failure(answer, operation)
    return answer


def _choose_base_url(base_url: str | None, credentials: Credentials) -> str:
    """The first of: the caller's base URL, the environment's, the credentials' own, the default."""
    address = base_url or environment_base_url()
    if address is None and credentials.portal_base_url is not None:
        address = check_base_url(credentials.portal_base_url, "The portal URL of the credentials")
    return address or DEFAULT_PORTAL_BASE_URL


def _result(reply: Reply, operation: Operation[T], base_url: str) -> T:
    if not reply.ok:
        raise error_from_reply(reply, base_url, operation)
    if reply.failure is not None:
        # There is a status, so the request arrived.
        raise error_from_failure(replace(reply.failure, sent=True), operation, reply.headers)
    if reply.unreadable is not None:
        raise response_error(reply, operation, "invalid_response", f"The portal's reply {reply.unreadable}.")
    payload: object = None
    try:
        if operation.accept != JSON:
            if _media_type(reply) != operation.accept:
                raise _no_api(reply, operation)
            return operation.read_body(reveal(reply.body))
        payload = _decoded(reply, operation)
        return operation.read(payload, base_url, reply.headers)
    except ContractBreach as breach:
        message = f"The portal's reply does not match the API contract ({breach})."
        raise response_error(reply, operation, "invalid_response", message, payload) from None


def _decoded(reply: Reply, operation: Operation[object]) -> object:
    try:
        # As Hermes's former billing module did: an empty body is an empty object.
        return decode_json(reply.body) if reveal(reply.body).strip() else {}
    except ValueError:
        if "json" in _media_type(reply):
            raise response_error(
                reply, operation, "invalid_response", "The portal's reply is not valid JSON."
            ) from None
        raise _no_api(reply, operation) from None


def _media_type(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _no_api(reply: Reply, operation: Operation[object]) -> BillingError:
    return response_error(
        reply,
        operation,
        "endpoint_unavailable",
        "Something other than the billing API answered, such as a web page. Check the base URL.",
    )
