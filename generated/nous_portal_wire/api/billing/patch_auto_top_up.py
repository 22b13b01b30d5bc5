# nous_portal_wire/api/billing/patch_auto_top_up.py: made by scripts/generate.py
from typing import Any

from ...models.auto_top_up_off_request import AutoTopUpOffRequest
from ...models.auto_top_up_request import AutoTopUpRequest


def _get_kwargs(
    *,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/api/billing/auto-top-up",
    }

    if isinstance(body, AutoTopUpRequest):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs
