from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class NoPaymentMethod(AdditionalProperties):
    """No **reusable** card is saved. Common, also right after a one-time purchase: the person may well have a card,
    and has to
    save it on the portal.

    Example:
        {'error': 'no_payment_method', 'portalUrl': '/billing?topup=open'}

    Attributes:
        error (Literal['no_payment_method']):
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know
            which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
    """

    error: Literal["no_payment_method"]
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
        error = cast(Literal["no_payment_method"], d.pop("error"))
        if error != "no_payment_method":
            raise ValueError(f"error must match const 'no_payment_method', got '{error}'")
        made = cls(error=error, portal_url=d.pop("portalUrl"), message=d.pop("message", UNSET))
        made.additional_properties = d
        return made
