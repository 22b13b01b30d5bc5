from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..models.charge_failed_reason_type_0 import ChargeFailedReasonType0, check_charge_failed_reason_type_0
from ..types import AdditionalProperties


@dataclass(slots=True)
class ChargeFailed(AdditionalProperties):
    """Not paid, for good. `authentication_required` asks for 3-D Secure: finish on the portal.

    Example:
        {'status': 'failed', 'reason': 'card_declined'}

    Attributes:
        status (Literal['failed']):
        reason (ChargeFailedReasonType0 | str):
    """

    status: Literal["failed"]
    reason: ChargeFailedReasonType0 | str

    def to_dict(self) -> dict[str, Any]:
        reason: str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason
        return {**self.additional_properties, "status": self.status, "reason": reason}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = cast(Literal["failed"], d.pop("status"))
        if status != "failed":
            raise ValueError(f"status must match const 'failed', got '{status}'")

        def _parse_reason(data: object) -> ChargeFailedReasonType0 | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_charge_failed_reason_type_0(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ChargeFailedReasonType0 | str, data)

        reason = _parse_reason(d.pop("reason"))

        made = cls(status=status, reason=reason)
        made.additional_properties = d
        return made
