"""A fast portal on loopback, in a process of its own: canned replies, each in one write, plain and over TLS."""

import asyncio
import json
import re
import ssl
import sys
from collections import Counter
from itertools import count
from typing import Any, ClassVar

STATE: dict[str, Any] = {
    "org": {"id": "org_1", "slug": "acme", "name": "Acme", "role": "OWNER"},
    "balanceUsd": "142.5",
    "cliBillingEnabled": True,
    "chargePresets": ["100", "250", "500"],
    "bounds": {"minUsd": "10", "maxUsd": "10000"},
    "card": {"brand": "visa", "last4": "4242", "resolvedVia": "subPin"},
    "monthlyCap": {"limitUsd": "1000", "spentThisMonthUsd": "50", "isDefaultCeiling": True},
    "autoReload": {"enabled": True, "thresholdUsd": "20", "reloadToUsd": "100", "card": {"kind": "canonical"}},
    "canChangePlan": True,
    "portalUrl": "/billing?topup=open",
}
PENDING = {"status": "pending"}
ACCEPTED = {"chargeId": "ch_3PqXyZ"}
SETTLED = {"status": "settled", "amountUsd": "50", "settledAt": "2026-06-13T10:00:00Z"}


def _reply(body: object, status: str = "200 OK") -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status}\r\nDate: Sat, 13 Jun 2026 10:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\nCache-Control: no-store\r\nVary: Authorization\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + content


STATE_REPLY, PENDING_REPLY, SETTLED_REPLY = _reply(STATE), _reply(PENDING), _reply(SETTLED)
ACCEPTED_REPLY = _reply(ACCEPTED, "202 Accepted")


_numbers = count(1)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ORGANISATION = re.compile(rb"bearer of-organisation-(\d+)", re.IGNORECASE)


def _accepted() -> bytes:
    return _reply({"chargeId": f"after-1-{next(_numbers)}"}, "202 Accepted")


def _state_of(number: str) -> bytes:
    return _reply({**STATE, "org": {**STATE["org"], "id": f"org_{number}"}})


class Portal(asyncio.Protocol):
    """A charge with an id like ``after-150-x`` is settled at its 150th poll, one that was posted at its first.

    A token like ``of-organisation-7`` is for that organisation.
    """

    polls: ClassVar[Counter[bytes]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, rest = self._unread.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            end = int(length[1]) if length else 0
            if len(rest) < end:
                return
            self._unread = rest[end:]
            method, path, _ = head.split(b" ", 2)
            self._transport.write(_accepted() if method == b"POST" else self._answer(path, head))

    def _answer(self, path: bytes, head: bytes) -> bytes:
        if path == b"/api/billing/state":
            organisation = _ORGANISATION.search(head)
            return _state_of(organisation[1].decode()) if organisation else STATE_REPLY
        charge_id = path.rpartition(b"/")[2]
        if not charge_id.startswith(b"after-"):
            return PENDING_REPLY
        self.polls[charge_id] += 1
        return SETTLED_REPLY if self.polls[charge_id] >= int(charge_id.split(b"-")[1]) else PENDING_REPLY


async def serve(certificate: str, key: str) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ports = []
    for tls in (None, context):
        server = await loop.create_server(Portal, "127.0.0.1", 0, ssl=tls, backlog=2048)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    # It ends with the program that started it, however that ends.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
