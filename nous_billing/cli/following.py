"""`resume` and `charge`."""

from __future__ import annotations

import click

from nous_billing import (
    BillingError,
    BillingInvalidRequest,
    ChargeFailed,
    ChargeSettled,
    ChargeStatus,
    Purchase,
)

from . import purchases
from .as_json import error_members
from .buying import progress
from .endings import Ending, ending_of
from .explaining import explain
from .options import with_screen
from .screen import Screen
from .session import purchases_path, session, with_permission
from .text import dollars, moment, same_again

_LONGEST_SECONDS = 60


@click.command(short_help="Find out how purchases ended.")
@with_screen
def resume(screen: Screen) -> None:
    """Find out how purchases ended that were interrupted. Never charges anything."""
    with session() as current, screen.working("Asking the portal how open purchases ended …") as working:
        outcomes = current.client.resume_purchases(
            purchases_path(), cap=_LONGEST_SECONDS, on_progress=lambda event: working.update(progress(event))
        )
    members: list[dict[str, object]] = []
    failures: dict[Ending, dict[str, object]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Purchase):
            members.append(purchases.members(outcome))
            screen.tell(outcome.message)
            continue
        ending, sentence, again = ending_of(outcome), explain(outcome), purchases.again(outcome)
        told = error_members(ending, sentence, error=outcome, portal_url=outcome.portal_url, again=again)
        failures.setdefault(ending, told)
        members.append(purchases.unknown_members(outcome))
        screen.tell(sentence, style="red")
        if again:
            screen.tell_line(again)
    # What is not known is what a program has to look after.
    worst = Ending.UNKNOWN if Ending.UNKNOWN in failures else max(failures, default=Ending.DONE)
    error = {"error": failures[worst]} if failures else {}
    screen.answer({"purchases": members, **error}, [], "" if outcomes else "No purchase is open.")
    if worst is not Ending.DONE:
        raise SystemExit(worst)


@click.command()
@click.argument("charge_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until it is settled or failed.")
@with_screen
def charge(screen: Screen, charge_id: str, wait: bool) -> None:
    """Show how a charge stands."""
    with session() as current:

        def ask() -> ChargeStatus:
            if wait:
                return current.client.wait_for_charge(charge_id)
            return current.client.get_charge_status(charge_id)

        waiting = "Waiting until the charge is settled or failed …" if wait else "Asking the portal …"
        again = same_again("charge", charge_id, "--wait")
        try:
            found = with_permission(screen, current, waiting, ask)
        except BillingInvalidRequest as error:
            screen.end(Ending.INPUT, error.message.replace("charge_id", "ID", 1), error=error)
        except BillingError as error:
            screen.fail(error, {"charge_id": charge_id}, again=again if error.outcome_unknown else None)
        except KeyboardInterrupt:
            stopped = "Stopped. It is not known how the charge ended."
            screen.end(Ending.UNKNOWN, stopped, members={"charge_id": charge_id}, again=again)
    members: dict[str, object] = {"charge_id": charge_id, "status": found.status}
    if isinstance(found, ChargeFailed):
        screen.end(
            Ending.CARD,
            f"Not paid: {found.reason}. Nothing was charged.",
            members={**members, "reason": found.reason},
        )
    if not isinstance(found, ChargeSettled):
        sentence = "Not settled yet, or the portal does not know it. Ask again later."
        screen.end(Ending.UNKNOWN, sentence, members=members, again=again)
    screen.answer(
        {**members, "amount_usd": found.amount_usd, "settled_at": found.settled_at},
        [("paid", moment(found.settled_at))],
        f"Paid {dollars(found.amount_usd)}.",
    )
