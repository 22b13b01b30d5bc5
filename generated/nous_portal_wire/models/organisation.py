# nous_portal_wire/models/organisation.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from ..models.role_type_0 import RoleType0, check_role_type_0
from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="Organisation")


@_attrs_define
class Organisation:
    """The organisation that the token is bound to.

    Example:
        {'id': 'org_1', 'slug': 'acme', 'name': 'Acme', 'role': 'OWNER'}

    Attributes:
        id (str):
        slug (str):
        name (str):
        role (RoleType0 | str): The person's role in the organisation. More will come. Example: OWNER.
    """

    id: str
    slug: str
    name: str
    role: RoleType0 | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        slug = self.slug

        name = self.name

        role: str
        if isinstance(self.role, str):
            role = self.role
        else:
            role = self.role

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "slug": slug,
                "name": name,
                "role": role,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        slug = d.pop("slug")

        name = d.pop("name")

        def _parse_role(data: object) -> RoleType0 | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_role_type_0 = check_role_type_0(data)

                return componentsschemas_role_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(RoleType0 | str, data)

        role = _parse_role(d.pop("role"))

        organisation = cls(
            id=id,
            slug=slug,
            name=name,
            role=role,
        )

        organisation.additional_properties = d
        return organisation

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
