"""The four endpoints: what goes out, and how a success is read. The one module that knows the generated client.

Requests are what the generated ``_get_kwargs`` says (method, path quoting, header names, body keys). They are private
by name, so the generator is pinned exactly, and a test compares them with what the generated public functions send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar, cast, get_args, get_origin

from nous_portal_api import models as wire
from nous_portal_api.api.billing import get_billing_state as state_endpoint
from nous_portal_api.api.billing import get_charge_status as status_endpoint
from nous_portal_api.api.billing import patch_auto_top_up as auto_top_up_endpoint
from nous_portal_api.api.billing import post_charge as charge_endpoint
from nous_portal_api.types import Unset

from .. import models
from ..errors import BillingInvalidRequest
from ..money import Amount, check_amount, encode_json
from ..portal import BILLING_PATH, portal_link
from .decoding import ContractBreach, expect_type, field_types, read_scalar
from .idempotency import check_idempotency_key

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_CHARGE_ID = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Operation(Generic[T_co]):
    """One call of one endpoint.

    Attributes:
        path: Quoted, to be put after the base URL.
        read: Makes the result from the decoded body and the base URL that answered; raises ``ContractBreach``,
            ``KeyError``, ``ValueError``, ``TypeError`` or ``AttributeError`` where the body breaks the contract.
        is_charge: Whether money may move.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)
    read: Callable[[Any, str], T_co]
    is_charge: bool = False


def get_billing_state() -> Operation[models.BillingState]:
    """``GET /api/billing/state``."""
    return _operation(state_endpoint._get_kwargs(), _read_state)  # pyright: ignore[reportPrivateUsage]


def patch_auto_top_up(enabled: bool, threshold: Amount, top_up_amount: Amount) -> Operation[None]:
    """``PATCH /api/billing/auto-top-up``."""
    if not isinstance(enabled, bool):
        raise BillingInvalidRequest(
            f"enabled must be True or False, not a {type(enabled).__name__}.", error="invalid_request"
        )
    body = wire.AutoTopUpRequest(
        enabled=enabled,
        threshold=_number(check_amount(threshold, "threshold")),
        top_up_amount=_number(check_amount(top_up_amount, "top_up_amount")),
    )
    kwargs = auto_top_up_endpoint._get_kwargs(body=body)  # pyright: ignore[reportPrivateUsage]
    return _operation(kwargs, _read_saved)


def post_charge(amount_usd: Amount, idempotency_key: str) -> Operation[models.ChargeAccepted]:
    """``POST /api/billing/charge``."""
    kwargs = charge_endpoint._get_kwargs(  # pyright: ignore[reportPrivateUsage]
        body=wire.ChargeRequest(amount_usd=_number(check_amount(amount_usd, "amount_usd"))),
        idempotency_key=check_idempotency_key(idempotency_key),
    )
    return _operation(kwargs, _read_accepted, is_charge=True)


def get_charge_status(charge_id: str) -> Operation[models.ChargeStatus]:
    """``GET /api/billing/charge/{chargeId}``."""
    stripped = charge_id.strip() if isinstance(charge_id, str) else ""
    if not _is_charge_id(stripped):
        raise BillingInvalidRequest(
            "A charge id is the charge_id of an accepted charge: 1 to 255 visible ASCII characters.",
            error="invalid_charge_id",
        )
    kwargs = status_endpoint._get_kwargs(stripped)  # pyright: ignore[reportPrivateUsage]
    return _operation(kwargs, _read_status)


def _is_charge_id(text: str) -> bool:
    # "." and ".." are segments that an HTTP library folds into another path, however they are quoted.
    return _CHARGE_ID.fullmatch(text) is not None and text not in (".", "..")


def _operation(kwargs: dict[str, Any], read: Callable[[Any, str], T], *, is_charge: bool = False) -> Operation[T]:
    body = kwargs.get("json")
    return Operation(
        method=kwargs["method"].upper(),
        path=kwargs["url"],
        headers=kwargs.get("headers", {}),
        body=None if body is None else encode_json(body),
        read=read,
        is_charge=is_charge,
    )


def _number(amount: Decimal) -> float:
    # The generated model says float and checks nothing; the Decimal goes through it untouched.
    return cast(float, amount)


def _read_state(payload: Any, base_url: str) -> models.BillingState:
    state = wire.BillingState.from_dict(_plain(payload, "org", "bounds"))
    link = portal_link(base_url, _value(str, True, state.portal_url)) or f"{base_url}{BILLING_PATH}"
    return _result(models.BillingState, state, portal_url=link, raw=payload)


def _read_saved(payload: Any, base_url: str) -> None:
    if wire.AutoTopUpSaved.from_dict(_plain(payload)).ok is not True:
        raise ContractBreach("ok is not true")


def _read_accepted(payload: Any, base_url: str) -> models.ChargeAccepted:
    accepted = _result(models.ChargeAccepted, wire.ChargeAccepted.from_dict(_plain(payload)), raw=payload)
    if not _is_charge_id(accepted.charge_id):
        raise ContractBreach("the chargeId is none that can be asked for")
    return accepted


def _read_status(payload: Any, base_url: str) -> models.ChargeStatus:
    match payload["status"]:
        case "settled":
            return _result(models.ChargeSettled, wire.ChargeSettled.from_dict(payload), raw=payload)
        case "failed":
            return _result(models.ChargeFailed, wire.ChargeFailed.from_dict(payload), raw=payload)
        case status:
            return models.ChargePending(status=expect_type(str, status), raw=payload)


def _plain(payload: Any, *keys: str) -> dict[str, Any]:
    # dict() of the generated models also takes a list of pairs.
    for value in (payload, *(payload[key] for key in keys)):
        expect_type(dict, value)
    return cast("dict[str, Any]", payload)


def _result(cls: type[T], found: object, **given: Any) -> T:
    # The generated models check no scalars, and let a malformed nullable object through as the raw value.
    if type(found).__module__ == "builtins":
        raise ContractBreach(f"a malformed object: {type(found).__name__}")
    read = {name: _value(*kind, getattr(found, name)) for name, kind in field_types(cls).items() if name not in given}
    return cls(**read, **given)


def _value(kind: Any, may_be_none: bool, value: Any) -> Any:
    if may_be_none and (value is None or isinstance(value, Unset)):
        return None
    if get_origin(kind) is Literal:
        return expect_type(str, value)
    if get_origin(kind) is tuple:
        expect_type(list, value)
        return tuple(_value(get_args(kind)[0], False, item) for item in value)
    make: type[Any] = kind
    return _result(make, value) if is_dataclass(kind) else read_scalar(kind, value)
