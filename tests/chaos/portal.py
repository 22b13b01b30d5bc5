"""A portal on a bad day, on compressed time."""

import time
from functools import partial

from nous_billing.mock import MockClock, MockPortal, oauth
from nous_billing.mock.limiter import WINDOW, Limiter
from tests.chaos.faults import Delays, RandomFaults

# Real seconds. Whoever waits for the limiter's hour, a token's quarter of an hour or the grace waits for these.
HOUR = 2.0
TOKEN_LIFETIME = 4.0
REFRESH_GRACE = 2.5
SETTLE_AFTER = 0.3


class _FastClock(MockClock):
    """An hour passes in `HOUR` seconds."""

    def now(self) -> float:
        return time.monotonic() * WINDOW / HOUR


class _CountingLimiter(Limiter):
    refusals = 0

    def admit(self, *names: str) -> int | None:
        wait = super().admit(*names)
        self.refusals += wait is not None
        return wait


class ChaosPortal(MockPortal):
    """Shows faults at random, limits charges by an hour of seconds, and hands out tokens of seconds."""

    def __init__(self, seed: int) -> None:
        super().__init__(settle_after=SETTLE_AFTER)
        self.random_faults = self.faults = RandomFaults(seed)
        self.limiter = self._limiter = _CountingLimiter(_FastClock())
        self.app = self.delays = Delays(self.app, self.random_faults, seed)
        vars(self.oauth)["log_in"] = partial(self.oauth.log_in, lifetime=TOKEN_LIFETIME)

    def start(self, *arguments, **more) -> str:
        self._grace, oauth.REFRESH_GRACE = oauth.REFRESH_GRACE, REFRESH_GRACE
        return super().start(*arguments, **more)

    def stop(self) -> None:
        super().stop()
        oauth.REFRESH_GRACE = self._grace
