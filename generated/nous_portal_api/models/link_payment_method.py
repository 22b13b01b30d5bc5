from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..models.resolved_via_type_0 import ResolvedViaType0, check_resolved_via_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class LinkPaymentMethod(AdditionalProperties):
    """A Link wallet.

    Example:
        {'kind': 'link', 'email': 'ada@example.com'}

    Attributes:
        kind (Literal['link']):
        email (None | str | Unset):
        resolved_via (ResolvedViaType0 | str | Unset): How the portal chose what to charge. Example: subPin.
    """

    kind: Literal["link"]
    email: None | str | Unset = UNSET
    resolved_via: ResolvedViaType0 | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        resolved_via: str | Unset
        if isinstance(self.resolved_via, Unset):
            resolved_via = UNSET
        elif isinstance(self.resolved_via, str):
            resolved_via = self.resolved_via
        else:
            resolved_via = self.resolved_via
        field_dict: dict[str, Any] = {**self.additional_properties, "kind": self.kind}
        if self.email is not UNSET:
            field_dict["email"] = self.email
        if resolved_via is not UNSET:
            field_dict["resolvedVia"] = resolved_via
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        kind = cast(Literal["link"], d.pop("kind"))
        if kind != "link":
            raise ValueError(f"kind must match const 'link', got '{kind}'")

        def _parse_resolved_via(data: object) -> ResolvedViaType0 | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_resolved_via_type_0 = check_resolved_via_type_0(data)

                return componentsschemas_resolved_via_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ResolvedViaType0 | str | Unset, data)

        resolved_via = _parse_resolved_via(d.pop("resolvedVia", UNSET))

        made = cls(kind=kind, email=d.pop("email", UNSET), resolved_via=resolved_via)
        made.additional_properties = d
        return made
