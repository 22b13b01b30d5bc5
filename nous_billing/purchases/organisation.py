"""Which organisation of which portal a login is for, seen before anything is sent with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ..credentials import Credentials
from ..errors import BillingError, BillingInvalidRequest, BillingResponseError, BillingServerError
from ..models import BillingState, Bounds
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated, exchange
from .call import PurchaseCall
from .checking import check_same_organisation
from .messages import not_shown
from .refusals import other_than_confirmed, other_than_shown


class _Verified(Exception):
    """The login was looked at, and there is nothing to send."""


class OrganisationCheck:
    """Sees that each token of a call is for the purchase's own organisation.

    Attributes:
        bounds: Those of one charge in it, once a token was looked at.
    """

    def __init__(self, call: PurchaseCall) -> None:
        self.bounds: Bounds | None = None
        self._call = call
        self._verified_for: tuple[str, str] | None = None

    def verify(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """Look at a token before a request: in another organisation the same key would buy again.

        Raises:
            BillingInvalidRequest: It is for another organisation or portal (``error="wrong_organisation"``).
        """
        if self._verified_for != (address, credentials.access_token):
            self._compare(credentials, address, (yield from send(operations.get_billing_state())))

    def verify_best_effort(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """Look at a token before a poll, which can make no charge: a state that cannot be read is no reason not to ask
        for the charge."""
        with suppress(BillingResponseError, BillingServerError):
            yield from self.verify(credentials, address, send)

    def verify_reader(self) -> Flow[None]:
        """Look at the login of somebody who asks for a purchase that has ended, if no request has done so.

        Raises:
            BillingInvalidRequest: It is for another organisation or portal (``error="wrong_organisation"``).
            BillingPurchaseUncertain: That could not be learned.
        """
        if self._verified_for is not None:
            return
        call = self._call
        deadline = call.clock.monotonic() + call.timeout
        operation = operations.get_billing_state()
        try:
            yield from exchange(operation, base_url=call.base_url, deadline=deadline, before_send=self._verify_only)
        except _Verified:
            return
        except BillingError as error:
            if error.error == "wrong_organisation":
                raise
            raise not_shown(call.record.purchase, error) from error

    def _verify_only(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        yield from self.verify(credentials, address, send)
        raise _Verified

    def _compare(self, credentials: Credentials, address: str, state: BillingState) -> None:
        call, begun = self._call, self._call.record.purchase
        purchase = replace(
            begun, portal_base_url=address, organisation_id=state.org.id, organisation_name=state.org.name
        )
        check_same_organisation(begun, purchase)
        if call.organisation_id not in (None, state.org.id):
            raise other_than_confirmed(str(call.organisation_id), purchase)
        # A purchase that was begun before is confirmed for the organisation that it was begun for.
        shown = None if begun.organisation_id or call.organisation_id else call.shown
        if shown and shown.id != state.org.id:
            raise other_than_shown(shown, purchase)
        call.record.purchase = purchase
        # Of a role that came later it is not known here what it may.
        call.may_manage = state.org.role != "MEMBER" if state.can_change_plan is None else state.can_change_plan
        self.bounds = state.bounds
        self._verified_for = (address, credentials.access_token)


def check_organisation_id(organisation_id: str | None) -> str | None:
    """Return the organisation that a caller names, or refuse it.

    Raises:
        BillingInvalidRequest: It is neither a string nor None, or blank (``error="invalid_organisation_id"``).
    """
    if organisation_id is not None and not (isinstance(organisation_id, str) and organisation_id.strip()):
        raise BillingInvalidRequest(
            "organisation_id must be the id of an organisation (state.org.id), or None.",
            error="invalid_organisation_id",
        )
    return organisation_id
