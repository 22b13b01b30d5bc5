"""The page `/billing`: what an organisation has, owes and allows. Here a person fixes what a refusal names."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import escape
from urllib.parse import quote

from .app import HTML
from .html import options, page
from .ledger import AMBIGUOUS, FAILURES, Charge, usd
from .organisations import Card, Organisation
from .page_form import read_fields, see_other
from .portal import Portal
from .replies import Reply, Request
from .seed import find

_TAGS = {"settled": "good", "failed": "bad", "pending": "wait"}
_CARDS = {"4242": "settles", **FAILURES, AMBIGUOUS: "settles, the first reply is lost"}


class BillingPage:
    """Shows an organisation, by default the first one, and takes changes."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def show(self, request: Request) -> Reply:
        """GET /billing."""
        wanted = dict(request.query).get("organisation")
        try:
            return self._reply(find(self._portal.organisations, wanted))
        except LookupError as problem:
            return Reply(404, page("Billing", [_alert(str(problem.args[0]))]), media_type=HTML)

    def submit(self, request: Request) -> Reply:
        """POST /billing: the fields that the form has change, the others stay."""
        fields = read_fields(request)
        try:
            organisation = find(self._portal.organisations, fields.get("organisation"))
        except LookupError:
            return see_other("/billing")
        if "monthly_cap" in fields:
            try:
                organisation.monthly_cap = _cap(fields["monthly_cap"])
            except ValueError as problem:
                return self._reply(organisation, str(problem), 400)
        if "spending" in fields:
            organisation.cli_billing_enabled = fields["spending"] == "allow"
        if "confirmed" in fields:
            organisation.consent_required = False
        if fields.get("card", _choice_of_card(organisation)) != _choice_of_card(organisation):
            organisation.card = Card("visa", fields["card"]) if fields["card"] in _CARDS else None
        return see_other(f"/billing?organisation={quote(organisation.id)}")

    def _reply(self, organisation: Organisation, problem: str = "", status: int = 200) -> Reply:
        body = [_alert(problem)] if problem else []
        if len(self._portal.organisations) > 1:
            body += _choice(self._portal.organisations, organisation)
        body += ['<div class="grid">', *_sections(organisation), "</div>", *_ledger(organisation)]
        return Reply(status, page(f"Billing of {organisation.name}", body), media_type=HTML)


def _cap(text: str) -> Decimal | None:
    amount = text.strip().removeprefix("$")
    if amount and not re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,16})?", amount):
        raise ValueError("The monthly cap is an amount in dollars, such as 250, or empty.")
    return Decimal(amount) if amount else None


def _alert(text: str) -> str:
    return f'<p class="word bad" role="alert">{escape(text)}</p>'


def _dollars(amount: Decimal) -> str:
    places = max(2, -int(amount.as_tuple().exponent))
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{places}f}"


def _form(organisation: Organisation, inside: str) -> str:
    hidden = f'<input type="hidden" name="organisation" value="{escape(organisation.id)}">'
    return f'<form method="post" action="/billing">{hidden}{inside}</form>'


def _choice(organisations: list[Organisation], shown: Organisation) -> Iterator[str]:
    choices = options(((each.id, each.name) for each in organisations), shown.id)
    yield '<section><form action="/billing"><label for="organisation">Organisation</label><div class="row">'
    yield f'<select id="organisation" name="organisation">{choices}</select><button class="side">Show</button>'
    yield "</div></form></section>"


def _sections(organisation: Organisation) -> Iterator[str]:
    yield f'<section><h2>Balance</h2><p class="big">{_dollars(organisation.balance)}</p>'
    yield f'<p class="note">{_auto_reload(organisation)}</p></section>'
    yield f"<section>{_remote_spending(organisation)}</section>"
    yield f"<section>{_subscription(organisation)}</section>"
    yield f"<section>{_saved_card(organisation)}</section>"
    yield f"<section>{_monthly_cap(organisation)}</section>"


def _auto_reload(organisation: Organisation) -> str:
    reload = organisation.auto_reload
    if reload is None or not reload.enabled or reload.threshold is None or reload.reload_to is None:
        return "Auto-reload is off."
    return f"Auto-reload to {_dollars(reload.reload_to)} when below {_dollars(reload.threshold)}."


