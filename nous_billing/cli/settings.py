"""`balance` and `auto-reload`."""

from __future__ import annotations

import click

from nous_billing import AutoReload, BillingState

from .endings import Ending
from .options import with_screen
from .screen import Screen
from .session import session
from .text import card_name, dollars


@click.command()
@with_screen
def balance(screen: Screen) -> None:
    """Show the balance, the card, and what may be bought."""
    with session() as current:
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
        ("card", card_name(state.card)),
        ("this month", spent),
        ("auto-reload", _auto_reload_text(state.auto_reload) if state.auto_reload else ""),
        ("you can buy", f"{dollars(state.bounds.min_usd)} to {dollars(state.bounds.max_usd)}"),
        ("portal", state.portal_url),
    ]


@click.command("auto-reload", context_settings={"ignore_unknown_options": True})
@click.argument("amounts", nargs=-1, metavar="[THRESHOLD AMOUNT | off]")
@with_screen
def auto_reload(screen: Screen, amounts: tuple[str, ...]) -> None:
    """Show auto-reload, change it, or switch it off.

    \b
    nous-billing auto-reload           show it
    nous-billing auto-reload 20 100    below $20 the balance is reloaded to $100
    nous-billing auto-reload off       switch it off
    """
    with session() as current:
        if amounts == ("off",):
            current.client.patch_auto_top_up(enabled=False, threshold=None, top_up_amount=None)
        elif len(amounts) == 2:
            current.client.patch_auto_top_up(enabled=True, threshold=amounts[0], top_up_amount=amounts[-1])
        elif amounts:
            screen.end(Ending.INPUT, "Give a threshold and an amount in dollars, such as 20 100, or the word off.")
        state = current.client.get_billing_state()
    settings = state.auto_reload
    shown = f"Auto-reload: {_auto_reload_text(settings)}." if settings else "Only an admin sees auto-reload."
    screen.answer({"auto_reload": settings, "portal_url": state.portal_url}, [], shown)


def _auto_reload_text(settings: AutoReload) -> str:
    if not settings.enabled:
        return "off"
    return f"below {dollars(settings.threshold_usd)} the balance is reloaded to {dollars(settings.reload_to_usd)}"
