"""Sends replies and faults over the connection."""

import asyncio
from collections.abc import Mapping
from http.client import responses

from starlette.types import Receive, Scope, Send

from .faults import Fault
from .replies import Reply

# The loopback server stores the connection here, for faults that HTTP cannot express.
TRANSPORT = "nous_billing.mock.transport"


async def send_reply(reply: Reply, send: Send) -> None:
    """Send an ordinary reply."""
    await _send(reply.status, _headers(reply), reply.encoded(), send)


async def show_fault(fault: Fault, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Show a fault instead of the reply."""
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    match fault.kind:
        case "reply":
            await asyncio.sleep(fault.delay)
            await _send(fault.status, fault.headers, fault.body, send)
        case "late":
            await asyncio.sleep(fault.delay)
            await send_reply(reply, send)
        case "drip" if fault.part == "body":
            await _drip_body(reply, fault.delay, transport, send)
        case "stall":
            await _until_gone(receive)
        case "drop":
            if transport is None:
                raise ConnectionResetError("The mock portal dropped the connection.")
            transport.abort()
            await _until_gone(receive)
        case "raw" | "drip" | "twice":
            if transport is None:
                raise RuntimeError("This fault needs a connection: serve the portal with MockPortal.serve().")
            if fault.kind == "twice":
                await send_reply(reply, send)
                transport.write(fault.body or _head(reply) + reply.encoded())
                return
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
    # Their status says that they have no body.
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
    for byte in _head(reply, "connection: close"):
        if transport.is_closing():
            return
        transport.write(bytes([byte]))
        await asyncio.sleep(delay)
    transport.write(reply.encoded())


def _head(reply: Reply, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, '')}"]
    lines += [f"{name}: {value}" for name, value in _headers(reply).items()]
    lines += [f"content-length: {len(reply.encoded())}", *more, "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(reply: Reply) -> dict[str, str]:
    return ({} if reply.media_type is None else {"content-type": reply.media_type}) | dict(reply.headers)
