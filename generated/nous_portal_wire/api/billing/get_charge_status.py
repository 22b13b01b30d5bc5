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
