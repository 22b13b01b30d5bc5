# nous_portal_wire/models/charge_failed.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from ..models.charge_failed_reason_type_0 import (
    ChargeFailedReasonType0,
    check_charge_failed_reason_type_0,
)
from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="ChargeFailed")


@_attrs_define
class ChargeFailed:
    """Not paid, for good. `authentication_required` asks for 3-D Secure: finish on the portal.

    Example:
        {'status': 'failed', 'reason': 'card_declined'}

    Attributes:
        status (Literal['failed']):
        reason (ChargeFailedReasonType0 | str):
    """

    status: Literal["failed"]
    reason: ChargeFailedReasonType0 | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        reason: str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "reason": reason,
            }
        )

        return field_dict

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

        charge_failed = cls(
            status=status,
            reason=reason,
        )

        charge_failed.additional_properties = d
        return charge_failed

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
