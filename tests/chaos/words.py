"""Counts, from the ledger, what was wrong with a purchase: charges, what is known of them, and every sentence."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from nous_billing import Purchase, PurchaseDirectory
from nous_billing.mock.ledger import Charge
from tests.chaos.claims import WRONG_WORDS, Statement, wrong_words
from tests.chaos.presses import Intent, Press

TWICE = "charged twice"
LOST = "lost"
RECORD = "record wrong"
UNTYPED = "untyped"
OPEN = "never ended"
FAULTS = (TWICE, LOST, *WRONG_WORDS, RECORD, UNTYPED, OPEN)
COLUMNS = ("purchases", "presses", "charges", "sentences", "billing page", *FAULTS)


def audit_intent(intent: Intent, sent_at: dict[str, float], complain: Callable[[str], None]) -> Counter[str]:
    """The columns of one purchase.

    Args:
        sent_at: When the first charge came, by the token that it came with and was not refused for.
        complain: Is told what was wrong.
    """
    charges = [
        charge
        for organisation in (intent.organisation, intent.stranger.organisation)
        for charge in organisation.charges
        if charge.key == intent.key
    ]
    settled = [charge for charge in charges if charge.status == "settled"]
    ended = intent.ended
    on_page = ended is None and "billing page" in str(intent.presses[-1].outcome)
    counts = Counter(
        {
            "purchases": 1,
            "presses": len(intent.presses),
            "charges": len(charges),
            "billing page": on_page,
            TWICE: len(charges) > 1,
            LOST: bool(settled) and not on_page and not (ended and ended.charge_id == settled[0].id),
            OPEN: ended is None and not on_page,
            UNTYPED: sum(bool(press.crash) for press in intent.presses),
            RECORD: _record_is_wrong(intent, charges),
        }
    )
    for number, press in enumerate(intent.presses):
        sent = min((sent_at[token] for token in press.tokens & sent_at.keys()), default=inf)
        following = [other.began for other in intent.presses[number + 1 :]]
        for said, known_until in _sentences(press, following):
            counts["sentences"] += 1
            wrong = wrong_words(said, charges, known_until=known_until, sent_at=sent)
            counts.update(wrong)
            if wrong:
                complain(f"{intent.way}: {', '.join(sorted(wrong))}: {said} of {charges}, known until {known_until}")
        if press.crash:
            complain(f"{intent.way}: {press.crash}")
    for column in (TWICE, LOST, OPEN, RECORD):
        if counts[column]:
            complain(f"{intent.way}: {column}: {charges}, told {[press.raised for press in intent.presses]}")
    return counts


def _sentences(press: Press, following: list[float]) -> list[tuple[Statement, float]]:
    """Each with the moment before which a charge must be known to whoever says that there is none."""
    told = [(said, said.at) for said in press.progress]
    if press.raised is None:
        return told
    if press.intent.way == "twenty presses":
        # Another call may have it made just after this one has looked into the store for the last time.
        return [*[(said, 0.0) for said, _ in told], (press.raised, press.looked_at or press.began)]
    # Nobody else is at it: what this call has sent must not be made after it has said that it was not.
    return [*told, (press.raised, min(following, default=float("inf")))]


def _record_is_wrong(intent: Intent, charges: list) -> bool:
    if intent.way == "no store":
        return False
    found = list(PurchaseDirectory(intent.folder).load(intent.key))
    if not found:
        return bool(charges)
    return contradicts(found[0], charges)


def contradicts(kept: Purchase, charges: Sequence[Charge]) -> bool:
    """Whether a store has a purchase that the charges of its key show to be otherwise."""
    statuses = {charge.id: charge.status for charge in charges}
    if kept.status in ("settled", "failed"):
        return statuses.get(str(kept.charge_id)) != kept.status
    if kept.status == "pending":
        return kept.charge_id not in statuses
    return kept.status == "not_made" and bool(charges)
