"""Counts, from the portal's ledger and from what the buyers know, who was charged twice and what was lost."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from nous_billing import BillingClient, StaticToken
from tests.chaos.claims import WRONG_WORDS, Statement, charge_ids_in, wrong_words
from tests.chaos.driver import Run
from tests.chaos.people import OPENING, Batch
from tests.chaos.reports import Report
from tests.chaos.words import LOST, OPEN, RECORD, TWICE, UNTYPED

# What must be 0.
FAULTS_OF_OURS = (
    "charged twice",
    "more than one charge",
    "settled, not known to the buyer",
    "not_made or failed in the store, settled in the ledger",
    "not_made in the store, a charge in the ledger",
    "settled in the store, not in the ledger",
    *WRONG_WORDS,
    "balance wrong",
    "never ended",
    "untyped errors",
    "store errors",
    "crashed",
    "hung",
    "breaches of the contract",
)


@dataclass
class Known:
    """What the buyer of one purchase knows in the end."""

    status: str
    charge_ids: set[str]
    amount: Decimal | None


def audit(run: Run) -> Counter[str]:
    """The counts of a run, with those of the audit."""
    counts = run.counts
    for batch in run.batches:
        for key, amount in batch.purchases:
            counts["purchases"] += 1
            counts["purchases that were killed"] += batch.kills > 0
            counts["purchases that were killed more than once"] += batch.kills > 1
            counts["purchases pressed twice at once"] += batch.pressed_twice
            _audit_purchase(run, batch, key, amount, counts)
        _audit_reports(run, batch, counts)
    counts["breaches of the contract"] += len(run.portal.violations)
    counts["requests"] += len(run.portal.requests)
    refreshes = [request for request in run.portal.requests if request.headers.get("x-nous-refresh-token")]
    counts["refreshes"] += len(refreshes)
    counts["limiter refusals"] += run.portal.limiter.refusals
    if not run.fresh_keys:
        _audit_balances(run, counts)
    return counts


def _audit_purchase(run: Run, batch: Batch, key: str, amount: str, counts: Counter[str]) -> None:
    charges = batch.customer.charges(amount)
    settled = [charge for charge in charges if charge.status == "settled"]
    known = _known(run, batch, key, amount)
    twice = len(settled) > 1
    counts["charges in the ledger"] += len(charges)
    counts["settled charges"] += len(settled)
    counts["charged twice"] += twice
    counts["charged twice, pressed once"] += twice and not batch.pressed_twice
    counts["dollars charged too much"] += int(sum(charge.amount for charge in settled[1:]))
    counts["more than one charge"] += len(charges) > 1
    counts["never ended"] += known.status not in ("settled", "failed")
    for charge in settled:
        is_known = known.status == "settled" and charge.id in known.charge_ids and known.amount == charge.amount
        counts["settled, not known to the buyer"] += not is_known
        wrong = known.status in ("not_made", "failed")
        counts["not_made or failed in the store, settled in the ledger"] += wrong
    counts["settled in the store, not in the ledger"] += known.status == "settled" and not settled


def _known(run: Run, batch: Batch, key: str, amount: str) -> Known:
    if not run.fresh_keys:
        kept = list(batch.customer.store.load(key))
        if not kept:
            return Known("not saved", set(), None)
        ids = {kept[0].charge_id} if kept[0].charge_id else set()
        return Known(kept[0].status, ids, kept[0].added_usd)
    told = [report for report in batch.reports.read() if report.amount == amount]
    ids = {report.detail for report in told if report.what == "settled"}
    statuses = [report.what for report in told if report.what in ("settled", "failed")]
    status = "settled" if ids else statuses[-1] if statuses else "not known"
    return Known(status, ids, Decimal(amount))


def _audit_reports(run: Run, batch: Batch, counts: Counter[str]) -> None:
    for report in batch.reports.read():
        counts[f"told {report.what}"] += 1
        counts["untyped errors"] += report.what == "crash"
        counts["store errors"] += report.what == "store"
        if report.amount and not run.fresh_keys:
            # Of two who press at once each may be told the truth, and the other be charged a moment later.
            known_until = 0.0 if batch.pressed_twice else report.at
            charges = batch.customer.charges(report.amount)
            wrong = wrong_words(_said(report), charges, known_until=known_until)
            counts.update(wrong)
            if wrong:
                print(f"killed: {', '.join(sorted(wrong))}: {report} of {charges}, known until {known_until}")


def _said(report: Report) -> Statement:
    if report.what in ("settled", "failed"):
        amount = Decimal(report.amount)
        return Statement(report.at, "Purchase", status=report.what, charge_ids=(report.detail,), added_usd=amount)
    is_unknown = report.what != "refused"
    ids = charge_ids_in(report.detail)
    return Statement(report.at, "", report.detail, outcome_unknown=is_unknown, is_final=True, charge_ids=ids)


def columns(run: Run) -> Counter[str]:
    """The counts of a run that the other ways of pressing have as well."""
    counts = run.counts
    return Counter(
        {
            "purchases": counts["purchases"],
            "presses": counts["sync processes"] + counts["async processes"],
            "charges": counts["charges in the ledger"],
            "sentences": sum(count for name, count in counts.items() if name.startswith("told ")),
            TWICE: counts["more than one charge"],
            LOST: counts["settled, not known to the buyer"],
            **{name: counts[name] for name in WRONG_WORDS},
            RECORD: sum(count for name, count in counts.items() if "in the store, " in name),
            UNTYPED: counts["untyped errors"] + counts["crashed"] + counts["hung"],
            OPEN: counts["never ended"],
        }
    )


def _audit_balances(run: Run, counts: Counter[str]) -> None:
    """The portal's own sum against what the buyers know of."""
    customers = {batch.customer.organisation.id: batch.customer for batch in run.batches}
    with run.portal.serve():
        for customer in customers.values():
            token = run.portal.issue_token(customer.person)
            with BillingClient(StaticToken(token), base_url=run.portal.url) as client:
                balance = client.get_billing_state().balance_usd
            mine = [batch for batch in run.batches if batch.customer is customer]
            kept = [list(customer.store.load(key)) for batch in mine for key, _ in batch.purchases]
            bought = [purchase[0].added_usd or 0 for purchase in kept if purchase and purchase[0].status == "settled"]
            counts["balance wrong"] += balance != OPENING + sum(bought)
