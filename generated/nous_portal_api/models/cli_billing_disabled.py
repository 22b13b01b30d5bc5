from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..models.cli_billing_disabled_code_type_0 import (
    CliBillingDisabledCodeType0,
    check_cli_billing_disabled_code_type_0,
)
from ..models.recovery_type_0 import RecoveryType0, check_recovery_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class CliBillingDisabled(AdditionalProperties):
    """The organisation's kill-switch is off.

    Example:
        {'error': 'cli_billing_disabled', 'code': 'remote_spending_disabled', 'recovery': 'enable_account_toggle',
            'portalUrl': '/billing?topup=open'}

    Attributes:
        error (Literal['cli_billing_disabled']):
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know
            which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
        code (CliBillingDisabledCodeType0 | str | Unset): A later name of the same. Older servers omit it.
        recovery (RecoveryType0 | str | Unset): What the person can do. Older servers omit it. Example: login.
    """

    error: Literal["cli_billing_disabled"]
    portal_url: str
    message: str | Unset = UNSET
    code: CliBillingDisabledCodeType0 | str | Unset = UNSET
    recovery: RecoveryType0 | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        code: str | Unset
        if isinstance(self.code, Unset):
            code = UNSET
        elif isinstance(self.code, str):
            code = self.code
        else:
            code = self.code
        recovery: str | Unset
        if isinstance(self.recovery, Unset):
            recovery = UNSET
        elif isinstance(self.recovery, str):
            recovery = self.recovery
        else:
            recovery = self.recovery
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error, "portalUrl": self.portal_url}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        if code is not UNSET:
            field_dict["code"] = code
        if recovery is not UNSET:
            field_dict["recovery"] = recovery
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["cli_billing_disabled"], d.pop("error"))
        if error != "cli_billing_disabled":
            raise ValueError(f"error must match const 'cli_billing_disabled', got '{error}'")

        def _parse_code(data: object) -> CliBillingDisabledCodeType0 | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                code_type_0 = check_cli_billing_disabled_code_type_0(data)

                return code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CliBillingDisabledCodeType0 | str | Unset, data)

        code = _parse_code(d.pop("code", UNSET))

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

        made = cls(
            error=error, portal_url=d.pop("portalUrl"), message=d.pop("message", UNSET), code=code, recovery=recovery
        )
        made.additional_properties = d
        return made
