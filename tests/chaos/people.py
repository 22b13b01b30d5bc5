"""Who buys what: organisations with a few purchases each, in batches that one process works on side by side."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from nous_billing import PurchaseDirectory, StoredLogin, new_idempotency_key
from nous_billing.mock import Card, Organisation, Person
from tests.chaos.clock import ShortNaps
from tests.chaos.portal import ChaosPortal
from tests.chaos.reports import Reports

OPENING = Decimal(100)
# The card of every sixth organisation declines.
CARDS = ("4242", "4242", "9995", "4242", "4242", "4242")
_LARGEST_BATCH = 4


@dataclass(eq=False)
class Customer:
    """One person of one organisation, on one machine: a login and purchases that all their processes share."""

    organisation: Organisation
    person: Person
    folder: Path
    url: str
    is_logging_in: bool = False

    @property
    def login(self) -> Path:
        return self.folder / "login.json"

    @property
    def store(self) -> PurchaseDirectory:
        return PurchaseDirectory(self.folder / "purchases")

    def source(self) -> StoredLogin:
        return StoredLogin(self.login, portal_base_url=self.url, clock=ShortNaps())

    def charges(self, amount: str) -> list:
        """The purchase's charges in the ledger; by its amount, whatever key they were made with."""
        return [charge for charge in self.organisation.charges if charge.amount == Decimal(amount)]


@dataclass(eq=False)
class Batch:
    """Purchases that one process works on, or two at the same time where they are pressed twice."""

    customer: Customer
    purchases: list[tuple[str, str]]
    kind: str
    pressed_twice: bool
    deaths: int
    reports: Reports
    number: int
    kills: int = 0
    lives: int = 0
    open: set[str] = field(default_factory=set)
    running: set[int] = field(default_factory=set)

    def task(self, fresh_keys: bool) -> dict:
        """What a worker is told to do."""
        # With the same key a purchase that has ended may be pressed again; with a fresh key that would be a new one.
        return {
            "kind": self.kind,
            "fresh_keys": fresh_keys,
            "url": self.customer.url,
            "login": str(self.customer.login),
            "store": str(self.customer.store.path),
            "reports": str(self.reports.path),
            "purchases": [purchase for purchase in self.purchases if not fresh_keys or purchase[1] in self.open],
        }


def customers(portal: ChaosPortal, folder: Path, purchases: int) -> list[Customer]:
    """Organisations for so many purchases, about six each."""
    made = []
    for number in range(max(len(CARDS), purchases // 6)):
        card = Card("visa", CARDS[number % len(CARDS)])
        organisation = portal.add_organisation(f"Org {number}", balance=OPENING, card=card, monthly_cap="1000000")
        person = portal.add_person(f"Person {number}", organisation)
        home = folder / f"org-{number}"
        home.mkdir()
        made.append(Customer(organisation, person, home, portal.url))
    return made


def batches(customers: list[Customer], purchases: int, chance: random.Random) -> Iterator[Batch]:
    """The purchases, each with a key of its own and an amount that no other of its organisation has."""
    made = 0
    while made < purchases:
        customer = chance.choice(customers)
        size = min(chance.randint(1, _LARGEST_BATCH), purchases - made)
        bought = [(new_idempotency_key(), f"{10 + (made + index) / 100:.2f}") for index in range(size)]
        yield Batch(
            customer,
            bought,
            kind=chance.choice(("sync", "async")),
            pressed_twice=chance.random() < 0.15,
            deaths=chance.choice((1, 1, 2, 3, 5)),
            reports=Reports(customer.folder / f"reports-{made}.jsonl"),
            number=made,
            open={amount for _, amount in bought},
        )
        made += size
