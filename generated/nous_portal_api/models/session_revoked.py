from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.recovery_type_0 import RecoveryType0, check_recovery_type_0
from ..types import UNSET, Unset

T = TypeVar("T", bound="SessionRevoked")


@_attrs_define
class SessionRevoked:
    """The whole session was logged out. Refreshing cannot help.

    Example:
        {'error': 'session_revoked', 'recovery': 'login'}

    Attributes:
        error (Literal['session_revoked']):
        message (str | Unset):
        recovery (RecoveryType0 | str | Unset): What the person can do. Older servers omit it. Example: login.
    """

    error: Literal["session_revoked"]
    message: str | Unset = UNSET
    recovery: RecoveryType0 | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        message = self.message

        recovery: str | Unset
        if isinstance(self.recovery, Unset):
            recovery = UNSET
        elif isinstance(self.recovery, str):
            recovery = self.recovery
        else:
            recovery = self.recovery

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message
        if recovery is not UNSET:
            field_dict["recovery"] = recovery

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["session_revoked"], d.pop("error"))
        if error != "session_revoked":
            raise ValueError(f"error must match const 'session_revoked', got '{error}'")

        message = d.pop("message", UNSET)

        def _parse_recovery(data: object) -> RecoveryType0 | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_recovery_type_0 = check_recovery_type_0(data)

                return componentsschemas_recovery_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(RecoveryType0 | str | Unset, data)

        recovery = _parse_recovery(d.pop("recovery", UNSET))

        session_revoked = cls(
            error=error,
            message=message,
            recovery=recovery,
        )

        session_revoked.additional_properties = d
        return session_revoked

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
