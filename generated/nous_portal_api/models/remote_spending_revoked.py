from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..models.recovery_type_0 import RecoveryType0, check_recovery_type_0
from ..models.remote_spending_revoked_actor_type_0 import (
    RemoteSpendingRevokedActorType0,
    check_remote_spending_revoked_actor_type_0,
)
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class RemoteSpendingRevoked(AdditionalProperties):
    """The spending of this terminal was stopped. The login itself still holds.

    Example:
        {'error': 'remote_spending_revoked', 'actor': 'admin', 'recovery': 'reconnect'}

    Attributes:
        error (Literal['remote_spending_revoked']):
        message (str | Unset):
        portal_url (str | Unset): Where a person can put it right, usually relative by design: the server does not
            know which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        actor (RemoteSpendingRevokedActorType0 | str | Unset): Who stopped it. Older servers omit it.
        recovery (RecoveryType0 | str | Unset): What the person can do. Older servers omit it. Example: login.
    """

    error: Literal["remote_spending_revoked"]
    message: str | Unset = UNSET
    portal_url: str | Unset = UNSET
    actor: RemoteSpendingRevokedActorType0 | str | Unset = UNSET
    recovery: RecoveryType0 | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        actor: str | Unset
        if isinstance(self.actor, Unset):
            actor = UNSET
        elif isinstance(self.actor, str):
            actor = self.actor
        else:
            actor = self.actor
        recovery: str | Unset
        if isinstance(self.recovery, Unset):
            recovery = UNSET
        elif isinstance(self.recovery, str):
            recovery = self.recovery
        else:
            recovery = self.recovery
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        if self.portal_url is not UNSET:
            field_dict["portalUrl"] = self.portal_url
        if actor is not UNSET:
            field_dict["actor"] = actor
        if recovery is not UNSET:
            field_dict["recovery"] = recovery
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["remote_spending_revoked"], d.pop("error"))
        if error != "remote_spending_revoked":
            raise ValueError(f"error must match const 'remote_spending_revoked', got '{error}'")

        def _parse_actor(data: object) -> RemoteSpendingRevokedActorType0 | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                actor_type_0 = check_remote_spending_revoked_actor_type_0(data)

                return actor_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(RemoteSpendingRevokedActorType0 | str | Unset, data)

        actor = _parse_actor(d.pop("actor", UNSET))

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
            error=error,
            message=d.pop("message", UNSET),
            portal_url=d.pop("portalUrl", UNSET),
            actor=actor,
            recovery=recovery,
        )
        made.additional_properties = d
        return made
