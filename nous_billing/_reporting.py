"""Tells of events. One event becomes the log record and what the observer is given, here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import fields
from decimal import Decimal
from inspect import iscoroutinefunction
from itertools import count
from threading import local
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._arguments import discard, wrong_type
from ._printable import printable_value
from .errors import BillingError, BillingInvalidRequest

if TYPE_CHECKING:
    from .events import Event, Observer

E = TypeVar("E", bound="Event")
T = TypeVar("T")

LOGGER = logging.getLogger("nous_billing")
LOGGER.addHandler(logging.NullHandler())

_numbers = count(1)
_current: ContextVar[Call | None] = ContextVar("nous_billing_call", default=None)


class Listener:
    """A client's observer, if it has one. What that raises changes nothing.

    Raises:
        BillingInvalidRequest: It cannot be called, or would have to be awaited (``error="invalid_observer"``).
    """

    def __init__(self, observer: Observer | None) -> None:
        self.observer: Observer | None = observer
        try:
            # Looked up once: a property that fails does so here.
            self._request_headers: Any = getattr(observer, "request_headers", None)
        except Exception as error:
            raise _refused(f"observer has request_headers that cannot be read ({type(error).__name__}).") from error
        if observer is not None and not callable(observer):
            raise wrong_type("observer", "a function of one event", observer, "invalid_observer")
        if iscoroutinefunction(observer) or iscoroutinefunction(getattr(type(observer), "__call__", None)):  # noqa: B004
            raise _refused("observer is not awaited: pass a plain function, which may put events into a queue.")
        self._has_failed = False
        self._telling = local()

    @property
    def sends_headers(self) -> bool:
        return self._request_headers is not None

    def tell(self, event: Event) -> None:
        self._ask(cast("Observer", self.observer), event)

    def request_headers(self, event: Event) -> object:
        """Return what the observer wants to send with a request."""
        return None if self._request_headers is None else self._ask(self._request_headers, event)

    def _ask(self, function: Callable[..., object], event: Event) -> object:
        if getattr(self._telling, "now", False):
            # It uses the client itself. Told of that it would do so again, without end.
            return None
        self._telling.now = True
        try:
            answer = function(event)
            if isinstance(answer, Awaitable):
                discard(cast("object", answer))
                raise TypeError("an observer is not awaited")
        except Exception:  # noqa: BLE001 - whatever it raises must not change what is said about money
            self.note_failure()
            return None
        finally:
            self._telling.now = False
        return answer

    def note_failure(self) -> None:
        if not self._has_failed:
            self._has_failed = True
            sentence = "The observer failed. No call is changed by it, and its next failures are not logged."
            log(logging.ERROR, sentence, exc_info=True)


Broken = Callable[[BaseException], "Callable[[int], Event] | None"]


def _refused(reason: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(reason, error="invalid_observer")


class Call:
    """A call of a method of a client."""

    def __init__(self, listener: Listener) -> None:
        self.number = next(_numbers)
        self.listener = listener
        self.broken: Broken | None = None


@contextmanager
def in_call(listener: Listener | None) -> Generator[None]:
    """Give all events from here on one number, and this listener. None: those of the call that needs this one."""
    if listener is None:
        yield
        return
    call = Call(listener)
    before = _current.set(call)
    error: str | None = None
    try:
        yield
    except BaseException as raised:
        error = type(raised).__name__
        make = None if call.broken is None or isinstance(raised, BillingError) else call.broken(raised)
        if make is not None:
            emit(make, call=call)
        raise
    finally:
        # Inside the call still, so that what the observer does belongs to it.
        try:
            emit(event_maker("CallEnded", error=error), None, call)
        finally:
            # A task that is thrown away, as with its event loop, ends in the context of who does so.
            with suppress(ValueError):
                _current.reset(before)


def if_broken(broken: Broken | None) -> None:
    """Set what makes the event to tell of when the call that runs ends with an exception that is no error of this SDK.

    Such an exception is raised past all rules: by Ctrl-C, a cancelled task, or a function of the caller.
    """
    call = _current.get()
    if call is not None:
        call.broken = broken


def current_call() -> Call | None:
    """Return the call that is running."""
    return _current.get()


def listener(call: Call | None = None) -> Listener | None:
    """Return the listener of a call, or of the one that is running, if it has an observer."""
    call = call or _current.get()
    return None if call is None or call.listener.observer is None else call.listener


def is_heard(level: int) -> bool:
    """Whether anybody wants an event that is logged at a level."""
    return listener() is not None or LOGGER.isEnabledFor(level)


def emit(make: Callable[[int], E], level: int | None = logging.INFO, call: Call | None = None) -> E | None:
    """Log an event, give it to the observer, and return it; None where nobody listens. Raises no ``Exception``.

    Args:
        make: Makes the event, given the number of the call. Not called where nobody listens.
        level: None: it is not logged.
        call: None: the one that is running.
    """
    call = call or _current.get()
    heard_by = listener(call)
    is_logged = level is not None and LOGGER.isEnabledFor(level)
    if heard_by is None and not is_logged:
        return None
    try:
        event = make(0 if call is None else call.number)
    except ImportError:
        # At the end of the interpreter nothing can be loaded any more.
        return None
    if is_logged and level is not None:
        values = {each.name: _plain(getattr(event, each.name)) for each in fields(event)}
        log(level, getattr(event, "template", ""), values, extra={"event_name": type(event).__name__, **values})
    if heard_by is not None:
        heard_by.tell(event)
    return event


def refreshing(base_url: str, renew: Callable[[], T]) -> T:
    """Renew a login, and tell how that ended."""
    error: str | None = None
    try:
        return renew()
    except BaseException as raised:
        error = (raised.error if isinstance(raised, BillingError) else None) or type(raised).__name__
        raise
    finally:
        emit(event_maker("LoginRefreshed", base_url=base_url, error=error), logging.DEBUG)


def log(level: int, message: str, *values: object, **more: Any) -> None:
    """Log a message of this SDK. A filter or a handler that raises must not change what is said about money."""
    with suppress(Exception):
        LOGGER.log(level, message, *values, **more)


def _plain(value: object) -> object:
    # A portal's text must not begin a line of its own, which would read as another record.
    return printable_value(value) if isinstance(value, str) else str(value) if isinstance(value, Decimal) else value


def event_maker(name: str, **values: Any) -> Callable[[int], Event]:
    """Return what makes an event, by the name of its class, once somebody is there to be told."""

    def make(call: int) -> Event:
        # Loaded where somebody listens: the classes take a while to make.
        from . import events

        made: Event = getattr(events, name)(call=call, **values)
        return made

    return make
