"""How a command ends: the exit code that each error stands for.

A program decides by the code. 6 is the one to handle first: money may have moved, and only the same key finds out.
"""

from __future__ import annotations

from enum import IntEnum

from nous_billing import (
    BillingAccessDenied,
    BillingAuthError,
    BillingError,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingPurchaseCancelled,
    BillingRateLimited,
    BillingRemoteSpendingRevoked,
    BillingScopeRequired,
    BillingServerError,
)


class Ending(IntEnum):
    """The exit codes."""

    DONE = 0
    """Paid, saved or shown."""
    OTHER = 1
    """Something else, such as a full disk, or a reply that is not the portal's. This command charged nothing."""
    INPUT = 2
    """An argument cannot be used. Nothing was sent."""
    LOGIN = 3
    """Log in, or allow remote spending."""
    REFUSED = 4
    """The organisation's settings refuse it, such as its monthly cap. This command charged nothing."""
    LATER = 5
    """The portal is busy or cannot be reached. This command charged nothing; try again later."""
    UNKNOWN = 6
    """It is not known yet whether money moved: run the same command with the same key."""
    CARD = 7
    """The card failed. Nothing was charged."""
    STOPPED = 130
    """Stopped by Ctrl-C or by the answer no, before this command sent anything that charges."""


_ENDINGS: tuple[tuple[tuple[type[BillingError], ...], Ending], ...] = (
    ((BillingAuthError, BillingScopeRequired, BillingRemoteSpendingRevoked, BillingLoginNotSaved), Ending.LOGIN),
    ((BillingAccessDenied,), Ending.REFUSED),
    ((BillingRateLimited, BillingNetworkError, BillingServerError), Ending.LATER),
    ((BillingInvalidRequest, BillingIdempotencyConflict), Ending.INPUT),
    ((BillingPurchaseCancelled,), Ending.STOPPED),
)


def ending_of(error: BillingError) -> Ending:
    """Return the exit code for an error."""
    # Whatever its class is, what may have moved money is told apart by this alone.
    if error.outcome_unknown:
        return Ending.UNKNOWN
    return next((ending for kinds, ending in _ENDINGS if isinstance(error, kinds)), Ending.OTHER)
