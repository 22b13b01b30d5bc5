"""Ids of charges and tiers, and whatever else goes into an address, checked before anything is sent."""

from __future__ import annotations

import re
from typing import get_args

from .._arguments import wrong_type
from .._wire_types import ChargeId
from ..errors import BillingInvalidRequest

_CHARGE_ID = re.compile(get_args(ChargeId)[1])
_TIER_ID = re.compile(r"[!-~]{1,255}")


def check_charge_id(charge_id: str) -> str:
    """Check the id of a charge, and return it without surrounding white space.

    Raises:
        BillingInvalidRequest: It cannot be one (``error="invalid_charge_id"``).
    """
    if not isinstance(charge_id, str):
        raise wrong_type("charge_id", "the charge_id of an accepted charge, a string", charge_id, "invalid_charge_id")
    stripped = charge_id.strip()
    if not _CHARGE_ID.fullmatch(stripped):
        raise BillingInvalidRequest(
            "charge_id must be that of an accepted charge: 1 to 255 visible ASCII characters, other than . and ..",
            error="invalid_charge_id",
        )
    return stripped


def check_tier_id(subscription_type_id: str) -> str:
    """Check the id of a tier, and return it without surrounding white space.

    Raises:
        BillingInvalidRequest: It is not 1 to 255 visible ASCII characters (``error="invalid_subscription_type"``).
    """
    if not isinstance(subscription_type_id, str):
        wanted = "the tier_id of one of the subscription's tiers, a string"
        raise wrong_type("subscription_type_id", wanted, subscription_type_id, "invalid_subscription_type")
    stripped = subscription_type_id.strip()
    if not _TIER_ID.fullmatch(stripped):
        raise BillingInvalidRequest(
            "subscription_type_id must be the tier_id of one of the subscription's tiers: 1 to 255 visible ASCII "
            "characters.",
            error="invalid_subscription_type",
        )
    return stripped


def check_url_path(path: str) -> str:
    """Check a path that an argument is part of, quoted, and return it.

    Raises:
        BillingInvalidRequest: The argument is empty, ``.`` or ``..`` (``error="invalid_request"``).
    """
    if {"", ".", ".."} & set(path.split("/")[1:]):
        raise BillingInvalidRequest(
            "An id is empty, . or .., which would name another address. Nothing was sent.", error="invalid_request"
        )
    return path
