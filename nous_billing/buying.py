"""The rules of a purchase, written once and without I/O: charged at most once, whatever dies on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, TypeVar

from . import operations
from .clock import BaseClock
from .credentials import Credentials
from .errors import (
    BillingChargeUnconfirmed,
    BillingError,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingPurchaseCancelled,
    BillingPurchaseInterrupted,
    BillingPurchaseUncertain,
    BillingScopeRequired,
    BillingServerError,
)
from .flow import Admit, Ask, Flow, Once, exchange, pause_until
from .idempotency import check_idempotency_key
from .models import BillingState, ChargeFailed, ChargeSettled
from .money import Amount, check_amount, format_usd, without_trailing_zeros
from .portal import BILLING_PATH
from .purchase_record import OnProgress, PurchaseRecord, check_same_organisation, conflict, stored
from .purchases import Purchase, PurchaseStore
from .replies import UNKNOWN_OUTCOME
from .settlement import OnPoll

UncertainT = TypeVar("UncertainT", bound=BillingPurchaseUncertain)

Wait = Callable[[str, OnPoll, Admit], Flow[ChargeSettled | ChargeFailed]]

# Before each repetition of a charge. The portal counts every one that arrives in its limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)
# A charge must not be made long after a person confirmed it, such as when a laptop wakes up.
_POSTING_SECONDS = 60.0
# For how long the portal knows a key is not settled; payment processors promise a day.
_KEY_IS_KNOWN = timedelta(days=1)


class Buying:
    """One call that makes a purchase, or goes on with it.

    Args:
        wait: Waits for a charge, by its id.
    """

    def __init__(
        self,
        amount_usd: Amount,
        idempotency_key: str,
        *,
        store: PurchaseStore,
        wait: Wait,
        step_up: Callable[[], Any] | None,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
        base_url: str | None,
        timeout: float,
        clock: BaseClock,
    ) -> None:
        self._wait = wait
        self._step_up = step_up
        self._cancelled = cancelled
        self._base_url = base_url
        self._timeout = timeout
        self._clock = clock
        purchase = Purchase(
            key=check_idempotency_key(idempotency_key),
            # "50" and "50.00" are one purchase, and go out as the same bytes.
            amount_usd=without_trailing_zeros(check_amount(amount_usd, "amount_usd")),
            started_at=self._now(),
        )
        self._record = PurchaseRecord(purchase, store, on_progress)
        self._operation = operations.post_charge(purchase.amount_usd, purchase.key)
        self._vouched: tuple[str, str] | None = None
        self._may_manage = True
        self._saved = False
        self._in_flight = False

    def buy(self) -> Flow[Purchase]:
        """Make the purchase, or go on with what the store has under its key."""
        return (yield from self._decided(self._buy()))

    def watch(self, purchase: Purchase) -> Flow[Purchase]:
        """Go on with a purchase of the store, as far as that cannot make a charge."""
        self._record.take(purchase)
        if purchase.charge_id is None:
            raise self._uncertain(BillingPurchaseUncertain, None)
        return (yield from self._decided(self._settle(purchase.charge_id)))

    def interrupted(self) -> BillingPurchaseInterrupted | None:
        """Return what Ctrl-C leaves open; None where no charge can have been made, or it is known how it ended."""
        if not self._record.may_be_made and not self._in_flight:
            return None
        return self._uncertain(BillingPurchaseInterrupted, None)

    def _decided(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Let an error speak for the purchase as a whole, not for its last request alone."""
        record = self._record
        try:
            return (yield from flow)
        except BillingIdempotencyConflict as error:
            # The key was never good for this amount, whatever became of an earlier reply.
            record.may_be_made = False
            failure: BillingError = conflict(record.purchase, error)
        except BillingError as error:
            failure = error
        self._in_flight = False
        if record.purchase.status == "sending" and record.purchase.revision and not record.may_be_made:
            yield from record.note(status="not_made")
        # Another call may just have been found at it.
        if record.may_be_made:
            raise self._uncertain(BillingPurchaseUncertain, failure) from failure
        raise failure

    def _buy(self) -> Flow[Purchase]:
        record = self._record
        found = yield from record.find()
        if found is not None:
            record.take(found)
        if record.purchase.status in ("settled", "failed"):
            return record.purchase
        if record.purchase.status == "sending" and self._is_too_old():
            raise BillingInvalidRequest(
                "It was begun more than a day ago, and nothing was sent now.", error="purchase_too_old"
            )
        charge_id = record.purchase.charge_id or (yield from self._post())
        return (yield from self._settle(charge_id))

    def _post(self) -> Flow[str]:
        record = self._record
        confirmed = self._moment()
        pauses = iter(_PAUSES)
        while True:
            self._check_cancelled()
            deadline = self._clock.monotonic() + self._timeout
            try:
                accepted = yield from exchange(
                    self._operation, base_url=self._base_url, deadline=deadline, admit=self._admit
                )
                break
            except BillingError as error:
                failure = error
            record.may_be_made = record.may_be_made or failure.outcome_unknown
            self._in_flight = False
            if isinstance(failure, BillingScopeRequired):
                yield from self._ask_for_scope(failure)
                # However long that took, a person has just been there.
                confirmed = self._moment()
                continue
            pause = next(pauses, inf)
            if not _may_be_repeated(failure) or self._seconds_since(confirmed) + pause > _POSTING_SECONDS:
                raise failure
            record.tell(failure)
            yield from pause_until(self._clock.monotonic() + pause, self._clock, self._check_cancelled)
            if self._seconds_since(confirmed) > _POSTING_SECONDS:
                raise failure
        record.may_be_made = True
        yield from record.note(status="pending", charge_id=accepted.charge_id)
        return accepted.charge_id

    def _settle(self, charge_id: str) -> Flow[Purchase]:
        record = self._record
        while True:
            try:
                charge = yield from self._wait(charge_id, record.tell_of_poll, self._vouch)
                break
            except BillingChargeUnconfirmed as error:
                failure = error
            if not isinstance(failure.last_error, BillingScopeRequired):
                raise failure
            yield from self._ask_for_scope(failure)
        # Known, whatever interrupts the saving of it.
        record.may_be_made = False
        if isinstance(charge, ChargeSettled):
            yield from record.note(status="settled", settled_at=charge.settled_at, added_usd=charge.amount_usd)
        else:
            yield from record.note(status="failed", reason=charge.reason)
        return record.purchase

    def _admit(self, credentials: Credentials, address: str, once: Once) -> Flow[None]:
        yield from self._vouch(credentials, address, once)
        if not self._saved:
            # Also where the store has it: whoever else is at it must not take its own refusal for the whole truth.
            begun = {} if self._record.may_be_made else {"started_at": self._now()}
            yield from self._record.save(status="sending", **begun)
            self._saved = True
        self._in_flight = True

    def _vouch(self, credentials: Credentials, address: str, once: Once) -> Flow[None]:
        """See that a token is for the purchase's own organisation: in another one the same key would buy again."""
        if self._vouched == (address, credentials.access_token):
            return
        state: BillingState = yield from once(operations.get_billing_state())
        purchase = self._record.purchase.bound_to(address, state.org)
        check_same_organisation(self._record.purchase, purchase)
        self._record.purchase = purchase
        # Of a role that came later it is not known here what it may.
        self._may_manage = state.org.role != "MEMBER" if state.can_change_plan is None else state.can_change_plan
        # What may have been made is asked for again, whatever the bounds are by now.
        if not self._record.may_be_made and not state.bounds.min_usd <= purchase.amount_usd <= state.bounds.max_usd:
            raise BillingInvalidRequest(
                f"amount_usd must be between {format_usd(state.bounds.min_usd)} and {format_usd(state.bounds.max_usd)} "
                f"here, not {format_usd(purchase.amount_usd)}. Nothing was sent.",
                error="amount_out_of_bounds",
            )
        self._vouched = (address, credentials.access_token)

    def _ask_for_scope(self, refusal: BillingError) -> Flow[None]:
        question, self._step_up = self._step_up, None
        granted: bool = question is not None and (yield Ask(question))
        if granted:
            return
        if not isinstance(refusal, BillingScopeRequired):
            raise refusal
        # What the portal says of a scope is not for a person.
        if not self._may_manage:
            message = f"Only an admin of {self._record.purchase.organisation_name} can buy credits. Ask one."
        elif question is not None:
            message = "Remote spending was not allowed for this login. Try again, and allow it on the portal."
        else:
            message = "This login may not buy credits. Log in again and allow remote spending."
        raise BillingScopeRequired(
            message,
            status=refusal.status,
            error=refusal.error,
            portal_url=refusal.portal_url,
            retry_after=refusal.retry_after,
            payload=refusal.payload,
        )

    def _check_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise BillingPurchaseCancelled(
                f"The purchase was stopped.{'' if self._record.may_be_made else ' Nothing was charged.'}",
                error="purchase_cancelled",
            )

    def _uncertain(self, error_class: type[UncertainT], last_error: BillingError | None) -> UncertainT:
        purchase = self._record.purchase
        what = f"{format_usd(purchase.amount_usd)} for {purchase.organisation_name}"
        open_question = (
            f"It is not known whether {what} was charged."
            if purchase.charge_id is None
            else f"{what} was accepted as charge {purchase.charge_id}; how that ended is not known yet."
        )
        reason = "" if last_error is None else f" {_without_outcome(last_error.message)}"
        advice = (
            "Look at the billing page before you buy anything again: the portal may no longer know the key."
            if purchase.charge_id is None and self._is_too_old()
            else "To find out, buy again with the same amount and the same key: that charges at most once. A new key "
            "could charge twice."
        )
        return error_class(
            f"{open_question}{reason} {advice} (Key {purchase.key}, begun {purchase.started_at:%Y-%m-%d %H:%M} UTC.)",
            key=purchase.key,
            amount_usd=purchase.amount_usd,
            charge_id=purchase.charge_id,
            last_error=last_error,
            portal_url=f"{purchase.portal_base_url}{BILLING_PATH}",
        )

    def _moment(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.time()

    def _seconds_since(self, moment: tuple[float, float]) -> float:
        # While a machine sleeps, the monotonic clock of most systems stands still.
        return max(now - then for now, then in zip(self._moment(), moment, strict=True))

    def _is_too_old(self) -> bool:
        return self._now() - self._record.purchase.started_at > _KEY_IS_KNOWN

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)


def resume(
    store: PurchaseStore, buying: Callable[[Purchase], Buying]
) -> Flow[list[Purchase | BillingPurchaseUncertain]]:
    """Go on with every purchase of a store that has not ended, as far as that cannot make a charge."""
    purchases: list[Purchase] = yield stored(lambda: list(store.load()), "read")
    outcomes: list[Purchase | BillingPurchaseUncertain] = []
    for purchase in purchases:
        try:
            outcomes.append((yield from buying(purchase).watch(purchase)))
        except BillingPurchaseUncertain as error:
            outcomes.append(error)
    return outcomes


def _without_outcome(message: str) -> str:
    """Return what went wrong with the last request, without what it says of the money: an earlier one is open."""
    for outcome in (UNKNOWN_OUTCOME, " Nothing was charged.", " Nothing was sent."):
        message = message.removesuffix(outcome)
    return message


def _may_be_repeated(failure: BillingError) -> bool:
    """Whether the charge may have been made, or was certainly not sent: no definite answer to it has come."""
    # A 5xx that says nothing of a charge was the answer to the question which organisation this is.
    passing = isinstance(failure, (BillingLoginNotSaved, BillingNetworkError, BillingServerError))
    return failure.outcome_unknown or passing
