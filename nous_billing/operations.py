"""The four endpoints: what goes out, and how a success is read. The one module that knows the generated client.

Requests are what the generated ``_get_kwargs`` says (method, path quoting, header names, body keys). They are private
by name, so the generator is pinned exactly, and a test compares them with what the generated public functions send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

from nous_portal_wire import models as wire
from nous_portal_wire.api.billing import get_billing_state as state_endpoint
from nous_portal_wire.api.billing import get_charge_status as status_endpoint
from nous_portal_wire.api.billing import patch_auto_top_up as auto_top_up_endpoint
from nous_portal_wire.api.billing import post_charge as charge_endpoint
from nous_portal_wire.types import Unset

from . import models
from .errors import BillingInvalidRequest
from .idempotency import check_idempotency_key
from .money import Amount, check_amount, encode_json, parse_usd
from .portal import BILLING_PATH, portal_link

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_CHARGE_ID = re.compile(r"[!-~]{1,255}")


class ContractBreach(ValueError):
    """A part of a reply is not what the contract says."""


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
    card, cap, reload = _object(state.card), _object(state.monthly_cap), _object(state.auto_reload)
    if not isinstance(state.charge_presets, list):
        raise ContractBreach(f"a {type(state.charge_presets).__name__} where a list should be")
    return models.BillingState(
        org=models.Organisation(
            id=_a(str, state.org.id),
            slug=_a(str, state.org.slug),
            name=_a(str, state.org.name),
            role=_a(str, state.org.role),
        ),
        balance_usd=parse_usd(state.balance_usd),
        cli_billing_enabled=_a(bool, state.cli_billing_enabled),
        charge_presets=tuple(parse_usd(preset) for preset in state.charge_presets),
        bounds=models.Bounds(min_usd=parse_usd(state.bounds.min_usd), max_usd=parse_usd(state.bounds.max_usd)),
        card=None if card is None else _read_card(card),
        monthly_cap=None if cap is None else _read_cap(cap),
        auto_reload=None if reload is None else _read_auto_reload(reload),
        can_change_plan=_maybe_a(bool, state.can_change_plan),
        portal_url=portal_link(base_url, _maybe_a(str, state.portal_url)) or f"{base_url}{BILLING_PATH}",
        raw=payload,
    )


def _read_card(card: wire.Card) -> models.Card:
    return models.Card(
        brand=_a(str, card.brand), last4=_a(str, card.last4), resolved_via=_maybe_a(str, card.resolved_via)
    )


def _read_cap(cap: wire.MonthlyCap) -> models.MonthlyCap:
    return models.MonthlyCap(
        limit_usd=_maybe_usd(cap.limit_usd),
        spent_this_month_usd=parse_usd(cap.spent_this_month_usd),
        is_default_ceiling=_a(bool, cap.is_default_ceiling),
    )


def _read_auto_reload(reload: wire.AutoReload) -> models.AutoReload:
    return models.AutoReload(
        enabled=_a(bool, reload.enabled),
        threshold_usd=_maybe_usd(reload.threshold_usd),
        reload_to_usd=_maybe_usd(reload.reload_to_usd),
        card=None if isinstance(reload.card, Unset) else _read_auto_reload_card(reload.card),
    )


def _read_auto_reload_card(card: wire.AutoReloadCard) -> models.AutoReloadCard:
    return models.AutoReloadCard(
        kind=_a(str, card.kind),
        payment_method_id=_maybe_a(str, card.payment_method_id),
        brand=_maybe_a(str, card.brand),
        last4=_maybe_a(str, card.last4),
    )


def _read_saved(payload: Any, base_url: str) -> None:
    if wire.AutoTopUpSaved.from_dict(_plain(payload)).ok is not True:
        raise ContractBreach("ok is not true")


def _read_accepted(payload: Any, base_url: str) -> models.ChargeAccepted:
    charge_id = _a(str, wire.ChargeAccepted.from_dict(_plain(payload)).charge_id)
    if not _is_charge_id(charge_id):
        raise ContractBreach("the chargeId is none that can be asked for")
    return models.ChargeAccepted(charge_id=charge_id, raw=payload)


def _read_status(payload: Any, base_url: str) -> models.ChargeStatus:
    match payload["status"]:
        case "settled":
            settled = wire.ChargeSettled.from_dict(payload)
            if settled.settled_at.tzinfo is None:
                raise ContractBreach("settledAt has no offset")
            return models.ChargeSettled(
                amount_usd=parse_usd(settled.amount_usd), settled_at=settled.settled_at, raw=payload
            )
        case "failed":
            return models.ChargeFailed(reason=_a(str, wire.ChargeFailed.from_dict(payload).reason), raw=payload)
        case status:
            return models.ChargePending(status=_a(str, status), raw=payload)


# The generated models check no scalars, and let a malformed nullable object through as the raw value.


def _a(expected: type[T], value: object) -> T:
    if not isinstance(value, expected):
        raise ContractBreach(f"a {type(value).__name__} where a {expected.__name__} should be")
    return value


def _maybe_a(expected: type[T], value: object) -> T | None:
    return None if value is None or isinstance(value, Unset) else _a(expected, value)


def _maybe_usd(value: str | None) -> Decimal | None:
    return None if value is None else parse_usd(value)


def _object(value: T) -> T:
    if value is not None and type(value).__module__ == "builtins":
        raise ContractBreach(f"a malformed object: {type(value).__name__}")
    return value


def _plain(payload: Any, *keys: str) -> dict[str, Any]:
    # dict() of the generated models also takes a list of pairs.
    for value in (payload, *(payload[key] for key in keys)):
        _a(dict, value)
    return cast("dict[str, Any]", payload)
