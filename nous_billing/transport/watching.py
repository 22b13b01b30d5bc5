"""Tells of each request that a driver sends: before it is sent, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from logging import DEBUG
from types import TracebackType
from typing import Any, Self

from .._reply_headers import request_id
from .._reporting import current_call, emit, event_maker, is_heard, listener
from ..clock import BaseClock
from ..errors import BillingError
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from ..protocol.request_headers import check_headers

_numbers = count(1)


class Watched:
    """One request while it is sent.

    Attributes:
        step: The request, with the headers that the caller and the observer add.
    """

    def __init__(self, step: Send, headers: Mapping[str, str], clock: BaseClock) -> None:
        self.step: Send = replace(step, headers=headers) if headers else step
        self._clock = clock
        self._begun_at: float | None = None
        self._answer: Reply | Failure | None = None
        self._values: dict[str, Any] = {}
        self._call = current_call()

    def __enter__(self) -> Self:
        if is_heard(DEBUG):
            try:
                self._begin()
            except BaseException as error:
                # Ctrl-C while the observer runs. What it has begun must end.
                self.__exit__(type(error), error, None)
                raise
        return self

    def ended(self, answer: Reply | Failure) -> Reply | Failure:
        self._answer = answer
        return answer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._begun_at is None:
            return
        seconds = self._clock.monotonic() - self._begun_at
        values = {**self._values, "milliseconds": seconds * 1000, **_outcome(self._answer, kind)}
        emit(event_maker("ExchangeEnded", **values), DEBUG, self._call)

    def _begin(self) -> None:
        self._begun_at = self._clock.monotonic()
        operation = self.step.operation
        self._values = {
            "exchange": next(_numbers),
            "method": operation.method,
            "base_url": self.step.base_url,
            "path": operation.path.partition("?")[0],
            "attempt": self.step.attempt,
        }
        begun, heard_by = emit(event_maker("ExchangeBegun", **self._values), None), listener()
        if begun is None or heard_by is None:
            return
        asked: Any = heard_by.request_headers(begun)
        try:
            added = check_headers(asked)
        except Exception:  # noqa: BLE001 - a mapping of the observer may raise anything
            heard_by.note_failure()
        else:
            self.step = replace(self.step, headers={**self.step.headers, **added})


def _outcome(answer: Reply | Failure | None, kind: type[BaseException] | None) -> dict[str, Any]:
    reply = answer if isinstance(answer, Reply) else None
    failure = reply.failure if reply else answer if isinstance(answer, Failure) else None
    if answer is None:
        error = None if kind is None else kind.__name__
    elif failure is None:
        error = None
    else:
        error = "timeout" if failure.timed_out else "network_error"
    kept = None if answer is None else answer.kept
    return {
        "status": reply.status if reply else None,
        "error": error,
        "request_id": request_id(reply.headers) if reply else None,
        "connection": None if kept is None else "kept" if kept else "new",
        # An exception, such as an interrupt, says nothing of how far the request came. An error of this SDK, that the
        # client was closed, comes before it leaves.
        "was_sent": failure.sent if reply is None and failure else kind is None or not issubclass(kind, BillingError),
    }
