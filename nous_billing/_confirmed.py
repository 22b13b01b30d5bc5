"""Checks before a change that the login is for the organisation that the person confirmed."""

from __future__ import annotations

from .auth.tokens import claimed_organisation
from .credentials import Credentials
from .protocol.exchange import BeforeSend, Flow, SendAuthenticated
from .purchases.organisation import check_confirmed, check_organisation_id, read_state
from .purchases.refusals import NamedOrganisation


def check_before(
    what: str, organisation_id: str | None, shown: NamedOrganisation | None, then: BeforeSend | None = None
) -> BeforeSend:
    """Return what refuses a token of another organisation than the confirmed one, before each request.

    Args:
        what: What was confirmed, such as ``"upgrade"``.
        organisation_id: The organisation that the person confirmed, or None if the caller does not say.
        shown: The organisation that was last shown to the person, or None.
        then: Called if the token is not refused.

    Raises:
        BillingInvalidRequest: ``organisation_id`` cannot be one (``error="invalid_organisation_id"``).
    """
    confirmed = check_organisation_id(organisation_id)
    wanted = confirmed or (shown.id if shown else "")

    def before_send(credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        claimed = claimed_organisation(credentials.secret)
        # The contract does not name the claim, so one that differs only leads to the question. A token without one is
        # asked about where the caller named an organisation; otherwise no change needs a second request.
        if wanted and claimed != wanted and (claimed or confirmed):
            check_confirmed(what, confirmed, shown, (yield from send(read_state())).org)
        if then is not None:
            yield from then(credentials, address, send)

    return before_send
