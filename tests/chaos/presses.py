"""One press of "Pay", in one of the ways in which a person, a program or a machine may do it."""

import asyncio
import random
import time
import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from nous_billing import AsyncBillingClient, BillingClient, BillingError, Purchase, PurchaseDirectory
from nous_billing.mock import Organisation, Person
from tests.chaos.claims import Statement, statement
from tests.chaos.clock import own_time
from tests.chaos.portal import ChaosPortal
from tests.chaos.trouble import Caller, CallersOwn, Directory, Login, clock

WAYS = (
    "one press",
    "twenty presses",
    "another login",
    "failing store",
    "jumping clock",
    "no store",
    "failing caller",
    "begun, followed",
)
# Real seconds; no reply that comes at all takes this long.
TIMEOUT = 1.0
# Seconds that are compressed.
CAP = 60.0


@dataclass(eq=False)
class Intent:
    """A purchase that a person confirmed, and the presses for it."""

    way: str
    key: str
    amount: str
    person: Person
    stranger: Person
    folder: Path
    presses: "list[Press]" = field(default_factory=list)

    @property
    def organisation(self) -> Organisation:
        return self.person.organisation

    @property
    def ended(self) -> Purchase | None:
        """The purchase, as far as anybody was told how it ended."""
        outcomes = [press.outcome for press in self.presses]
        return next((o for o in outcomes if isinstance(o, Purchase) and o.status in ("settled", "failed")), None)


@dataclass(eq=False)
class Press:
    """One call, and all that it told."""

    intent: Intent
    began: float = 0.0
    outcome: object = None
    raised: Statement | None = None
    progress: list[Statement] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    looked_at: float | None = None
    crash: str = ""


def press(portal: ChaosPortal, intent: Intent, chance: random.Random, *, calm: bool = False) -> Press:
    """Press once and wait for the end. `calm`: with nothing wrong on the buyer's side."""
    own_time()
    chance = random.Random(chance.random())
    way = "one press" if calm and intent.way != "no store" else intent.way
    kind = chance.choice(("sync", "async"))
    login = Login(portal, _who(intent) if calm else intent.person, chance)
    if way == "another login":
        login.people.append(intent.stranger)
    store = None if way == "no store" else Directory(intent.folder, chance, fails=way == "failing store")
    caller = Caller(chance, raises=way == "failing caller")
    pressed = Press(intent, time.time(), tokens=login.tokens)
    intent.presses.append(pressed)

    def hear(told: Purchase | BillingError) -> None:
        pressed.progress.append(statement(told))
        caller.maybe_raise()

    arguments = {
        "amount_usd": Decimal(intent.amount),
        "idempotency_key": intent.key,
        "store": store,
        "on_progress": hear,
        "cancelled": caller.cancelled,
        "cap": CAP,
    }
    follows = way == "begun, followed"
    client = {
        "credentials": login,
        "base_url": portal.url,
        "timeout": TIMEOUT,
        "clock": clock(kind, jumps=way == "jumping clock", chance=chance),
    }
    try:
        pressed.outcome = (
            _buy(client, arguments, follows) if kind == "sync" else asyncio.run(_buy_async(client, arguments, follows))
        )
    except CallersOwn as error:
        pressed.outcome = error
    except BillingError as error:
        pressed.outcome = error
    except Exception as error:  # noqa: BLE001 - an untyped error is what is looked for
        pressed.outcome, pressed.crash = error, "".join(traceback.format_exception(error))
    if isinstance(pressed.outcome, (Purchase, BillingError)):
        pressed.raised = statement(pressed.outcome, is_final=True)
    pressed.looked_at = store.looked_at if store else None
    return pressed


def _who(intent: Intent) -> Person:
    """Whose organisation the purchase was begun in, as the record says; a stranger may have been there first."""
    kept = list(PurchaseDirectory(intent.folder).load(intent.key))
    begun_elsewhere = kept and kept[0].organisation_id == intent.stranger.organisation.id
    return intent.stranger if begun_elsewhere else intent.person


def _buy(client, arguments, follows) -> Purchase:
    with BillingClient(**client) as billing:
        if not follows:
            return billing.buy_credits(**arguments)
        cap = arguments.pop("cap")
        purchase = billing.begin_purchase(**arguments)
        followed = billing.follow_purchase(purchase.key, store=arguments["store"], cap=cap)
        for purchase in followed:
            arguments["on_progress"](purchase)
        return purchase


async def _buy_async(client, arguments, follows) -> Purchase:
    async with AsyncBillingClient(**client) as billing:
        if not follows:
            return await billing.buy_credits(**arguments)
        cap = arguments.pop("cap")
        purchase = await billing.begin_purchase(**arguments)
        followed = billing.follow_purchase(purchase.key, store=arguments["store"], cap=cap)
        async for purchase in followed:
            arguments["on_progress"](purchase)
        return purchase
