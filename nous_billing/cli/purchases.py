"""What is known of purchases on this machine, and how it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from nous_billing import BillingDuplicateCharge, BillingError, BillingPurchaseUncertain, Purchase, PurchaseDirectory

from .endings import Ending
from .screen import Screen
from .session import purchases_path
from .text import dollars, moment, same_again


def load(key: str) -> Purchase | None:
    """Return the purchase with a key, if this machine knows one.

    Raises:
        BillingError: The directory cannot be read, or the key cannot be used.
        OSError: The directory cannot be read.
    """
    return next(iter(PurchaseDirectory(purchases_path()).load(key)), None)


def continue_line(amount: str, key: str) -> str:
    """Return the command that goes on with a purchase."""
    return same_again("buy", amount, "--key", key)


def again(outcome: BillingError) -> str | None:
    """Return the command that finds out how a purchase ended: none after a day, nor where it was charged twice."""
    if not isinstance(outcome, BillingPurchaseUncertain) or isinstance(outcome, BillingDuplicateCharge):
        return None
    return None if outcome.is_too_old else continue_line(format(outcome.amount_usd, "f"), outcome.key)


def end_uncertain(screen: Screen, uncertain: BillingPurchaseUncertain) -> NoReturn:
    """End where it is not known how a purchase ended."""
    screen.fail(uncertain, {"key": uncertain.key, "charge_id": uncertain.charge_id}, again=again(uncertain))


def end_stopped(screen: Screen, key: str, claim: str) -> None:
    """End after Ctrl-C with what this machine knows of a purchase. It is saved before anything is sent.

    Args:
        claim: What is certain about money if it is not there.
    """
    try:
        found = load(key)
    except (BillingError, OSError):
        screen.end(Ending.UNKNOWN, "Stopped. What is kept of the purchase cannot be read: it may have been charged.")
    if found is None or found.status == "not_made":
        screen.end(Ending.STOPPED, f"Stopped. {claim}")
    if found.has_ended:
        end(screen, found)
        return
    screen.end(
        Ending.UNKNOWN,
        f"Stopped. {found.message}",
        portal_url=found.portal_url,
        members=members(found),
        again=continue_line(format(found.amount_usd, "f"), key),
    )


def end(screen: Screen, purchase: Purchase, **more: object) -> None:
    """Tell how a purchase ended.

    Args:
        more: More members of the JSON object.
    """
    told = {**members(purchase), **more}
    if purchase.status != "settled":
        screen.end(Ending.CARD, purchase.message, portal_url=purchase.portal_url, members=told)
    if purchase.discrepancies:
        screen.tell(purchase.message, style="red")
    balance = more.get("balance_usd")
    screen.answer(
        told,
        [
            ("balance", dollars(balance) if isinstance(balance, Decimal) else ""),
            ("charge", purchase.charge_id or ""),
            ("paid", moment(purchase.settled_at)),
        ],
        f"Paid {dollars(purchase.amount_usd if purchase.added_usd is None else purchase.added_usd)}.",
    )


def members(purchase: Purchase) -> dict[str, object]:
    """Return what programs are told of a purchase."""
    return {
        "key": purchase.key,
        "status": purchase.status,
        "amount_usd": purchase.amount_usd,
        "added_usd": purchase.added_usd,
        "charge_id": purchase.charge_id,
        "reason": purchase.reason,
        "organisation": {"id": purchase.organisation_id, "name": purchase.organisation_name},
        "started_at": purchase.started_at,
        "settled_at": purchase.settled_at,
        "discrepancies": purchase.discrepancies,
    }


def unknown_members(outcome: BillingError) -> dict[str, object]:
    """Return what programs are told of a purchase of which it is not known how it ended."""
    known: dict[str, object] = {"status": "unknown", "message": outcome.message}
    if isinstance(outcome, BillingPurchaseUncertain):
        known |= {"key": outcome.key, "amount_usd": outcome.amount_usd, "charge_id": outcome.charge_id}
        known["run_next"] = again(outcome)
    return known
