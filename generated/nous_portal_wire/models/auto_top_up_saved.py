# nous_portal_wire/models/auto_top_up_saved.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="AutoTopUpSaved")


@_attrs_define
class AutoTopUpSaved:
    """The settings were saved.

    Example:
        {'ok': True}

    Attributes:
        ok (bool):
    """

    ok: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        ok = self.ok

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "ok": ok,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        ok = d.pop("ok")

        auto_top_up_saved = cls(
            ok=ok,
        )

        auto_top_up_saved.additional_properties = d
        return auto_top_up_saved

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
