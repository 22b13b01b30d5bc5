"""`balance` and `auto-reload`."""

from __future__ import annotations

from functools import partial

import click

from nous_billing import AutoReload, BillingError, BillingState, check_amount

from .endings import Ending
from .explaining import explain
from .options import CommandOfAmounts, with_screen
from .screen import Screen
from .session import Session, session, with_permission
from .text import card_name, dollars, same_again


@click.command(short_help="Show the balance and the card.")
@with_screen
def balance(screen: Screen) -> None:
    """Show the balance, the card, and what may be bought."""
    with session() as current, screen.working("Reading the billing state …"):
        state = current.client.get_billing_state()
    screen.answer(_members(state), _rows(state), f"{state.org.name}: {dollars(state.balance_usd)}")


def _members(state: BillingState) -> dict[str, object]:
    return {
        "organisation": {"id": state.org.id, "name": state.org.name},
        "balance_usd": state.balance_usd,
        "card": state.card,
        "bounds": state.bounds,
        "charge_presets": state.charge_presets,
        "monthly_cap": state.monthly_cap,
        "auto_reload": state.auto_reload,
        "can_charge": state.can_charge,
        "portal_url": state.portal_url,
    }


def _rows(state: BillingState) -> list[tuple[str, str]]:
    cap = state.monthly_cap
    spent = f"{dollars(cap.spent_this_month_usd)} of {dollars(cap.limit_usd) or 'no limit'}" if cap else ""
    return [
        ("card", card_name(state)),
        ("this month", spent),
        ("auto-reload", _auto_reload_text(state.auto_reload) if state.auto_reload else ""),
        ("at a time", f"{dollars(state.bounds.min_usd)} to {dollars(state.bounds.max_usd)}"),
        ("may buy", may_buy(state)),
        ("portal", state.portal_url),
    ]


def may_buy(state: BillingState) -> str:
    """Write why a person may not buy; nothing where the billing state forbids nothing."""
    if not state.cli_billing_enabled:
        return "no: the organisation has switched buying from a terminal off"
    return "" if state.can_charge else "no: your role may not"


@click.command("auto-reload", cls=CommandOfAmounts, short_help="Show or change auto-reload.")
@click.argument("amounts", nargs=-1, metavar="[THRESHOLD AMOUNT | off]")
@with_screen
def auto_reload(screen: Screen, amounts: tuple[str, ...]) -> None:
    """Show auto-reload, change it, or switch it off.

    \b
    nous-billing auto-reload           show it
    nous-billing auto-reload 20 100    below $20 the balance is reloaded to $100
    nous-billing auto-reload off       switch it off
    """
    is_off = [each.casefold() for each in amounts] == ["off"]
    if amounts and not is_off:
        _check(screen, amounts)
    with session() as current:
        if amounts:
            _save(screen, current, amounts, is_off=is_off)
        state = _read(screen, current, is_saved=bool(amounts))
    settings = state.auto_reload
    shown = f"Auto-reload: {_auto_reload_text(settings)}." if settings else "Only an admin sees auto-reload."
    members = {"auto_reload": settings, "changed": bool(amounts), "portal_url": state.portal_url}
    screen.answer(members, [], shown)


def _check(screen: Screen, amounts: tuple[str, ...]) -> None:
    if len(amounts) != 2:
        screen.end(Ending.INPUT, "Give a threshold and an amount in dollars, such as 20 100, or the word off.")
    threshold, reload_to = (
        check_amount(each.removeprefix("$"), name)
        for each, name in zip(amounts, ("The threshold", "The amount"), strict=True)
    )
    # The contract leaves this to the screens: the amount is what the balance is reloaded to.
    if reload_to <= threshold:
        screen.end(
            Ending.INPUT,
            f"The balance would be reloaded to {dollars(reload_to)}, which has to be more than the threshold of "
            f"{dollars(threshold)}. Nothing was sent.",
        )


def _save(screen: Screen, current: Session, amounts: tuple[str, ...], *, is_off: bool) -> None:
    threshold, reload_to = (None, None) if is_off else (each.removeprefix("$") for each in amounts)
    again = same_again("auto-reload", *amounts)
    save = partial(current.client.patch_auto_top_up, enabled=not is_off, threshold=threshold, top_up_amount=reload_to)
    try:
        with_permission(screen, current, "Saving auto-reload …", save)
    except BillingError as error:
        screen.fail(error, again=again if error.outcome_unknown else None)
    except KeyboardInterrupt:
        screen.end(Ending.UNKNOWN, "Stopped. It is not known whether auto-reload was changed.", again=again)


def _read(screen: Screen, current: Session, *, is_saved: bool) -> BillingState:
    try:
        with screen.working("Reading the billing state …"):
            return current.client.get_billing_state()
    except BillingError as error:
        if not is_saved:
            raise
        screen.tell(explain(error))
    except KeyboardInterrupt:
        if not is_saved:
            raise
    members = {"auto_reload": None, "changed": True, "portal_url": None}
    screen.answer(members, [], "Auto-reload was changed. The new settings could not be read.")
    raise SystemExit(Ending.DONE)


def _auto_reload_text(settings: AutoReload) -> str:
    if not settings.enabled:
        return "off"
    return f"below {dollars(settings.threshold_usd)} the balance is reloaded to {dollars(settings.reload_to_usd)}"
