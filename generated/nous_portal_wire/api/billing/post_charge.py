# nous_portal_wire/api/billing/post_charge.py: made by scripts/generate.py
from typing import Any

from ...models.charge_request import ChargeRequest


def _get_kwargs(
    *,
    body: ChargeRequest,
    idempotency_key: str,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/billing/charge",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs
