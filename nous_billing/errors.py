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
    ├── BillingChargeUnsettled           raised by wait_for_charge only
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

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._printable import printable, printable_value

if TYPE_CHECKING:
    from decimal import Decimal


class BillingError(Exception):
    """A billing call failed. ``str()`` of it is a sentence for a person.

    A terminal can print every text of it but ``payload``, which is as the portal sent it: control characters, escape
    sequences and marks that turn the direction of text are left out of the sentence, and replaced in codes.

    Attributes:
        message: The sentence.
        status: The HTTP status of the reply, or None if no reply came.
        error: The code of the failure: the portal's own (``"no_payment_method"``), or this SDK's if the portal gave
            none (``"network_error"``, ``"invalid_amount"``); None if a reply had no code.
        portal_url: An absolute link to the page on which a person can fix it, or None.
        retry_after: Seconds to wait before trying again, or None.
        payload: The decoded JSON body of the reply; empty if there was none.
        outcome_unknown: True if a charge may have been made despite the error: send the same idempotency key again,
            never a new one. Also True if settings may have been saved: read the billing state.

    Examples:
        >>> payload = {"recovery": "reconnect"}
        >>> error = BillingError("Refused.", status=403, payload=payload)
        >>> str(error), error.status, error.recovery, error.outcome_unknown
        ('Refused.', 403, 'reconnect', False)
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        error: str | None = None,
        portal_url: str | None = None,
        retry_after: int | None = None,
        payload: Mapping[str, Any] | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        message = printable(message)
        error = None if error is None else printable_value(error)
        super().__init__(message)
        self.message: str = message
        self.status: int | None = status
        self.error: str | None = error
        self.portal_url: str | None = portal_url
        self.retry_after: int | None = retry_after
        self.payload: dict[str, Any] = dict(payload or {})
        self.outcome_unknown: bool = outcome_unknown

    @property
    def code(self) -> str | None:
        """The portal's later name of the failure; older portals send none."""
        return self._text("code")

    @property
    def actor(self) -> str | None:
        """Who stopped the spending: ``"self"``, ``"admin"``, or None if the portal does not say."""
        return self._text("actor")

    @property
    def recovery(self) -> str | None:
        """What helps: ``"login"``, ``"reconnect"``, ``"enable_account_toggle"``, or None if the portal does not say."""
        return self._text("recovery")

    def _text(self, key: str) -> str | None:
        value = self.payload.get(key)
        return printable_value(value) if isinstance(value, str) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.args, self.__dict__)


def _details(error: BillingError | None) -> dict[str, Any]:
    names = ("status", "portal_url", "retry_after", "payload")
    return {name: None if error is None else getattr(error, name) for name in names}


def _unpickle(cls: type[BillingError], args: tuple[Any, ...], attributes: dict[str, Any]) -> BillingError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    return error


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


class BillingChargeUnsettled(BillingError):
    """``wait_for_charge`` ended without knowing how the charge ended. It may still settle: ``outcome_unknown`` is True.

    Attributes:
        charge_id: The charge, to ask for again.
        last_error: What the last poll ran into, or None.
    """

    def __init__(self, message: str, *, charge_id: str, error: str, last_error: BillingError | None = None) -> None:
        super().__init__(message, error=error, outcome_unknown=True, **_details(last_error))
        self.charge_id: str = charge_id
        self.last_error: BillingError | None = last_error


class BillingChargeTimeout(BillingChargeUnsettled):
    """The charge was still pending at the cap: a timeout, not a failure (``error="charge_timeout"``)."""


class BillingChargeUnconfirmed(BillingChargeUnsettled):
    """Access was lost while waiting; the charge may have settled (``error="charge_unconfirmed"``)."""


class BillingChargeCancelled(BillingChargeUnsettled):
    """The caller stopped waiting; the charge may still settle (``error="charge_cancelled"``)."""


class BillingPurchaseUncertain(BillingError):
    """It is not known whether a purchase was made, or how its charge ended (``error="purchase_uncertain"``).

    Not a failure: ``outcome_unknown`` is True. To continue this purchase, call again with the same key and the same
    amount, or look at ``portal_url``. A new key could charge twice.

    Attributes:
        key: The purchase's idempotency key.
        amount_usd: Dollars.
        charge_id: The accepted charge, or None if it is not known whether there is one.
        last_error: What the purchase ran into, or None.
        is_too_old: Whether it was begun more than a day ago. The portal may no longer know it then, and the same call
            finds nothing out: look at ``portal_url``.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str,
        amount_usd: Decimal,
        charge_id: str | None = None,
        last_error: BillingError | None = None,
        portal_url: str | None = None,
        is_too_old: bool = False,
        error: str = "purchase_uncertain",
    ) -> None:
        super().__init__(message, error=error, outcome_unknown=True, **_details(last_error))
        if self.portal_url is None:
            self.portal_url = portal_url
        self.key: str = key
        self.amount_usd: Decimal = amount_usd
        self.charge_id: str | None = charge_id
        self.last_error: BillingError | None = last_error
        self.is_too_old: bool = is_too_old


class BillingDuplicateCharge(BillingPurchaseUncertain):
    """The portal made more than one charge for one key, against its promise (``error="duplicate_charge"``).

    The person may have been charged more than once: look at ``portal_url``. Raised each time that the purchase is asked
    for, however its charges ended.

    Attributes:
        charge_ids: All of its charges that are known, that of ``charge_id`` first.
    """

    charge_ids: tuple[str, ...] = ()


class BillingPurchaseCancelled(BillingError):
    """The caller stopped a purchase before a charge could be made (``error="purchase_cancelled"``). Nothing was
    charged."""


class BillingPurchaseStoreError(BillingError):
    """A purchase could not be saved, or not be read (``error="purchase_store_failed"``).

    Raised before anything is sent. ``on_progress`` is given one if a purchase continues and only its record could not
    be saved, and ``resume_purchases`` returns one for what it could not read; ``outcome_unknown`` is True then.
    """


class BillingPurchaseNotFound(BillingPurchaseStoreError):
    """The store has no purchase with this key (``error="purchase_not_found"``).

    That says nothing of a charge, which a call with another store may have made: ``outcome_unknown`` is True.
    """


class BillingPurchaseInterrupted(KeyboardInterrupt):
    """Ctrl-C in a purchase that may have been made. No ``BillingError``: what handles those does not swallow it.

    Attributes:
        uncertain: What is known, with the key that continues the purchase.
    """

    def __init__(self, uncertain: BillingPurchaseUncertain) -> None:
        super().__init__(uncertain)
        self.uncertain: BillingPurchaseUncertain = uncertain
