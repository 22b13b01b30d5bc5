"""From a request on the socket to its handler, and back."""

import logging
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from .contract import ContractViolation, Operation
from .faults import Fault
from .recording import RecordedRequest
from .replies import Refusal, Reply, ReplyLost, Request
from .traffic import Traffic
from .wire import send_reply, show_fault

# The application stores the record of a request here.
RECORD = "nous_billing.mock.record"

_UNAVAILABLE = Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "60"})
_logger = logging.getLogger("nous_billing.mock")


class Endpoint:
    """One method of one path: takes the next fault, lets the handler act, and checks its reply against the contract.

    Without an operation of the contract the reply is not checked. Unless it is `observed`, its requests are not
    recorded, and no fault hits them.
    """

    def __init__(
        self,
        traffic: Traffic,
        name: str,
        respond: Callable[[Request], Reply],
        operation: Operation | None = None,
        *,
        observed: bool = True,
    ) -> None:
        self._observed = observed
        self._traffic = traffic
        self.name = name
        self._respond = respond
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        record: RecordedRequest = scope[RECORD]
        record.operation, record.body = self.name, body
        host = record.headers.get("host", "localhost")
        request = Request(
            base_url=f"{scope['scheme']}://{host}",
            path_params=scope["path_params"],
            query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers=record.headers,
            body=body,
        )
        with self._traffic.lock:
            fault = None
            if self._observed:
                self._traffic.requests.append(record)
                fault = self._traffic.faults.take(self.name)
            reply, fault = self._answer(request, fault)
        if fault is None:
            await send_reply(reply, send)
        else:
            record.status = fault.shown_status(reply.status)
            await show_fault(fault, reply, scope, receive, send)

    def _answer(self, request: Request, fault: Fault | None) -> tuple[Reply, Fault | None]:
        if fault and not fault.acts:
            return _UNAVAILABLE, fault
        try:
            try:
                reply = self._respond(request)
            except Refusal as refusal:
                reply = refusal.reply
            if self._operation and not fault:
                self._operation.check_reply(reply)
        except ReplyLost:
            # There is no reply to show. A 503 instead of it would say that nothing was charged.
            return _UNAVAILABLE, Fault.drop() if fault is None or fault.shows_reply else fault
        except ContractViolation as violation:
            return self._violation(f"ContractViolation: {violation}"), None
        except Exception as failure:
            _logger.exception("The handler of %s failed.", self.name)
            return self._violation(f"The handler of {self.name} failed: {failure!r}"), None
        return reply, fault

    def _violation(self, text: str) -> Reply:
        self._traffic.violations.append(text)
        _logger.error(text)
        return Reply(500, text, media_type="text/plain; charset=utf-8")


async def read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client disconnected before it was complete."""
    body: bytes = b""
    while (message := await receive())["type"] != "http.disconnect":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
    return None
