from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.role_type_0 import RoleType0, check_role_type_0
from ..types import AdditionalProperties


@dataclass(slots=True)
class Organisation(AdditionalProperties):
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

    def to_dict(self) -> dict[str, Any]:
        role: str
        if isinstance(self.role, str):
            role = self.role
        else:
            role = self.role
        return {**self.additional_properties, "id": self.id, "slug": self.slug, "name": self.name, "role": role}

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

        made = cls(id=d.pop("id"), slug=d.pop("slug"), name=d.pop("name"), role=role)
        made.additional_properties = d
        return made
