"""Which organisation of which portal a login is for, seen before anything is sent with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ..credentials import Credentials
from ..errors import BillingResponseError, BillingServerError
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated
from .call import PurchaseCall
from .messages import out_of_bounds
from .record import check_same_organisation


class OrganisationCheck:
    """Sees that each token of a call is for the purchase's own organisation."""

    def __init__(self, call: PurchaseCall) -> None:
        self._call = call
        self._verified_for: tuple[str, str] | None = None

    def verify(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """See that a token is for the purchase's own organisation: in another one the same key would buy again."""
        if self._verified_for == (address, credentials.access_token):
            return
        record = self._call.record
        state = yield from send(operations.get_billing_state())
        purchase = replace(
            record.purchase,
            portal_base_url=address,
            organisation_id=state.org.id,
            organisation_name=state.org.name,
        )
        check_same_organisation(record.purchase, purchase)
        record.purchase = purchase
        # Of a role that came later it is not known here what it may.
        self._call.may_manage = state.org.role != "MEMBER" if state.can_change_plan is None else state.can_change_plan
        # What may have been made is asked for again, whatever the bounds are by now.
        if not record.may_be_made and not state.bounds.min_usd <= purchase.amount_usd <= state.bounds.max_usd:
            raise out_of_bounds(purchase, state.bounds)
        self._verified_for = (address, credentials.access_token)

    def verify_best_effort(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """See as much of a token before a poll, which can make no charge: a state that cannot be read is no reason not
        to ask for the charge."""
        with suppress(BillingResponseError, BillingServerError):
            yield from self.verify(credentials, address, send)