def _remote_spending(organisation: Organisation) -> str:
    allowed = organisation.cli_billing_enabled
    tag = '<span class="tag good">Allowed</span>' if allowed else '<span class="tag bad">Stopped</span>'
    button = ("stop", "", "Stop") if allowed else ("allow", "go", "Allow")
    value, style, word = button
    return (
        f'<h2>Remote spending</h2><p>{tag}</p><p class="note">Whether terminals may buy: the kill-switch of the whole '
        "organisation.</p>"
        + _form(
            organisation, f'<button class="{style}" name="spending" value="{value}">{word} remote spending</button>'
        )
    )


def _saved_card(organisation: Organisation) -> str:
    card = organisation.card
    shown = f"{card.brand.capitalize()} ···· {card.last4}" if card else "No saved card"
    choices = [
        ("none", "No saved card"),
        *((last4, f"{last4}: {end.replace('_', ' ')}") for last4, end in _CARDS.items()),
    ]
    if card and card.last4 not in _CARDS:
        choices.append((card.last4, f"{card.last4}: settles"))
    text = f'<h2>Card</h2><p class="big">{escape(shown)}</p>'
    if organisation.consent_required:
        text += _form(organisation, '<p><button class="go" name="confirmed" value="yes">Confirm the card</button></p>')
    return text + _form(
        organisation,
        '<label for="card">A charge with the card</label><div class="row"><select id="card" name="card">'
        f'{options(choices, _choice_of_card(organisation))}</select><button class="side">Save</button></div>',
    )


def _choice_of_card(organisation: Organisation) -> str:
    return organisation.card.last4 if organisation.card else "none"


def _monthly_cap(organisation: Organisation) -> str:
    limit, spent = organisation.spending_limit, organisation.spent_this_month
    own = "" if organisation.monthly_cap is None else usd(organisation.monthly_cap)
    kind = "default ceiling" if organisation.monthly_cap is None else "own cap"
    return (
        f'<h2>Monthly cap</h2><p class="big">{_dollars(spent)}</p><p class="note">spent this month of '
        f"{_dollars(limit)} ({kind})</p>"
        + _form(
            organisation,
            '<label for="cap">Cap in dollars; empty for the default</label><div class="row"><input type="text" '
            f'id="cap" name="monthly_cap" inputmode="decimal" value="{own}"><button class="side">Save</button></div>',
        )
    )


def _subscription(organisation: Organisation) -> str:
    plan, tier = organisation.plan, organisation.plan.tier
    if tier is None:
        return '<h2>Subscription</h2><p class="big">None</p>'
    until = f"{plan.ends_at:%B} {plan.ends_at.day}"
    follows = plan.find(plan.pending) if plan.pending else None
    if plan.pending == "cancellation":
        then = f"It ends on {until}."
    else:
        then = f"{follows.name} follows on {until}." if follows else f"It renews on {until}."
    credits = f"{_dollars(tier.credits - plan.used)} of {_dollars(tier.credits)} in credits left"
    return (
        f'<h2>Subscription</h2><p class="big">{escape(tier.name)}</p>'
        f'<p class="note">{_dollars(tier.price)} a month, {credits}. {escape(then)}</p>'
    )


def _ledger(organisation: Organisation) -> Iterator[str]:
    yield '<section aria-labelledby="ledger"><h2 id="ledger">Ledger</h2>'
    if not organisation.charges:
        yield '<p class="note">No charge yet. A purchase from a terminal appears here.</p></section>'
        return
    yield '<div class="rows"><table><thead><tr><th scope="col">When (UTC)</th><th scope="col" class="sum">Amount</th>'
    yield '<th scope="col">Charge</th><th scope="col">Status</th><th scope="col">Idempotency key</th></tr></thead>'
    yield "<tbody>"
    for charge in reversed(organisation.charges):
        yield _row(charge)
    yield "</tbody></table></div></section>"


def _row(charge: Charge) -> str:
    why = f" {charge.reason.replace('_', ' ')}" if charge.reason else ""
    return (
        f'<tr><td>{charge.created_at:%Y-%m-%d %H:%M:%S}</td><td class="sum">{_dollars(charge.amount)}</td>'
        f'<td><code>{escape(charge.id)}</code></td><td><span class="tag {_TAGS[charge.status]}">{charge.status}</span>'
        f"{escape(why)}</td><td><code>{escape(charge.key)}</code></td></tr>"
    )
