from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class CardMismatch(AdditionalProperties):
    """The saved card is not the one that was confirmed.

    Not settled: announced, and not seen yet; with which status it comes, and what exactly does not match.

    Example:
        {'error': 'card_mismatch', 'portalUrl': '/billing?topup=open'}

    Attributes:
        error (Literal['card_mismatch']):
        message (str | Unset):
        portal_url (str | Unset): Where a person can put it right, usually relative by design: the server does not
            know which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
    """

    error: Literal["card_mismatch"]
    message: str | Unset = UNSET
    portal_url: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        if self.portal_url is not UNSET:
            field_dict["portalUrl"] = self.portal_url
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["card_mismatch"], d.pop("error"))
        if error != "card_mismatch":
            raise ValueError(f"error must match const 'card_mismatch', got '{error}'")
        made = cls(error=error, message=d.pop("message", UNSET), portal_url=d.pop("portalUrl", UNSET))
        made.additional_properties = d
        return made
