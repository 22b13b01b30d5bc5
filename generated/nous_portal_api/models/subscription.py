from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from ..models.subscription_context_type_0 import SubscriptionContextType0, check_subscription_context_type_0
from ..types import UNSET, AdditionalProperties, Unset

if TYPE_CHECKING:
    from ..models.current_subscription import CurrentSubscription
    from ..models.subscription_organisation import SubscriptionOrganisation
    from ..models.subscription_tier import SubscriptionTier


@dataclass(slots=True)
class Subscription(AdditionalProperties):
    """The subscription of an organisation, and the tiers that there are.

    Example:
        {'org': {'id': 'org_1', 'name': 'Acme', 'role': 'OWNER'}, 'context': 'personal', 'current': None, 'tiers':
            []}

    Attributes:
        org (SubscriptionOrganisation): The organisation that the token is bound to. Example: {'id': 'org_1',
            'name': 'Acme', 'role': 'OWNER'}.
        context (str | SubscriptionContextType0):
        current (CurrentSubscription | None): Null without a plan.
        tiers (list[SubscriptionTier]):
        can_change_plan (bool | Unset): Outranks the role. Where it is absent, an `OWNER` and an `ADMIN` may.
        portal_url (str | Unset): Where a person can put it right, usually relative by design: the server does not
            know which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
    """

    org: SubscriptionOrganisation
    context: str | SubscriptionContextType0
    current: CurrentSubscription | None
    tiers: list[SubscriptionTier]
    can_change_plan: bool | Unset = UNSET
    portal_url: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.current_subscription import CurrentSubscription

        org = self.org.to_dict()
        context: str
        if isinstance(self.context, str):
            context = self.context
        else:
            context = self.context
        current: dict[str, Any] | None
        if isinstance(self.current, CurrentSubscription):
            current = self.current.to_dict()
        else:
            current = self.current
        tiers = []
        for tiers_item_data in self.tiers:
            tiers_item = tiers_item_data.to_dict()
            tiers.append(tiers_item)

        field_dict: dict[str, Any] = {
            **self.additional_properties,
            "org": org,
            "context": context,
            "current": current,
            "tiers": tiers,
        }
        if self.can_change_plan is not UNSET:
            field_dict["canChangePlan"] = self.can_change_plan
        if self.portal_url is not UNSET:
            field_dict["portalUrl"] = self.portal_url
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.current_subscription import CurrentSubscription
        from ..models.subscription_organisation import SubscriptionOrganisation
        from ..models.subscription_tier import SubscriptionTier

        d = dict(src_dict)
        org = SubscriptionOrganisation.from_dict(d.pop("org"))

        def _parse_context(data: object) -> str | SubscriptionContextType0:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                context_type_0 = check_subscription_context_type_0(data)

                return context_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(str | SubscriptionContextType0, data)

        context = _parse_context(d.pop("context"))

        def _parse_current(data: object) -> CurrentSubscription | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                current_type_0 = CurrentSubscription.from_dict(data)

                return current_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CurrentSubscription | None, data)

        current = _parse_current(d.pop("current"))

        tiers = []
        _tiers = d.pop("tiers")
        for tiers_item_data in _tiers:
            tiers_item = SubscriptionTier.from_dict(tiers_item_data)

            tiers.append(tiers_item)

        made = cls(
            org=org,
            context=context,
            current=current,
            tiers=tiers,
            can_change_plan=d.pop("canChangePlan", UNSET),
            portal_url=d.pop("portalUrl", UNSET),
        )
        made.additional_properties = d
        return made
