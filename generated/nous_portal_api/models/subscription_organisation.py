from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.role_type_0 import RoleType0, check_role_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class SubscriptionOrganisation(AdditionalProperties):
    """The organisation that the token is bound to.

    Example:
        {'id': 'org_1', 'name': 'Acme', 'role': 'OWNER'}

    Attributes:
        id (str):
        name (str):
        role (RoleType0 | str): The person's role in the organisation. More will come. Example: OWNER.
        slug (str | Unset):
    """

    id: str
    name: str
    role: RoleType0 | str
    slug: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        role: str
        if isinstance(self.role, str):
            role = self.role
        else:
            role = self.role
        field_dict: dict[str, Any] = {**self.additional_properties, "id": self.id, "name": self.name, "role": role}
        if self.slug is not UNSET:
            field_dict["slug"] = self.slug
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

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

        made = cls(id=d.pop("id"), name=d.pop("name"), role=role, slug=d.pop("slug", UNSET))
        made.additional_properties = d
        return made
