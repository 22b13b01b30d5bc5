from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.resolved_via_type_0 import ResolvedViaType0, check_resolved_via_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class Card(AdditionalProperties):
    """The card that a charge would use. A Link wallet comes as brand `Link` with an empty `last4`.

    Example:
        {'brand': 'visa', 'last4': '4242', 'resolvedVia': 'subPin'}

    Attributes:
        brand (str):
        last4 (str):
        resolved_via (ResolvedViaType0 | str | Unset): How the portal chose what to charge. Example: subPin.
    """

    brand: str
    last4: str
    resolved_via: ResolvedViaType0 | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        resolved_via: str | Unset
        if isinstance(self.resolved_via, Unset):
            resolved_via = UNSET
        elif isinstance(self.resolved_via, str):
            resolved_via = self.resolved_via
        else:
            resolved_via = self.resolved_via
        field_dict: dict[str, Any] = {**self.additional_properties, "brand": self.brand, "last4": self.last4}
        if resolved_via is not UNSET:
            field_dict["resolvedVia"] = resolved_via
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

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

        made = cls(brand=d.pop("brand"), last4=d.pop("last4"), resolved_via=resolved_via)
        made.additional_properties = d
        return made
