"""Every way in which a billing call can fail.

All are ``BillingError``, but for ``BillingPurchaseInterrupted``: Ctrl-C in a purchase stays a ``KeyboardInterrupt``.

The tree of the classes:

    BillingError
    ├── BillingAuthError                 401, or not logged in
    │   └── BillingSessionRevoked        401 session_revoked: log in again
    ├── BillingLoginNotSaved             its file could not be written
    ├── BillingScopeRequired             403 insufficient_scope: step up
    ├── BillingAccessDenied              every other 403
    │   ├── BillingRemoteSpendingRevoked
    │   ├── BillingRoleRequired
    │   ├── BillingDisabled              the organisation's kill-switch
    │   ├── BillingNoPaymentMethod
    │   ├── BillingConsentRequired
    │   └── BillingMonthlyCapExceeded
    ├── BillingRateLimited               429, 503: wait; no payment failure
    │   ├── BillingStripeUnavailable
    │   └── BillingUpgradeCapExceeded
    ├── BillingInvalidRequest            400, and what is refused before it is sent
    ├── BillingIdempotencyConflict       409
    ├── BillingNetworkError              no usable reply
    │   └── BillingTimeout               the deadline passed
    ├── BillingServerError               other 5xx, 408, unknown statuses
    ├── BillingResponseError             a reply that is not the contract's
    ├── BillingChargeUnsettled           raised by ``wait_for_charge`` only
    │   ├── BillingChargeTimeout         still pending at the cap
    │   ├── BillingChargeUnconfirmed     access was lost while waiting
    │   └── BillingChargeCancelled       the caller stopped waiting
    ├── BillingPurchaseUncertain         call again with the same key
    │   └── BillingDuplicateCharge       more than one charge for one key
    ├── BillingPurchaseCancelled         stopped before a charge could be made
    └── BillingPurchaseStoreError        a purchase could not be saved or read
        └── BillingPurchaseNotFound      the store has no purchase with this key
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._base_error import BillingError as BillingError
from ._base_error import _unpickle  # pyright: ignore[reportPrivateUsage]
from ._purchase_errors import BillingChargeCancelled as BillingChargeCancelled
from ._purchase_errors import BillingChargeTimeout as BillingChargeTimeout
from ._purchase_errors import BillingChargeUnconfirmed as BillingChargeUnconfirmed
from ._purchase_errors import BillingChargeUnsettled as BillingChargeUnsettled
from ._purchase_errors import BillingDuplicateCharge as BillingDuplicateCharge
from ._purchase_errors import BillingPurchaseCancelled as BillingPurchaseCancelled
from ._purchase_errors import BillingPurchaseInterrupted as BillingPurchaseInterrupted
from ._purchase_errors import BillingPurchaseNotFound as BillingPurchaseNotFound
from ._purchase_errors import BillingPurchaseStoreError as BillingPurchaseStoreError
from ._purchase_errors import BillingPurchaseUncertain as BillingPurchaseUncertain

if TYPE_CHECKING:
    from decimal import Decimal

# Pickles and tracebacks name the public module.
for _moved in (
    _unpickle,
    BillingError,
    BillingChargeUnsettled,
    BillingChargeTimeout,
    BillingChargeUnconfirmed,
    BillingChargeCancelled,
    BillingPurchaseUncertain,
    BillingDuplicateCharge,
    BillingPurchaseCancelled,
    BillingPurchaseStoreError,
    BillingPurchaseNotFound,
    BillingPurchaseInterrupted,
):
    _moved.__module__ = __name__
del _moved


class BillingAuthError(BillingError):
    """Not logged in, or the token was refused again after it was replaced (401)."""


class BillingSessionRevoked(BillingAuthError):
    """The whole session was logged out (401 ``session_revoked``). Refreshing cannot help: log in again."""


class BillingLoginNotSaved(BillingError):
    """A login could not be written to its file, such as on a full disk (``error="login_not_saved"``).

    The SDK tries the place before it renews a login or asks a person to approve one: then nothing was spent, and the
    login in the file is unchanged. If the file fails after that, the login stays usable in this process, and each later
    call tries to save it again.
    """


class BillingScopeRequired(BillingError):
    """The token lacks ``billing:manage`` (403 ``insufficient_scope``): step up. The scope can also be lost at a
    refresh."""


class BillingAccessDenied(BillingError):
    """The portal denied the call (403). Nothing was charged."""


class BillingRemoteSpendingRevoked(BillingAccessDenied):
    """The spending of this terminal was stopped (403 ``remote_spending_revoked``); the login itself still holds."""


class BillingRoleRequired(BillingAccessDenied):
    """The person is not an admin of the organisation (403 ``role_required``)."""


class BillingDisabled(BillingAccessDenied):
    """The organisation has switched off billing from terminals (403 ``cli_billing_disabled``)."""


class BillingNoPaymentMethod(BillingAccessDenied):
    """No saved card can be charged (403 ``no_payment_method``, ``card_expired``, ``card_paused``, ``card_mismatch``).
    The person may have a card: it has to be saved on the portal."""


class BillingConsentRequired(BillingAccessDenied):
    """The card has to be confirmed on the portal, once (403 ``consent_required``)."""


class BillingMonthlyCapExceeded(BillingAccessDenied):
    """The charge would exceed the monthly cap (403 ``monthly_cap_exceeded``).

    Attributes:
        remaining_usd: Dollars that may still be spent this month, or None if the portal does not say.
        is_default_ceiling: True if the organisation has set no cap of its own; None if the portal does not say.
    """

    remaining_usd: Decimal | None = None
    is_default_ceiling: bool | None = None


class BillingRateLimited(BillingError):
    """Back off (429, and 503). Not a payment failure, and nothing was charged or saved.

    In answer to a request that changes something, a 503 is only this if the portal itself sent it
    (``temporarily_unavailable``, ``stripe_unavailable``); any other is a ``BillingServerError``.
    """


class BillingStripeUnavailable(BillingRateLimited):
    """The payment processor is down (503 ``stripe_unavailable``). Nothing was charged."""


class BillingUpgradeCapExceeded(BillingRateLimited):
    """The organisation has had its upgrades of the day (429 ``upgrade_cap_exceeded``). Nothing was charged."""


class BillingInvalidRequest(BillingError):
    """The request is not what the contract asks for: refused by the portal (400), or before anything was sent."""


class BillingIdempotencyConflict(BillingError):
    """The idempotency key was already used for another amount (409): a fault of the caller. Nothing more was
    charged."""


class BillingNetworkError(BillingError):
    """No usable reply came (``error="network_error"``). ``outcome_unknown`` says whether a request for a change
    may have arrived."""


class BillingTimeout(BillingNetworkError):
    """The deadline of the call passed."""


class BillingServerError(BillingError):
    """The portal or a proxy in front of it failed: every other 5xx, 408, and statuses that no standard knows.

    A charge that was answered so may have been made, and settings may have been saved: ``outcome_unknown`` is True.
    """


class BillingResponseError(BillingError):
    """A reply that is not the contract's.

    ``error`` is ``"endpoint_unavailable"`` if it is not this API at all (a web page, a redirect, an unknown path),
    and ``"invalid_response"`` if it is JSON that breaks the contract, or too large or compressed. In answer to a
    request that changes something ``outcome_unknown`` is True, and a 4xx without a code of the portal (but for 401 and
    429) is this, too: only the portal's own refusal says that nothing was done.
    """
