"""The endpoints: their requests and the types of their results. The only module that uses the generated client.

The generated ``_get_kwargs`` builds each request (method, path quoting, query, header names, body keys). Its name is
private, so the generator is pinned exactly, and a test compares these requests with those of the generated public
functions. The generated client reads no reply.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from nous_portal_api.api.billing import get_billing_state as state_endpoint
from nous_portal_api.api.billing import get_charge_status as status_endpoint
from nous_portal_api.api.billing import patch_auto_top_up as auto_top_up_endpoint
from nous_portal_api.api.billing import post_charge as charge_endpoint

from .._arguments import wrong_type
from .._reply_headers import ReplyHeaders
from .._secrets import Secret, SecretBytes
from ..money import Amount, check_amount, encode_json
from .decoding import ContractBreach, read
from .idempotency import check_idempotency_key
from .ids import check_charge_id, check_tier_id, check_url_path
from .request_headers import check_values

if TYPE_CHECKING:
    from uuid import UUID

    from .. import models

T_co = TypeVar("T_co", covariant=True)

JSON = "application/json"

# The endpoints of subscriptions are loaded where they are used: most programs never call one.
_CARRIED = {"method", "url", "params", "headers", "json"}


@dataclass(frozen=True, slots=True)
class Operation(Generic[T_co]):
    """One call of one endpoint.

    Attributes:
        path: Quoted, with its query; appended to the base URL.
        result: ``T_co`` as a value, the annotation by which a success is read, or its name in ``models``: ``bytes`` or
            ``str`` for a body that is not JSON, ``None`` for no body.
        accept: The media type of a success.
        reads_only: Whether it changes nothing although it is no GET.
        changes: What it may change, as messages name it; if empty, a payment or the settings.
        shown_by: Where a change that is not a payment would show.
    """

    method: str
    path: str
    headers: Mapping[str, str | Secret]
    body: bytes | SecretBytes | None = field(repr=False)
    result: object
    accept: str = JSON
    reads_only: bool = False
    changes: str = ""
    shown_by: str = "the billing state"

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing, so that it can be sent again."""
        return self.method == "GET" or self.reads_only

    @property
    def moves_money(self) -> bool:
        """Whether it may cause a payment. Such an operation has an idempotency key."""
        return any(name.lower() == "idempotency-key" for name in self.headers)

    @property
    def changes_settings(self) -> bool:
        """Whether it may change something other than a payment."""
        return not self.is_read and not self.moves_money

    def load_result(self) -> object:
        """Return the annotation of a success, whose class is loaded if it was not.

        To be called before anything is sent: at the end of the interpreter nothing can be loaded any more. The drop-in
        for Hermes reads dicts, and loads no class.
        """
        return _model(self.result) if isinstance(self.result, str) else self.result

    def read(self, payload: object, base_url: str, headers: Mapping[str, str] | None = None) -> T_co:
        """Return the result for a decoded body, with the headers of its reply.

        Raises:
            ContractBreach: The body breaks the contract.
        """
        result = self.load_result()
        found: Any = None if result is None else read(result, payload, base_url)
        if headers and hasattr(found, "headers"):
            found = replace(found, headers=ReplyHeaders(headers))
        return cast("T_co", found)

    def read_body(self, body: bytes) -> T_co:
        """Return the result for a body that is not JSON.

        Raises:
            ContractBreach: It is not text in UTF-8.
        """
        try:
            return cast("T_co", body if self.result is bytes else body.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ContractBreach("the body is not text in UTF-8") from None


@cache
def _model(name: str) -> object:
    from .. import models

    return cast("object", getattr(models, name))


def get_billing_state() -> Operation[models.BillingState]:
    """``GET /api/billing/state``."""
    return _operation(state_endpoint._get_kwargs(), "BillingState")


def patch_auto_top_up(
    enabled: bool, threshold: Amount | None, top_up_amount: Amount | None
) -> Operation[models.AutoTopUpSaved]:
    """``PATCH /api/billing/auto-top-up``. The amounts may be 0 to switch it off."""
    from nous_portal_api.models import AutoTopUpRequest

    if not isinstance(enabled, bool):
        raise wrong_type("enabled", "True or False", enabled, "invalid_request")
    body = AutoTopUpRequest(
        enabled=enabled,
        threshold=_number(check_amount(threshold, "threshold", may_be_zero=not enabled)),
        top_up_amount=_number(check_amount(top_up_amount, "top_up_amount", may_be_zero=not enabled)),
    )
    return _operation(auto_top_up_endpoint._get_kwargs(body=body), "AutoTopUpSaved")


def post_charge(amount_usd: Amount, idempotency_key: str | UUID) -> Operation[models.ChargeAccepted]:
    """``POST /api/billing/charge``."""
    from nous_portal_api.models import ChargeRequest

    body = ChargeRequest(amount_usd=_number(check_amount(amount_usd, "amount_usd")))
    key = check_idempotency_key(idempotency_key)
    kwargs = charge_endpoint._get_kwargs(body=body, idempotency_key=key)
    return _operation(kwargs, "ChargeAccepted", changes="charge")


def get_charge_status(charge_id: str) -> Operation[models.ChargeStatus]:
    """``GET /api/billing/charge/{chargeId}``."""
    return _operation(status_endpoint._get_kwargs(check_charge_id(charge_id)), "ChargeStatus")


def get_subscription() -> Operation[models.Subscription]:
    """``GET /api/billing/subscription``."""
    from nous_portal_api.api.subscription import get_subscription as subscription_endpoint

    return _operation(subscription_endpoint._get_kwargs(), "Subscription")


def preview_subscription_change(subscription_type_id: str) -> Operation[models.SubscriptionPreview]:
    """``POST /api/billing/subscription/preview``."""
    from nous_portal_api.api.subscription import preview_subscription_change as preview_endpoint
    from nous_portal_api.models import SubscriptionPreviewRequest

    body = SubscriptionPreviewRequest(subscription_type_id=check_tier_id(subscription_type_id))
    return _operation(preview_endpoint._get_kwargs(body=body), "SubscriptionPreview", reads_only=True)


def set_pending_subscription_change(subscription_type_id: str | None) -> Operation[models.PendingChange]:
    """``PUT /api/billing/subscription/pending-change``. None: a cancellation."""
    from nous_portal_api.api.subscription import set_pending_subscription_change as pending_endpoint
    from nous_portal_api.models import CancellationRequest, TierChangeRequest

    body: CancellationRequest | TierChangeRequest
    if subscription_type_id is None:
        body = CancellationRequest(type_="cancellation")
    else:
        body = TierChangeRequest(type_="tier_change", subscription_type_id=check_tier_id(subscription_type_id))
    return _subscription_change(pending_endpoint._get_kwargs(body=body))


def delete_pending_subscription_change() -> Operation[models.PendingChange]:
    """``DELETE /api/billing/subscription/pending-change``."""
    from nous_portal_api.api.subscription import delete_pending_subscription_change as undo_endpoint

    return _subscription_change(undo_endpoint._get_kwargs())


def upgrade_subscription(
    subscription_type_id: str, idempotency_key: str | UUID
) -> Operation[models.SubscriptionUpgrade]:
    """``POST /api/billing/subscription/upgrade``."""
    from nous_portal_api.api.subscription import upgrade_subscription as upgrade_endpoint
    from nous_portal_api.models import SubscriptionUpgradeRequest

    body = SubscriptionUpgradeRequest(subscription_type_id=check_tier_id(subscription_type_id))
    key = check_idempotency_key(idempotency_key)
    kwargs = upgrade_endpoint._get_kwargs(body=body, idempotency_key=key)
    return _operation(kwargs, "SubscriptionUpgrade", changes="upgrade")


def _subscription_change(kwargs: dict[str, Any]) -> Operation[models.PendingChange]:
    return _operation(kwargs, "PendingChange", changes="change", shown_by="the subscription")


def _operation(kwargs: dict[str, Any], result: object, accept: str = JSON, **more: Any) -> Operation[Any]:
    """Return the operation that sends everything in ``_get_kwargs``.

    Raises:
        BillingInvalidRequest: An argument cannot stand in the path or in a header.
        TypeError: It has an argument that this module does not send yet: a bug in this module.
    """
    if not_carried := sorted(kwargs.keys() - _CARRIED):
        raise TypeError(f"{kwargs['url']}: the client does not send {', '.join(not_carried)} of _get_kwargs.")
    body = kwargs.get("json")
    return Operation(
        method=kwargs["method"].upper(),
        path=check_url_path(kwargs["url"]) + _query(kwargs.get("params", {})),
        headers=check_values(kwargs.get("headers", {})),
        body=None if body is None else encode_json(body),
        result=result,
        accept=accept,
        **more,
    )


def _query(params: Mapping[str, Any]) -> str:
    if not params:
        return ""
    from urllib.parse import urlencode

    return "?" + urlencode({name: _query_text(value) for name, value in params.items()}, doseq=True)


def _query_text(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [str(_query_text(item)) for item in cast("list[object]", value)]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(amount: Decimal) -> float:
    # The generated model declares float but checks nothing, so the Decimal passes through unchanged.
    return cast(float, amount)
