# nous_portal_wire/api/billing/get_billing_state.py: made by scripts/generate.py
from typing import Any


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/billing/state",
    }

    return _kwargs
