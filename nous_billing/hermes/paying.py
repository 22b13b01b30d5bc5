"""Pays once, although Hermes makes a new key for each confirmation: an unresolved payment is sent before a new one."""

from __future__ import annotations

from dataclasses import replace
from logging import INFO, WARNING
from math import ceil, inf
from typing import Any

from .._reporting import log
from ..clock import BaseClock
from ..credentials import Credentials
from ..errors import BillingError, BillingNetworkError, BillingResponseError, BillingServerError
from ..portal import BILLING_PATH, portal_link
from ..protocol.exchange import Flow, RunBlocking, SendAuthenticated, Sleep, exchange
from ..protocol.replies import without_outcome
from .organisation import organisation_of
from .subject import Subject
from .unresolved import Payment, UnresolvedPayments

# Before each repetition. Every one that arrives counts towards the portal's limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)


class _AnotherKey(Exception):
    """An earlier payment answers what the person has confirmed."""


class Paying:
    """One call that pays.

    Args:
        home: The folder of the profile.
        seconds: How long the call may take, with all repetitions.
    """

    def __init__(
        self,
        subject: Subject,
        key: str,
        *,
        home: str,
        unresolved: UnresolvedPayments,
        seconds: float,
        clock: BaseClock,
    ) -> None:
        self._subject = subject
        self._home = home
        self._unresolved = unresolved
        self._deadline = clock.monotonic() + seconds
        self._latest = clock.time() + seconds
        self._clock = clock
        # Without portal and organisation until a token was resolved.
        self._payment = Payment(key=key, what=subject.code, portal="", organisation="", sent_at=0.0)
        self._claimed = False
        self._may_be_made = False

    def pay(self) -> Flow[dict[str, Any]]:
        """Send the payment, or the unresolved one that it repeats, until there is an answer or the time is up.

        Raises:
            BillingNetworkError: It is not known whether it was made (``outcome_unknown``).
            BillingError: It was not made.
        """
        pauses = iter(_PAUSES)
        while True:
            try:
                result = yield from self._send()
            except _AnotherKey:
                continue
            except BillingError as error:
                failure = error
            else:
                if self._subject.is_answer(result):
                    yield from RunBlocking(lambda: self._unresolved.resolve(self._home, self._payment, self._left()))
                log(INFO, "Payment of %s: the portal answered the key %s.", self._subject.name, self._payment.key)
                return result
            self._may_be_made = self._may_be_made or failure.outcome_unknown
            if not self._may_be_made:
                if self._claimed:
                    yield from RunBlocking(lambda: self._unresolved.withdraw(self._home, self._payment, self._left()))
                raise failure
            pause = next(pauses, inf)
            if not _is_passing(failure) or self._clock.monotonic() + pause >= self._deadline:
                raise (yield from self._uncertain(failure)) from failure
            log(
                INFO,
                "Payment of %s: the outcome is unknown (%s). The same key %s is sent again in %g seconds.",
                self._subject.name,
                failure.error,
                self._payment.key,
                pause,
            )
            yield from Sleep(pause)

    def _send(self) -> Flow[dict[str, Any]]:
        return exchange(
            self._subject.operation(self._payment.key),
            base_url=None,
            deadline=self._deadline,
            latest=self._latest,
            before_send=self._claim,
        )

    def _claim(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        organisation = yield from organisation_of(credentials, send)
        confirmed = replace(self._payment, portal=address, organisation=organisation, sent_at=self._clock.time())
        payment, was_sent = yield from RunBlocking(lambda: self._unresolved.claim(self._home, confirmed, self._left()))
        confirmed_key, self._payment = self._payment.key, payment
        # A later claim of this call finds its own.
        self._may_be_made = self._may_be_made or (was_sent and not self._claimed)
        self._claimed = True
        if payment.key != confirmed_key:
            log(
                WARNING,
                "Payment of %s: an earlier one (key %s) is unresolved. It is sent again, and answers this "
                "confirmation (key %s): nothing is paid twice.",
                self._subject.name,
                payment.key,
                confirmed_key,
            )
            raise _AnotherKey

    def _left(self) -> float:
        return self._deadline - self._clock.monotonic()

    def _uncertain(self, failure: BillingError) -> Flow[BillingError]:
        log(WARNING, "Payment of %s: the outcome of the key %s stays unknown.", self._subject.name, self._payment.key)
        wait = failure.retry_after or 0
        if wait:
            # Until then the portal does not look at the key, so ten minutes from now would be too early to forget it.
            until = self._clock.time() + wait
            yield from RunBlocking(lambda: self._unresolved.postpone(self._home, self._payment, until, self._left()))
        when = f"in {ceil(wait / 60)} minutes" if wait else "within ten minutes"
        again = f"Confirm the same again {when} to find out: that is never paid twice."
        if not self._unresolved.is_saved(self._home, self._payment):
            again = (
                f"Confirm the same again {when} to find out, here and without a restart of Hermes: the payment could "
                "not be saved, so anywhere else, or after a restart, it might be paid twice."
            )
        return BillingNetworkError(
            f"It is not known whether {self._subject.name} was paid. {without_outcome(failure.message)} {again}",
            # The code for which Hermes offers to try again with the same key, and says that it may have been paid.
            error="network_error",
            portal_url=failure.portal_url or portal_link(self._payment.portal, BILLING_PATH),
            retry_after=failure.retry_after,
            # No payload: its code may name a refusal, for which Hermes says that nothing was paid.
            outcome_unknown=True,
        )


def _is_passing(failure: BillingError) -> bool:
    """Whether another attempt may get an answer."""
    return failure.outcome_unknown or isinstance(
        failure, (BillingNetworkError, BillingServerError, BillingResponseError)
    )
