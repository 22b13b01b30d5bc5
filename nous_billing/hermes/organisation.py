"""Which organisation a token pays for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from ..auth.tokens import claimed_organisation
from ..credentials import Credentials
from ..errors import BillingRateLimited, BillingResponseError, BillingServerError
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated
from ..protocol.operations import Operation


def as_dict(operation: Operation[Any]) -> Operation[dict[str, Any]]:
    """Return an operation whose result is the portal's dict."""
    return cast("Operation[dict[str, Any]]", replace(operation, result=dict))


def organisation_of(credentials: Credentials, send: SendAuthenticated) -> Flow[str]:
    """Return the id of a token's organisation: its own claim, or what the billing state says.

    Empty if neither says it now: that must not prevent a purchase.
    """
    found: object = claimed_organisation(credentials.secret)
    if found is None:
        try:
            state = yield from send(as_dict(operations.get_billing_state()))
        except (BillingRateLimited, BillingResponseError, BillingServerError):
            return ""
        organisation = state.get("org")
        found = cast("dict[str, object]", organisation).get("id") if isinstance(organisation, dict) else None
    return found if isinstance(found, str) else ""
