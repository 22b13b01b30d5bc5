"""The rules of a purchase, written once and without I/O: charged at most once, whatever dies on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from ..clock import BaseClock
from ..credentials import Credentials
from ..errors import (
    BillingChargeUnconfirmed,
    BillingError,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingPurchaseCancelled,
    BillingPurchaseInterrupted,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
    BillingResponseError,
    BillingScopeRequired,
    BillingServerError,
    BillingTimeout,
)
from ..models import ChargeFailed, ChargeSettled
from ..money import Amount, check_amount, without_trailing_zeros
from ..protocol import operations
from ..protocol.exchange import BeforeSend, CallUser, Flow, SendAuthenticated, exchange, pause_until
from ..protocol.idempotency import check_idempotency_key
from ..protocol.settlement import OnPoll
from .messages import conflict, out_of_bounds, scope_missing, uncertain
from .purchase import Purchase, PurchaseStore
from .record import ListenerFailed, OnProgress, PurchaseRecord, check_same_organisation, open_purchases

Outcome = Purchase | BillingPurchaseUncertain | BillingPurchaseStoreError
"""What became of a purchase that was left open."""

Wait = Callable[[str, OnPoll, BeforeSend], Flow[ChargeSettled | ChargeFailed]]

# Before each repetition of a charge. The portal counts every one that arrives in its limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)
# A charge must not be made long after a person confirmed it, such as when a laptop wakes up.
_POSTING_SECONDS = 60.0
# For how long the portal knows a key is not settled; payment processors promise a day.
_KEY_IS_KNOWN = timedelta(days=1)


class _Overtaken(Exception):
    """Another call at the same purchase has just had it accepted: there is nothing to post."""

    def __init__(self, charge_id: str) -> None:
        self.charge_id = charge_id


class Buying:
    """One call that makes a purchase, or goes on with it.

    Args:
        purchase: A new one, or one of the store.
        wait: Waits for a charge, by its id.
    """

    def __init__(
        self,
        purchase: Purchase,
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
        self._record = PurchaseRecord(purchase, store, on_progress)
        self._verified_for: tuple[str, str] | None = None
        self._may_manage = True
        self._announced = False
        self._in_flight = False
        self._confirmed_at = self._moment()

    def buy(self) -> Flow[Purchase]:
        """Make the purchase, or go on with what the store has under its key."""
        return (yield from self._unwrap_listener_errors(self._translate_errors(self._buy())))

    def watch(self) -> Flow[Purchase]:
        """Go on with a purchase of the store, as far as that cannot make a charge."""
        self._record.may_be_made = True
        charge_id = self._record.purchase.charge_id
        if charge_id is None:
            raise self._uncertain(None)
        return (yield from self._unwrap_listener_errors(self._translate_errors(self._settle(charge_id))))

    def interrupted(self) -> BillingPurchaseInterrupted | None:
        """Return what Ctrl-C leaves open; None where no charge can have been made."""
        may_be_made = self._record.may_be_made or self._in_flight
        return BillingPurchaseInterrupted(self._uncertain(None)) if may_be_made else None

    def _unwrap_listener_errors(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Let what the caller's own listener raised through, past all that is made of the purchase's errors."""
        try:
            return (yield from flow)
        except ListenerFailed as failed:
            error = failed.error
        raise error

    def _translate_errors(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Let an error speak for the purchase as a whole, not for its last request alone."""
        record = self._record
        try:
            return (yield from flow)
        except BillingError as error:
            failure = error
        self._in_flight = False
        if isinstance(failure, BillingIdempotencyConflict):
            # The key was never good for this amount, whatever became of an earlier reply. Any other 409 says nothing.
            record.may_be_made = failure.error != "idempotency_conflict"
            failure = failure if record.may_be_made else conflict(record.purchase, failure)
        if self._announced and not record.may_be_made and record.purchase.status == "sending":
            yield from record.save_best_effort(replace(record.purchase, status="not_made"))
        # Another call may just have been found at it.
        if record.purchase.status in ("settled", "failed"):
            return record.purchase
        if record.may_be_made:
            raise self._uncertain(failure) from failure
        raise failure

    def _buy(self) -> Flow[Purchase]:
        record = self._record
        try:
            found = yield from record.load()
        except BillingPurchaseStoreError:
            record.may_be_made = True
            raise
        if found is not None:
            record.adopt(found)
        if self._is_too_old():
            raise BillingInvalidRequest("It was begun more than a day ago.", error="purchase_too_old")
        charge_id = record.purchase.charge_id or (yield from self._post())
        if record.purchase.status in ("settled", "failed"):
            return record.purchase
        return (yield from self._settle(charge_id))

    def _post(self) -> Flow[str]:
        record = self._record
        operation = operations.post_charge(record.purchase.amount_usd, record.purchase.key)
        pauses = iter(_PAUSES)
        while True:
            self._check_cancelled()
            deadline = self._clock.monotonic() + self._timeout
            try:
                accepted = yield from exchange(
                    operation, base_url=self._base_url, deadline=deadline, before_send=self._before_send
                )
                break
            except _Overtaken as overtaken:
                return overtaken.charge_id
            except BillingError as error:
                failure = error
            record.may_be_made = record.may_be_made or failure.outcome_unknown
            self._in_flight = False
            if isinstance(failure, BillingScopeRequired):
                yield from self._ask_for_scope(failure)
                # However long that took, a person has just been there.
                self._confirmed_at = self._moment()
                continue
            pause = next(pauses, inf)
            if not _may_be_repeated(failure) or self._seconds_since_confirmation() + pause > _POSTING_SECONDS:
                raise failure
            record.tell(failure)
            wake = self._clock.monotonic() + pause
            yield from pause_until(wake, self._clock, self._check_cancelled if self._cancelled else None)
            if self._seconds_since_confirmation() > _POSTING_SECONDS:
                raise failure
        record.may_be_made = True
        self._in_flight = False
        yield from record.save_best_effort(replace(record.purchase, status="pending", charge_id=accepted.charge_id))
        return accepted.charge_id

    def _settle(self, charge_id: str) -> Flow[Purchase]:
        record = self._record
        while True:
            try:
                charge = yield from self._wait(charge_id, record.tell_of_poll, self._verify_organisation_best_effort)
                break
            except BillingChargeUnconfirmed as error:
                failure = error
            if not isinstance(failure.last_error, BillingScopeRequired):
                raise failure
            yield from self._ask_for_scope(failure)
        if isinstance(charge, ChargeSettled):
            ended = replace(
                record.purchase, status="settled", settled_at=charge.settled_at, added_usd=charge.amount_usd
            )
        else:
            ended = replace(record.purchase, status="failed", reason=charge.reason)
        yield from record.save_best_effort(ended)
        # Not before: who is interrupted in the saving of it has not been told.
        record.may_be_made = False
        return record.purchase

    def _before_send(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        # A 401 comes before any look at the charge.
        self._in_flight = False
        yield from self._verify_organisation(credentials, address, send)
        if not self._announced:
            yield from self._announce()
        self._check_cancelled()
        if self._seconds_since_confirmation() > _POSTING_SECONDS + self._timeout:
            raise BillingTimeout(
                "More than a minute has passed since the purchase was confirmed. Nothing was sent.",
                error="network_error",
            )
        self._in_flight = True

    def _announce(self) -> Flow[None]:
        """Save that it may be sent, also where another call did: that one can then no longer call it not made."""
        purchase = replace(self._record.purchase, status="sending")
        if not self._record.may_be_made:
            purchase = replace(purchase, started_at=self._now())
        yield from self._record.save(purchase)
        if self._record.purchase.charge_id is not None:
            raise _Overtaken(self._record.purchase.charge_id)
        self._announced = True

    def _verify_organisation(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """See that a token is for the purchase's own organisation: in another one the same key would buy again."""
        if self._verified_for == (address, credentials.access_token):
            return
        state = yield from send(operations.get_billing_state())
        purchase = replace(
            self._record.purchase,
            portal_base_url=address,
            organisation_id=state.org.id,
            organisation_name=state.org.name,
        )
        check_same_organisation(self._record.purchase, purchase)
        self._record.purchase = purchase
        # Of a role that came later it is not known here what it may.
        self._may_manage = state.org.role != "MEMBER" if state.can_change_plan is None else state.can_change_plan
        # What may have been made is asked for again, whatever the bounds are by now.
        if not self._record.may_be_made and not state.bounds.min_usd <= purchase.amount_usd <= state.bounds.max_usd:
            raise out_of_bounds(purchase, state.bounds)
        self._verified_for = (address, credentials.access_token)

    def _verify_organisation_best_effort(
        self, credentials: Credentials, address: str, send: SendAuthenticated
    ) -> Flow[None]:
        """See as much of a token before a poll, which can make no charge: a state that cannot be read is no reason not
        to ask for the charge."""
        with suppress(BillingResponseError, BillingServerError):
            yield from self._verify_organisation(credentials, address, send)

    def _ask_for_scope(self, refusal: BillingError) -> Flow[None]:
        question, self._step_up = self._step_up, None
        granted: object = question is not None and (yield from CallUser(question))
        if granted is True:
            return
        if granted is not False:
            raise BillingInvalidRequest(
                f"step_up must return True or False, not a {type(granted).__name__}. Nothing more was sent.",
                error="invalid_step_up",
            )
        if isinstance(refusal, BillingScopeRequired):
            purchase = self._record.purchase
            raise scope_missing(purchase, refusal, may_manage=self._may_manage, asked=question is not None)
        raise refusal

    def _check_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise BillingPurchaseCancelled(
                f"The purchase was stopped.{'' if self._record.may_be_made else ' Nothing was charged.'}",
                error="purchase_cancelled",
            )

    def _uncertain(self, last_error: BillingError | None) -> BillingPurchaseUncertain:
        return uncertain(self._record.purchase, last_error, is_too_old=self._is_too_old())

    def _moment(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.time()

    def _seconds_since_confirmation(self) -> float:
        # While a machine sleeps, the monotonic clock of most systems stands still.
        return max(now - then for now, then in zip(self._moment(), self._confirmed_at, strict=True))

    def _is_too_old(self) -> bool:
        """Whether it may have been made so long ago that the portal may have forgotten its key."""
        purchase = self._record.purchase
        # A date to come was set by a wrong clock, and says nothing.
        age = abs(self._now() - purchase.started_at)
        return self._record.may_be_made and purchase.charge_id is None and age > _KEY_IS_KNOWN

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)


def new_purchase(amount_usd: Amount, idempotency_key: str, clock: BaseClock) -> Purchase:
    """Return a new purchase, or refuse it.

    Raises:
        BillingInvalidRequest: An argument cannot be used.
    """
    return Purchase(
        key=check_idempotency_key(idempotency_key),
        # "50" and "50.00" are one purchase, and go out as the same bytes.
        amount_usd=without_trailing_zeros(check_amount(amount_usd, "amount_usd")),
        started_at=datetime.fromtimestamp(clock.time(), UTC),
    )


def resume(store: PurchaseStore, buying: Callable[[Purchase, int], Buying]) -> Flow[list[Outcome]]:
    """Go on with every purchase of a store that has not ended, as far as that cannot make a charge.

    Args:
        buying: Makes the call for a purchase, of which so many are left, this one among them.
    """
    purchases, unread = yield from open_purchases(store)
    outcomes: list[Outcome] = []
    for number, purchase in enumerate(purchases):
        try:
            outcomes.append((yield from buying(purchase, len(purchases) - number).watch()))
        except BillingPurchaseUncertain as error:
            outcomes.append(error)
    return outcomes if unread is None else [*outcomes, unread]


def _may_be_repeated(failure: BillingError) -> bool:
    """Whether the charge may have been made, or was certainly not sent: no definite answer to it has come."""
    # A 5xx that says nothing of a charge was the answer to the question which organisation this is.
    passing = isinstance(failure, (BillingLoginNotSaved, BillingNetworkError, BillingServerError))
    return failure.outcome_unknown or passing
