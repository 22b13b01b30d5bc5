"""Replies and faults on the connection."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from .faults import Fault
from .replies import Reply

# Where the loopback server leaves the connection for faults that HTTP cannot express.
TRANSPORT = "nous_billing.mock.transport"


async def send_reply(reply: Reply, send: Send) -> None:
    """Send an ordinary reply."""
    await _send(reply.status, _headers(reply), reply.encoded(), send)


async def show_fault(fault: Fault, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Show a fault in place of the reply."""
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    match fault.kind:
        case "reply":
            await _send(fault.status, fault.headers, fault.body, send)
        case "drip" if fault.part == "body":
            await _drip_body(reply, fault.delay, transport, send)
        case "stall":
            await _until_gone(receive)
        case "drop":
            if transport is None:
                raise ConnectionResetError("The mock portal dropped the connection.")
            transport.abort()
            await _until_gone(receive)
        case "raw" | "drip":
            if transport is None:
                raise RuntimeError("This fault needs a connection: serve the portal with MockPortal.serve().")
            if fault.kind == "raw":
                transport.write(fault.body)
            else:
                await _drip_headers(reply, fault.delay, transport)
            transport.close()
            await _until_gone(receive)


async def _send(status: int, headers: Mapping[str, str], body: bytes, send: Send) -> None:
    await _send_start(status, headers, len(body), send)
    await send({"type": "http.response.body", "body": body})


async def _send_start(status: int, headers: Mapping[str, str], length: int, send: Send) -> None:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    # These two have no body and say so by their status.
    if status not in {204, 304}:
        lines.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})


async def _drip_body(reply: Reply, delay: float, transport: asyncio.Transport | None, send: Send) -> None:
    body = reply.encoded()
    await _send_start(reply.status, _headers(reply), len(body), send)
    for index in range(len(body)):
        if transport is not None and transport.is_closing():
            return
        await send({"type": "http.response.body", "body": body[index : index + 1], "more_body": True})
        await asyncio.sleep(delay)
    await send({"type": "http.response.body", "body": b""})


async def _drip_headers(reply: Reply, delay: float, transport: asyncio.Transport) -> None:
    body = reply.encoded()
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in _headers(reply).items()]
    lines += [f"content-length: {len(body)}", "connection: close", "", ""]
    for byte in "\r\n".join(lines).encode("latin-1"):
        if transport.is_closing():
            return
        transport.write(bytes([byte]))
        await asyncio.sleep(delay)
    transport.write(body)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(reply: Reply) -> dict[str, str]:
    return {"content-type": reply.media_type, **reply.headers}
