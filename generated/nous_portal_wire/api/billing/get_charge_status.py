# nous_portal_wire/api/billing/get_charge_status.py: made by scripts/generate.py
from typing import Any
from urllib.parse import quote


def _get_kwargs(
    charge_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/billing/charge/{charge_id}".format(
            charge_id=quote(str(charge_id), safe=""),
        ),
    }

    return _kwargs
