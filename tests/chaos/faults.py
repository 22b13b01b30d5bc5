"""What the portal does at random: drops, stalls, delays, drips, and answers that are not the reply."""

import asyncio
import random
import time
from collections import Counter
from functools import partial

from nous_billing.mock import Fault
from nous_billing.mock.faults import FaultQueue

DELAY = "delayed"
_FORGED = b'{"chargeId": "ch_forged"}'
_SECOND = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_FORGED),
    _FORGED,
)
# What is shown has to be something that the kind can mean: a 429 of the portal, its own 503, and a page that a firewall
# has in place of the portal act never.
KINDS = {
    "dropped before acting": lambda acts: Fault.drop(),
    "dropped after acting": lambda acts: Fault.drop(acts=True),
    "stalled": lambda acts: Fault.stall(acts=acts),
    "dripped": lambda acts: Fault.drip(0.004, acts=acts),
    "500": lambda acts: Fault.reply(500, {"error": "internal_error"}, acts=acts),
    "502": lambda acts: Fault.html(502, acts=acts),
    "504": lambda acts: Fault.reply(504, acts=acts),
    "HTML": lambda acts: Fault.html(acts=acts),
    "late": lambda acts: Fault.late(0.6),
    "too late": lambda acts: Fault.late(1.4),
    "twice": lambda acts: Fault.twice(),
    "twice, the second forged": lambda acts: Fault.twice(_SECOND),
    "302": lambda acts: Fault.reply(302, "", {"location": "/login"}, acts=acts),
    "403 of a firewall": lambda acts: Fault.html(403),
    "404, a page": lambda acts: Fault.html(404),
    "408": lambda acts: Fault.reply(408, "", acts=acts),
    "429, a page": lambda acts: Fault.html(429),
    "460": lambda acts: Fault.html(460, acts=acts),
    "499": lambda acts: Fault.reply(499, "", acts=acts),
    "503, a page": lambda acts: Fault.html(503, acts=acts),
    "520": lambda acts: Fault.html(520, acts=acts),
    "503": lambda acts: Fault.unavailable(retry_after=3),
    "429": lambda acts: Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "3"}),
}
# A purchase has one charge and several polls; what happens to the charge is what this is about.
_CHANCES = {"post_charge": 0.5, "oauth_token": 0.25}
_OTHER_CHANCE = 0.15


class RandomFaults(FaultQueue):
    """Deals the kinds from a shuffled pack, so that each of them occurs, to the requests that chance picks."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.is_on = False
        self.shown: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._pack: list[str] = []

    def take(self, operation: str) -> Fault | None:
        """The fault that a call of the operation meets; asked for under the portal's lock."""
        if not self.is_on or self._random.random() >= _CHANCES.get(operation, _OTHER_CHANCE):
            return super().take(operation)
        if not self._pack:
            self._pack = [*KINDS]
            self._random.shuffle(self._pack)
        kind = self._pack.pop()
        self.shown[kind] += 1
        return KINDS[kind](self._random.random() < 0.5)


class Delays:
    """Holds a request, or its reply once the portal has acted, for a while.

    `charged_at` has, by token, when its first charge came.
    """

    def __init__(self, app, faults: RandomFaults, seed: int) -> None:
        self._app = app
        self._faults = faults
        self._random = random.Random(seed)
        self.charged_at: dict[str, float] = {}

    async def __call__(self, scope, receive, send) -> None:
        if scope.get("path") == "/api/billing/charge":
            token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
            self.charged_at.setdefault(token, time.time())
        if self._happens():
            await self._hold()
        if self._happens():
            send = partial(self._send_late, send)
        await self._app(scope, receive, send)

    def _happens(self) -> bool:
        return self._faults.is_on and self._random.random() < 0.04

    async def _send_late(self, send, message) -> None:
        if message["type"] == "http.response.start":
            await self._hold()
        await send(message)

    async def _hold(self) -> None:
        self._faults.shown[DELAY] += 1
        await asyncio.sleep(self._random.uniform(0.05, 0.4))
