"""What a person was told of a purchase, and what of that the portal's ledger says otherwise."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from nous_billing import BillingError, Purchase
from nous_billing.mock.ledger import Charge

NOT_CHARGED = '"not charged"'
NOT_SENT = '"not sent"'
ACCEPTED = '"accepted"'
SETTLED = '"settled"'
FAILED = '"failed"'
WRONG_WORDS = (NOT_CHARGED, NOT_SENT, ACCEPTED, SETTLED, FAILED)

_CHARGE_ID = re.compile(r"\bch_[\w-]+")


@dataclass(frozen=True)
class Statement:
    """One thing that was said, and what it says besides its text.

    Attributes:
        at: Seconds since the epoch.
        kind: The class of an error, or `Purchase`.
        status: Of a purchase.
        outcome_unknown: Of an error.
        is_final: Whether it is what the call ended with.
        charge_ids: The charges that it names.
    """

    at: float
    kind: str
    text: str = ""
    status: str = ""
    error: str | None = None
    outcome_unknown: bool = False
    is_final: bool = False
    charge_ids: tuple[str, ...] = ()
    added_usd: Decimal | None = None


def statement(told: Purchase | BillingError, *, is_final: bool = False) -> Statement:
    """What has just been told."""
    at, kind = time.time(), type(told).__name__
    if isinstance(told, Purchase):
        ids = (told.charge_id,) if told.charge_id else ()
        return Statement(at, kind, status=told.status, charge_ids=ids, added_usd=told.added_usd)
    text = str(told)
    named = getattr(told, "charge_id", None)
    return Statement(
        at,
        kind,
        text,
        error=told.error,
        outcome_unknown=told.outcome_unknown,
        is_final=is_final,
        charge_ids=(*charge_ids_in(text), *([named] if named else [])),
    )


def charge_ids_in(text: str) -> tuple[str, ...]:
    """The charges that a text names."""
    return tuple(_CHARGE_ID.findall(text))


def wrong_words(said: Statement, charges: Iterable[Charge], *, known_until: float, sent_at: float = inf) -> set[str]:
    """What of a statement is not so.

    Args:
        charges: Of the purchase, in the ledger.
        known_until: A charge that was made before this moment is one that whoever says "not charged" must know of.
        sent_at: When the call first sent the charge and was not refused for its login.
    """
    by_id = {charge.id: charge for charge in charges}
    made = any(charge.created_at.timestamp() < known_until for charge in by_id.values())
    named = [by_id.get(charge_id) for charge_id in said.charge_ids]
    wrong = set[str]()
    if made and _says_not_charged(said):
        wrong.add(NOT_CHARGED)
    # What a call ended with holds for good; what it outlives says nothing of what it sends later.
    has_sent = sent_at < (inf if said.is_final else said.at)
    if has_sent and "Nothing was sent" in said.text and not said.outcome_unknown:
        wrong.add(NOT_SENT)
    if None in named or ("was accepted as charge" in said.text and not named):
        wrong.add(ACCEPTED)
    if said.status == "settled" and not any(
        charge and charge.status == "settled" and charge.amount == said.added_usd for charge in named
    ):
        wrong.add(SETTLED)
    if said.status == "failed" and not any(charge and charge.status == "failed" for charge in named):
        wrong.add(FAILED)
    return wrong


def _says_not_charged(said: Statement) -> bool:
    if said.kind == "Purchase":
        return said.status == "not_made"
    # Whom another organisation's purchase is not shown is told nothing of it. An error that a call outlives is that of
    # one request, such as a poll.
    speaks_of_purchase = said.is_final and said.error != "wrong_organisation"
    by_class = speaks_of_purchase and not said.outcome_unknown
    return by_class or re.search(r"[Nn]othing was charged|was not charged", said.text) is not None
