"""`subscription upgrade`: the one change of a subscription that charges the card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

import click

from nous_billing import (
    BillingError,
    BillingInvalidRequest,
    Subscription,
    SubscriptionUpgrade,
    new_idempotency_key,
)

from . import plans
from .endings import Ending
from .explaining import CHARGED_NOTHING_NOW, NOTHING_CHARGED
from .options import check_key, with_screen
from .screen import Screen
from .session import Session, session, with_permission
from .text import same_again


@click.command(short_help="Upgrade now and charge the card.")
@click.argument("tier", metavar="TIER")
@click.option("--key", callback=check_key, help="The key of an upgrade to continue. It is charged once for its key.")
@click.option("--organisation", metavar="ID", help="Upgrade only this organisation, whoever is logged in.")
@click.option("--yes", "-y", is_flag=True, help="Upgrade without being asked.")
@with_screen
def upgrade(screen: Screen, tier: str, key: str | None, organisation: str | None, yes: bool) -> None:
    """Upgrade to TIER now, and charge the card for the rest of the period.

    Whatever happens, the same key charges at most once: the command shows it before it sends anything.
    """
    screen.check_can_ask(yes=yes)
    with session() as current:
        claim = CHARGED_NOTHING_NOW if key else NOTHING_CHARGED
        agree = _agree_again if key else _agree
        agreed = agree(screen, current, tier, organisation, claim, yes)
        if agreed is None:
            return
        tier_id, name, organisation = agreed
        key = key or new_idempotency_key()
        # Another organisation would be charged again for the same key, and no record of the upgrade says whose it is.
        bound = ["--organisation", organisation] if organisation is not None else []
        again = same_again("subscription", "upgrade", tier_id, "--key", key, *bound, *(["--yes"] if yes else []))
        screen.tell("If this is interrupted, continue with:")
        screen.tell_line(again)
        upgrade_once = partial(
            current.client.upgrade_subscription, tier_id, idempotency_key=key, organisation_id=organisation
        )
        _upgrade(screen, current, upgrade_once, tier_id, name, key, again, claim)


def _agree(
    screen: Screen, current: Session, tier: str, organisation: str | None, claim: str, yes: bool
) -> tuple[str, str, str] | None:
    """Ask for an upgrade, and return the tier's id and name and the organisation; None where it is the tier already."""
    try:
        found, chosen, quote = with_permission(
            screen, current, "Asking what the upgrade costs …", lambda: plans.quote_change(current, tier)
        )
    except BillingError as error:
        screen.fail(error, claim=claim)
    _check_organisation(screen, found, organisation, claim)
    if quote.effect == "no_op":
        screen.answer({"status": "already_on_tier"}, [], f"The subscription is on {chosen.name} already.")
        return None
    if quote.effect != "charge_now":
        again = same_again("subscription", "change", chosen.tier_id) if quote.effect == "scheduled" else None
        screen.end(Ending.REFUSED, f"No upgrade: {plans.effect_of(quote)} {claim}", again=again)
    screen.tell(f"{found.org.name}: {plans.effect_of(quote)}")
    screen.confirm(f"Upgrade to {chosen.name} now?", yes=yes)
    return chosen.tier_id, chosen.name, found.org.id


def _agree_again(
    screen: Screen, current: Session, tier: str, organisation: str | None, claim: str, yes: bool
) -> tuple[str, str, str | None]:
    """Ask for an upgrade that may have been made: only the same key finds out, whatever the subscription shows."""
    tier_id, name = tier, tier
    try:
        with screen.working("Reading the subscription …"):
            found = current.client.get_subscription()
        _check_organisation(screen, found, organisation, claim)
        organisation = found.org.id
        chosen = plans.find_tier(found, tier)
        tier_id, name = chosen.tier_id, chosen.name
        screen.tell(f"{found.org.name}: an upgrade to {name} is continued; its key charges at most once.")
    except BillingError:
        # It is the id of a tier, in the line that was printed for this.
        pass
    screen.confirm(f"Upgrade to {name} now, unless this key has done so?", yes=yes)
    return tier_id, name, organisation


def _check_organisation(screen: Screen, found: Subscription, organisation: str | None, claim: str) -> None:
    """Refuse a login of another organisation than the one that the command names."""
    if organisation not in (None, found.org.id):
        error = BillingInvalidRequest(
            f"This upgrade is for the organisation {organisation}, but you are logged in to {found.org.name} "
            f"({found.org.id}). Log in to the former, and run the same command again.",
            error="wrong_organisation",
        )
        screen.fail(error, claim=claim)


def _upgrade(
    screen: Screen,
    current: Session,
    upgrade_once: Callable[[], SubscriptionUpgrade],
    tier_id: str,
    name: str,
    key: str,
    again: str,
    claim: str,
) -> None:
    members: dict[str, object] = {"key": key}
    made: SubscriptionUpgrade | None = None
    try:
        made = with_permission(screen, current, "Upgrading …", upgrade_once)
        members["status"] = made.status
        if made.is_upgraded:
            screen.tell(_made(made, name))
            with screen.working("Waiting for the portal to show it …"):
                shown = current.client.wait_for_upgrade(tier_id)
            plans.answer(screen, shown, members)
            return
    except BillingError as error:
        if made is None:
            screen.fail(error, members, claim=claim, again=again if error.outcome_unknown else None)
    except KeyboardInterrupt:
        if made is None:
            _end_unknown(screen, members, again)
    if made.is_upgraded:
        # It is upgraded, whatever comes after it.
        screen.answer(members, [], f"{_made(made, name)} The portal will show it shortly.")
        return
    if made.outcome_unknown:
        _end_unknown(screen, members, again)
    sentence = f"Not upgraded, and nothing was charged yet ({made.reason or made.status}). Finish it on the portal."
    screen.end(Ending.CARD, sentence, portal_url=made.recovery_url, members=members)


def _made(made: SubscriptionUpgrade, name: str) -> str:
    if made.status == "already_on_tier":
        return f"The subscription is on {name} already."
    return f"The subscription was upgraded to {name}."


def _end_unknown(screen: Screen, members: dict[str, object], again: str) -> NoReturn:
    screen.end(Ending.UNKNOWN, "It is not known whether the upgrade was made.", members=members, again=again)
