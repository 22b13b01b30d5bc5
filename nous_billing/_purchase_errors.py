"""The errors of waiting for a charge and of purchases; public in ``errors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._base_error import BillingError

if TYPE_CHECKING:
    from decimal import Decimal


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
            finds out nothing: look at ``portal_url``.
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


def _details(error: BillingError | None) -> dict[str, Any]:
    names = ("status", "portal_url", "retry_after", "payload", "headers")
    return {name: None if error is None else getattr(error, name) for name in names}
