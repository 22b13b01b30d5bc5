"""Holds what the service said against the portal's ledger: each answer at its time, and each purchase in the end."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import Any

from nous_billing import Purchase
from nous_billing.mock import Organisation
from nous_billing.mock.ledger import Charge
from tests.chaos.claims import WRONG_WORDS, Statement, charge_ids_in, wrong_words
from tests.chaos.words import LOST, OPEN, RECORD, TWICE, UNTYPED, contradicts

STATUSES = {
    "paid": {200},
    "not_known": {202, 503},
    "declined": {402},
    "not_authorised": {401, 403},
    "refused": {409, 422, 429, 503},
    "not_found": {404},
}
NOT_KNOWN = "not known in the end"
FAULTS = (TWICE, LOST, *WRONG_WORDS, RECORD, UNTYPED, OPEN)


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP, or one event.

    Attributes:
        began: When it was asked for.
        at: When it came.
    """

    asked: str
    began: float
    at: float
    status: int
    body: dict[str, Any]

    @property
    def outcome(self) -> str:
        return str(self.body.get("outcome"))

    @property
    def is_typed(self) -> bool:
        """Whether the status and the outcome agree; an event has no status."""
        return self.status in STATUSES.get(self.outcome, ()) or (self.asked == "events" and self.outcome in STATUSES)

    def said(self, amount_usd: str) -> Statement:
        """What it says of the purchase."""
        text = str(self.body.get("message"))
        ids = {*charge_ids_in(text), *filter(None, [self.body.get("charge_id")])}
        status = {"paid": "settled", "declined": "failed"}.get(self.outcome, "")
        is_purchase = "amount_usd" in self.body
        if is_purchase and self.outcome == "refused":
            status = "not_made"
        # Who may not ask, and what is not found, says nothing of a charge but with words.
        is_silent = self.outcome in ("not_known", "not_found") or self.status == 401
        return Statement(
            self.at,
            "Purchase" if is_purchase else "",
            text,
            status,
            outcome_unknown=is_silent,
            is_final=True,
            charge_ids=tuple(ids),
            added_usd=Decimal(amount_usd),
        )


@dataclass(eq=False)
class Intent:
    """One action of a person: a purchase, however often it is asked for."""

    organisation: Organisation
    session: str
    action: str
    amount_usd: str
    key: str
    walks_away: bool
    posts: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def charges(self) -> list[Charge]:
        """Those in the ledger, by the amount: whatever key they were made with."""
        return [charge for charge in self.organisation.charges if charge.amount == Decimal(self.amount_usd)]

    @property
    def accepted(self) -> bool:
        return any(answer.asked == "post" and answer.status == 202 for answer in self.answers)

    def hear(self, answer: Answer) -> None:
        """Judge an answer at once: what is in the ledger later did not make it true."""
        self.answers.append(answer)
        charges = self.charges
        if not answer.is_typed:
            self._complain(UNTYPED, answer, charges)
            return
        # Another request may have the charge made just after this one has looked for the last time.
        for word in wrong_words(answer.said(self.amount_usd), charges, known_until=answer.began):
            self._complain(word, answer, charges)
        if answer.outcome == "not_found" and any(each.created_at.timestamp() < answer.began for each in charges):
            self._complain(LOST, answer, charges)

    def judge_end(self, kept: Purchase | None) -> Counter[str]:
        """What was wrong, with what the store has in the end."""
        self._judge_lonely_posts()
        charges = self.charges
        settled = [charge for charge in charges if charge.status == "settled"]
        status = kept.status if kept else "none"
        if len(charges) > 1:
            self._complain(TWICE, status, charges)
        if settled and status not in ("settled", "sending", "pending"):
            self._complain(LOST, status, charges)
        if status in ("sending", "pending", "none"):
            self.wrong[NOT_KNOWN] += status != "none"
            if not self.walks_away or status == "pending":
                self._complain(OPEN, status, charges)
        if self.accepted and status == "none":
            self._complain(LOST, status, charges)
        if kept and contradicts(kept, charges):
            self._complain(RECORD, kept, charges)
        return self.wrong

    def _judge_lonely_posts(self) -> None:
        """The first request, if nobody asked again before its answer, must not have charged after "refused"."""
        posts = [answer for answer in self.answers if answer.asked == "post"]
        if not posts or posts[0].began != min(self.posts):
            return
        following = min((post for post in self.posts if post > posts[0].began), default=inf)
        if following > posts[0].at:
            for word in wrong_words(posts[0].said(self.amount_usd), self.charges, known_until=following):
                if word not in self.wrong:
                    self._complain(word, posts[0], self.charges)

    def _complain(self, fault: str, told: object, charges: Sequence[Charge]) -> None:
        self.wrong[fault] += 1
        self.complaints.append(f"{fault}: {self.key[:8]} at {time.time():.3f}: {told} of {charges}, posts {self.posts}")
