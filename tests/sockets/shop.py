"""A portal, a client, a store, and a person who presses "Pay"."""

from __future__ import annotations

from typing import Any

from nous_billing import BillingError, Credentials, Purchase, PurchaseDirectory, StaticToken
from tests.registry import KEY

AMOUNT = "50.25"
BODY = b'{"amountUsd":50.25}'


class Shop:
    """What the tests of a purchase share. `heard` is what `on_progress` was told, as text."""

    def __init__(self, kind: Any, portal: Any, folder: Any) -> None:
        self.kind = kind
        self.portal = portal
        self.folder = folder / "purchases"
        self.clock = kind.clock(portal.clock)
        self.heard: list[str] = []

    def client(self, credentials: Any = None, **arguments: Any) -> Any:
        """Make a client, of the owner by default."""
        credentials = credentials or StaticToken(self.portal.issue_token())
        return self.kind.client(credentials, **{"base_url": self.portal.url, "clock": self.clock, **arguments})

    def press(self, client: Any, amount: Any = AMOUNT, key: str = KEY, on: Any = None, **arguments: Any) -> Any:
        """Buy; the error is an outcome like another. `on` maps what is heard to what then happens, once."""
        waiting = dict(on or {})

        def hear(progress: Purchase | BillingError) -> None:
            heard = progress.status if isinstance(progress, Purchase) else "error"
            self.heard.append(heard if isinstance(progress, Purchase) else type(progress).__name__)
            waiting.pop(heard, lambda: None)()

        arguments = {"store": self.folder, "on_progress": hear, **arguments}
        try:
            return client.buy_credits(amount, idempotency_key=key, **arguments)
        except BillingError as error:
            return error

    def posts(self, portal: Any = None) -> list[Any]:
        return [request for request in list((portal or self.portal).requests) if request.operation == "post_charge"]

    def kept(self, key: str = KEY) -> Purchase | None:
        return next(iter(PurchaseDirectory(self.folder).load(key)), None)

    def ledger(self) -> list[str]:
        return [f"{charge.amount} {charge.status}" for charge in self.portal.organisation.charges]

    def assert_one_charge(self, posts: int, body: bytes = BODY, key: str = KEY) -> None:
        """One charge, however many posts: and those all with the same key and bytes."""
        assert self.ledger() == ["50.25 settled"]
        self.assert_posts(posts, body, key)

    def assert_posts(self, posts: int, body: bytes = BODY, key: str = KEY) -> None:
        assert [(post.headers["idempotency-key"], post.body) for post in self.posts()] == [(key, body)] * posts

    def assert_paid(self, purchase: Any) -> None:
        """The caller knows that it was paid, and so does the store."""
        assert isinstance(purchase, Purchase), repr(purchase)
        charge = self.portal.organisation.charge_for(purchase.key)
        assert (purchase.status, purchase.charge_id) == ("settled", charge.id)
        assert purchase.added_usd == charge.amount
        assert abs((purchase.settled_at - charge.settled_at).total_seconds()) < 0.01
        if self.folder.exists():
            assert self.kept(purchase.key) == purchase


class Renewing:
    """Credentials that have a new token when the portal refuses the old one, as long as somebody is logged in."""

    def __init__(self, portal: Any, person: Any = None) -> None:
        self._portal = portal
        self.person = person or portal.owner
        self.token = portal.issue_token(self.person)

    def fingerprint(self) -> object:
        return self.token

    def log_in(self, person: Any = None) -> None:
        self.person = person or self.person
        self.token = self._portal.issue_token(self.person)

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        if rejected == self.token:
            self.log_in()
        return Credentials(self.token, self._portal.url)
