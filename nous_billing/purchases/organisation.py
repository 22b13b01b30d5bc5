"""Checks which organisation and portal a login is for, before anything is sent with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from .._arguments import wrong_type
from .._printable import printable_value
from .._secrets import Secret
from ..credentials import Credentials
from ..errors import BillingError, BillingInvalidRequest, BillingResponseError, BillingServerError
from ..models import Bounds
from ..protocol import operations
from ..protocol.decoding import ContractBreach, read
from ..protocol.exchange import Flow, SendAuthenticated, exchange
from ..protocol.operations import Operation
from .call import PurchaseCall
from .checking import check_same_organisation
from .messages import not_shown
from .refusals import NamedOrganisation, other_than_confirmed, other_than_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    id: str
    name: Any = ""
    role: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a purchase needs of the billing state. Nothing else in it may prevent one, whatever portals add later."""

    org: _Owner
    bounds: Any = None
    can_change_plan: Any = None


def read_state() -> Operation[_State]:
    """Return the operation that reads whose a token is, however little else the portal says."""
    return replace(operations.get_billing_state(), result=_State)  # type: ignore[return-value]


class _Verified(Exception):
    """The login was verified, and there is nothing to send."""


class OrganisationCheck:
    """Verifies that each token of a call belongs to the purchase's organisation.

    Attributes:
        bounds: The smallest and the largest charge there. None until a token was verified.
    """

    def __init__(self, call: PurchaseCall) -> None:
        self.bounds: Bounds | None = None
        self._call = call
        self._verified_for: tuple[str, Secret] | None = None

    def verify(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """Verify a token before a request: in another organisation the same key would buy again.

        Raises:
            BillingInvalidRequest: The token is for another organisation or portal (``error="wrong_organisation"``).
        """
        if self._verified_for != (address, credentials.secret):
            self._compare(credentials, address, (yield from send(read_state())))

    def verify_best_effort(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        """Verify a token before a poll. A poll cannot charge, so it is sent even if the state cannot be read."""
        with suppress(BillingResponseError, BillingServerError):
            yield from self.verify(credentials, address, send)

    def verify_reader(self) -> Flow[None]:
        """Verify the login that asks for a purchase, unless a request has done so.

        Raises:
            BillingInvalidRequest: The login is for another organisation or portal (``error="wrong_organisation"``).
            BillingPurchaseUncertain: The charge has ended, and the organisation of the login could not be read.
            BillingError: The purchase is open or was not made, and the organisation could not be read.
        """
        if self._verified_for is not None:
            return
        call = self._call
        deadline = call.clock.monotonic() + call.timeout
        operation = read_state()
        try:
            yield from exchange(operation, base_url=call.base_url, deadline=deadline, before_send=self._verify_only)
        except _Verified:
            return
        except BillingError as error:
            # One that was not made is made by the call that continues it, so nobody may be told to do that.
            if error.error == "wrong_organisation" or call.record.purchase.status not in ("settled", "failed"):
                raise
            raise not_shown(call.record.purchase, error) from error

    def _verify_only(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        yield from self.verify(credentials, address, send)
        raise _Verified

    def _compare(self, credentials: Credentials, address: str, state: _State) -> None:
        if not state.org.id.strip():
            # Two organisations without an id could not be told apart.
            raise BillingResponseError(
                "The portal's reply does not match the API contract (org.id is blank).", error="invalid_response"
            )
        call, begun = self._call, self._call.record.purchase
        purchase = replace(
            begun,
            portal_base_url=address,
            organisation_id=state.org.id,
            organisation_name=printable_value(str(state.org.name or "")),
        )
        check_same_organisation(begun, purchase)
        # A person confirmed an earlier purchase for the organisation that it was started for.
        shown = None if begun.organisation_id else call.shown
        check_confirmed("purchase", call.organisation_id, shown, state.org)
        call.record.purchase = purchase
        # What a role that is unknown here may do is for the portal to decide.
        capability = state.can_change_plan
        call.may_manage = capability if isinstance(capability, bool) else state.org.role != "MEMBER"
        self.bounds = None
        with suppress(ContractBreach):
            self.bounds = read(Bounds, state.bounds, address)
        self._verified_for = (address, credentials.secret)


def check_confirmed(
    what: str, confirmed_id: str | None, shown: NamedOrganisation | None, now: NamedOrganisation
) -> None:
    """Refuse a login of another organisation than the caller named, or than was shown where the caller named none.

    Args:
        what: What was confirmed, such as ``"purchase"``.

    Raises:
        BillingInvalidRequest: ``error="wrong_organisation"``.
    """
    if confirmed_id is not None and confirmed_id != now.id:
        raise other_than_confirmed(what, confirmed_id, now)
    if confirmed_id is None and shown and shown.id != now.id:
        raise other_than_shown(shown, now)


def check_organisation_id(organisation_id: str | None) -> str | None:
    """Check the argument ``organisation_id``, and return it.

    Raises:
        BillingInvalidRequest: It is neither a string nor None, or it is blank (``error="invalid_organisation_id"``).
    """
    wanted = "the id of an organisation (state.org.id), or None"
    if organisation_id is not None and not isinstance(organisation_id, str):
        raise wrong_type("organisation_id", wanted, organisation_id, "invalid_organisation_id")
    if organisation_id is not None and not organisation_id.strip():
        raise BillingInvalidRequest(f"organisation_id must be {wanted}.", error="invalid_organisation_id")
    return organisation_id
