from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class InsufficientScope(AdditionalProperties):
    """The token lacks `billing:manage`. Step up.

    Example:
        {'error': 'insufficient_scope', 'portalUrl': '/billing?topup=open'}

    Attributes:
        error (Literal['insufficient_scope']):
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know
            which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
    """

    error: Literal["insufficient_scope"]
    portal_url: str
    message: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error, "portalUrl": self.portal_url}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["insufficient_scope"], d.pop("error"))
        if error != "insufficient_scope":
            raise ValueError(f"error must match const 'insufficient_scope', got '{error}'")
        made = cls(error=error, portal_url=d.pop("portalUrl"), message=d.pop("message", UNSET))
        made.additional_properties = d
        return made
