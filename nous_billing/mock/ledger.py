"""Charges. The last four digits of the saved card decide how they end, as with the test cards of payment processors."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from .clock import MockClock
from .ids import Ids

FAILURES = {
    "3155": "authentication_required",
    "9995": "card_declined",
    "0069": "payment_method_expired",
    "0119": "processing_error",
}
# The charge is made, but the reply to the first POST with each key is lost.
AMBIGUOUS = "0500"

ChargeState = Literal["pending", "settled", "failed"]


def usd(amount: Decimal) -> str:
    """Dollars as a decimal string with as many places as necessary, the portal's format."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def timestamp(moment: datetime) -> str:
    """A moment in UTC in the portal's format."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Charge:
    """One charge of the ledger, in dollars. Its status follows the clock."""

    def __init__(
        self,
        key: str,
        amount: Decimal,
        last4: str,
        clock: MockClock,
        settle_after: float,
        charge_id: str | None = None,
    ) -> None:
        self.id: str = charge_id or Ids().new("charge")
        self.key = key
        self.amount = amount
        self.created_at: datetime = clock.datetime()
        self._ends_at = self.created_at + timedelta(seconds=settle_after)
        self._failure = FAILURES.get(last4)
        self._clock = clock

    def __repr__(self) -> str:
        return f"Charge({self.id!r}, key={self.key!r}, amount={usd(self.amount)!r}, status={self.status!r})"

    @property
    def status(self) -> ChargeState:
        """`pending`, then `settled` or `failed` for good."""
        if self._clock.datetime() < self._ends_at:
            return "pending"
        return "failed" if self._failure else "settled"

    @property
    def reason(self) -> str | None:
        """Why it failed."""
        return self._failure if self.status == "failed" else None

    @property
    def settled_at(self) -> datetime | None:
        """When it was paid."""
        return self._ends_at if self.status == "settled" else None

    def to_wire(self) -> dict[str, Any]:
        """The charge as JSON for a poll."""
        match self.status:
            case "settled":
                return {"status": "settled", "amountUsd": usd(self.amount), "settledAt": timestamp(self._ends_at)}
            case "failed":
                return {"status": "failed", "reason": self._failure}
            case "pending":
                return {"status": "pending"}
