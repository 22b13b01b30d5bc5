"""What goes wrong on the buyer's side: another organisation's login, stores that fail, clocks that jump."""

import random
import time

from nous_billing import BillingError, Credentials, Purchase, PurchaseDirectory
from nous_billing.mock import Person
from tests.chaos.clock import AsyncShortNaps, ShortNaps
from tests.chaos.portal import ChaosPortal

HOURS = (-20, -2, -0.1, 0.02, 0.5, 12, 60)


class Login:
    """Hands out tokens of a person, or of several in turn, who may be of several organisations."""

    def __init__(self, portal: ChaosPortal, person: Person, chance: random.Random) -> None:
        self.people = [person]
        self.tokens: set[str] = set()
        self._portal = portal
        self._chance = chance

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """A token that may last no longer than a call."""
        lifetime = self._chance.choice((0.5, 60.0))
        token = self._portal.issue_token(self._chance.choice(self.people), lifetime=lifetime)
        self.tokens.add(token)
        return Credentials(token)


class Directory(PurchaseDirectory):
    """Knows when it was last looked into; fails now and then, before it has saved or after."""

    def __init__(self, path, chance: random.Random, *, fails: bool) -> None:
        super().__init__(path)
        self.looked_at = 0.0
        self._chance = chance
        self._fails = fails

    def load(self, key: str | None = None):
        self._touch()
        found = super().load(key)
        self._maybe_fail()
        return found

    def save(self, purchase: Purchase) -> bool:
        self._touch()
        self._maybe_fail()
        saved = super().save(purchase)
        self._maybe_fail()
        return saved

    def _touch(self) -> None:
        self.looked_at = time.time()

    def _maybe_fail(self) -> None:
        if self._fails and self._chance.random() < 0.15:
            kind = self._chance.choice((OSError, BillingError, ValueError))
            raise kind("The store is out of order. Nothing was charged.")


class _Jumping(ShortNaps):
    """A date that is set anew now and then, and a machine that sleeps."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._offset = 0.0
        self._slept = 0.0

    def time(self) -> float:
        if self._chance.random() < 0.05:
            self._offset = 3600 * self._chance.choice(HOURS)
        return super().time() + self._offset

    def monotonic(self) -> float:
        if self._chance.random() < 0.01:
            self._slept += self._chance.choice((1, 30, 90))
        return super().monotonic() + self._slept


class _AsyncJumping(_Jumping, AsyncShortNaps):
    """The same for an `AsyncBillingClient`."""


def clock(kind: str, *, jumps: bool, chance: random.Random):
    """A clock for a client of this kind."""
    if jumps:
        return (_Jumping if kind == "sync" else _AsyncJumping)(chance)
    return ShortNaps() if kind == "sync" else AsyncShortNaps()


class CallersOwn(Exception):
    """What a caller's own code raises, which has to come back as it is."""


class Caller:
    """A caller's own code, which raises now and then, and may stop the purchase."""

    def __init__(self, chance: random.Random, *, raises: bool) -> None:
        self._chance = chance
        self._raises = raises

    def maybe_raise(self) -> None:
        """Raise something that is the caller's."""
        if self._raises and self._chance.random() < 0.1:
            raise CallersOwn("Nothing was charged.")

    def cancelled(self) -> bool:
        """Whether to stop."""
        self.maybe_raise()
        return self._raises and self._chance.random() < 0.03
