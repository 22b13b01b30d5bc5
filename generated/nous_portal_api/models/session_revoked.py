from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..models.recovery_type_0 import RecoveryType0, check_recovery_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class SessionRevoked(AdditionalProperties):
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

    def to_dict(self) -> dict[str, Any]:
        recovery: str | Unset
        if isinstance(self.recovery, Unset):
            recovery = UNSET
        elif isinstance(self.recovery, str):
            recovery = self.recovery
        else:
            recovery = self.recovery
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        if recovery is not UNSET:
            field_dict["recovery"] = recovery
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["session_revoked"], d.pop("error"))
        if error != "session_revoked":
            raise ValueError(f"error must match const 'session_revoked', got '{error}'")

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

        made = cls(error=error, message=d.pop("message", UNSET), recovery=recovery)
        made.additional_properties = d
        return made
