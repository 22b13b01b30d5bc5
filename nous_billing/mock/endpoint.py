"""The way of a request through one operation."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from .contract import ContractViolation, Operation
from .faults import Fault
from .recording import RecordedRequest
from .replies import Call, Refusal, Reply, ReplyLost
from .wire import send_reply, show_fault

if TYPE_CHECKING:
    from .portal import MockPortal

# Where the application leaves the record of a request.
RECORD = "nous_billing.mock.record"

_UNAVAILABLE = Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "60"})
_logger = logging.getLogger("nous_billing.mock")


class Endpoint:
    """One operation: takes the next fault, lets the handler act, and holds its reply to the contract."""

    def __init__(
        self, portal: "MockPortal", name: str, handle: Callable[..., Reply], operation: Operation | None = None
    ) -> None:
        self._portal = portal
        self._name = name
        self._handle = handle
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        record: RecordedRequest = scope[RECORD]
        record.operation, record.body = self._name, body
        host = record.headers.get("host", "localhost")
        call = Call(
            base_url=f"{scope['scheme']}://{host}", path_params=scope["path_params"], headers=record.headers, body=body
        )
        with self._portal.lock:
            self._portal.requests.append(record)
            fault = self._portal.faults.take(self._name)
            reply, fault = self._answer(call, fault)
        if fault is None:
            await send_reply(reply, send)
        else:
            record.status = fault.shown_status(reply.status)
            await show_fault(fault, reply, scope, receive, send)

    def _answer(self, call: Call, fault: Fault | None) -> tuple[Reply, Fault | None]:
        if fault and not fault.acts:
            return _UNAVAILABLE, fault
        try:
            try:
                reply = self._handle(call, self._operation) if self._operation else self._handle(call)
            except Refusal as refusal:
                reply = refusal.reply
            if self._operation and not fault:
                self._operation.check_reply(reply)
        except ReplyLost:
            # What drips is the reply, and there is none: a 503 would say that nothing was charged.
            return _UNAVAILABLE, fault if fault and fault.kind != "drip" else Fault.drop()
        except ContractViolation as violation:
            return self._breach(f"ContractViolation: {violation}"), None
        except Exception as failure:
            _logger.exception("The handler of %s failed.", self._name)
            return self._breach(f"The handler of {self._name} failed: {failure!r}"), None
        return reply, fault

    def _breach(self, text: str) -> Reply:
        self._portal.violations.append(text)
        _logger.error(text)
        return Reply(500, text, media_type="text/plain; charset=utf-8")


async def read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client went away before it was complete."""
    body: bytes = b""
    while (message := await receive())["type"] != "http.disconnect":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
    return None
