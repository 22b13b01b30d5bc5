from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from ..types import UNSET, AdditionalProperties, Unset

if TYPE_CHECKING:
    from ..models.auto_reload import AutoReload
    from ..models.bounds import Bounds
    from ..models.card import Card
    from ..models.card_payment_method import CardPaymentMethod
    from ..models.link_payment_method import LinkPaymentMethod
    from ..models.monthly_cap import MonthlyCap
    from ..models.organisation import Organisation
    from ..models.other_payment_method import OtherPaymentMethod


@dataclass(slots=True)
class BillingState(AdditionalProperties):
    """What a terminal shows before a purchase.

    Example:
        {'org': {'id': 'org_1', 'slug': 'acme', 'name': 'Acme', 'role': 'OWNER'}, 'balanceUsd': '142.5',
            'cliBillingEnabled': True, 'chargePresets': ['100', '250', '500'], 'bounds': {'minUsd': '10', 'maxUsd':
            '10000'}, 'card': {'brand': 'visa', 'last4': '4242'}, 'monthlyCap': {'limitUsd': '1000',
            'spentThisMonthUsd': '250', 'isDefaultCeiling': True}, 'autoReload': {'enabled': False, 'thresholdUsd':
            None, 'reloadToUsd': None}}

    Attributes:
        org (Organisation): The organisation that the token is bound to. Example: {'id': 'org_1', 'slug': 'acme',
            'name': 'Acme', 'role': 'OWNER'}.
        balance_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        cli_billing_enabled (bool): The organisation's kill-switch; false stops every charge from a terminal.
        charge_presets (list[str]): Amounts to offer.
        bounds (Bounds): The smallest and the greatest amount of one charge. Example: {'minUsd': '10', 'maxUsd':
            '10000'}.
        card (Card | None): Null for a member, and where no reusable card is saved.
        monthly_cap (MonthlyCap | None): Null for a member.
        auto_reload (AutoReload | None): Null for a member.
        payment_method (CardPaymentMethod | LinkPaymentMethod | None | OtherPaymentMethod | Unset): What a charge
            would be paid with. Older portals only have `card`. Null for a member.
        can_change_plan (bool | Unset): Outranks the role. Where it is absent, an `OWNER` and an `ADMIN` may.
        portal_url (str | Unset): Where a person can put it right, usually relative by design: the server does not
            know which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
    """

    org: Organisation
    balance_usd: str
    cli_billing_enabled: bool
    charge_presets: list[str]
    bounds: Bounds
    card: Card | None
    monthly_cap: MonthlyCap | None
    auto_reload: AutoReload | None
    payment_method: CardPaymentMethod | LinkPaymentMethod | None | OtherPaymentMethod | Unset = UNSET
    can_change_plan: bool | Unset = UNSET
    portal_url: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.auto_reload import AutoReload
        from ..models.card import Card
        from ..models.card_payment_method import CardPaymentMethod
        from ..models.link_payment_method import LinkPaymentMethod
        from ..models.monthly_cap import MonthlyCap
        from ..models.other_payment_method import OtherPaymentMethod

        org = self.org.to_dict()
        bounds = self.bounds.to_dict()
        card: dict[str, Any] | None
        if isinstance(self.card, Card):
            card = self.card.to_dict()
        else:
            card = self.card
        monthly_cap: dict[str, Any] | None
        if isinstance(self.monthly_cap, MonthlyCap):
            monthly_cap = self.monthly_cap.to_dict()
        else:
            monthly_cap = self.monthly_cap
        auto_reload: dict[str, Any] | None
        if isinstance(self.auto_reload, AutoReload):
            auto_reload = self.auto_reload.to_dict()
        else:
            auto_reload = self.auto_reload
        payment_method: dict[str, Any] | None | Unset
        if isinstance(self.payment_method, Unset):
            payment_method = UNSET
        elif (
            isinstance(self.payment_method, CardPaymentMethod)
            or isinstance(self.payment_method, LinkPaymentMethod)
            or isinstance(self.payment_method, OtherPaymentMethod)
        ):
            payment_method = self.payment_method.to_dict()
        else:
            payment_method = self.payment_method
        field_dict: dict[str, Any] = {
            **self.additional_properties,
            "org": org,
            "balanceUsd": self.balance_usd,
            "cliBillingEnabled": self.cli_billing_enabled,
            "chargePresets": self.charge_presets,
            "bounds": bounds,
            "card": card,
            "monthlyCap": monthly_cap,
            "autoReload": auto_reload,
        }
        if payment_method is not UNSET:
            field_dict["paymentMethod"] = payment_method
        if self.can_change_plan is not UNSET:
            field_dict["canChangePlan"] = self.can_change_plan
        if self.portal_url is not UNSET:
            field_dict["portalUrl"] = self.portal_url
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.auto_reload import AutoReload
        from ..models.bounds import Bounds
        from ..models.card import Card
        from ..models.card_payment_method import CardPaymentMethod
        from ..models.link_payment_method import LinkPaymentMethod
        from ..models.monthly_cap import MonthlyCap
        from ..models.organisation import Organisation
        from ..models.other_payment_method import OtherPaymentMethod

        d = dict(src_dict)
        org = Organisation.from_dict(d.pop("org"))

        bounds = Bounds.from_dict(d.pop("bounds"))

        def _parse_card(data: object) -> Card | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                card_type_0 = Card.from_dict(data)

                return card_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Card | None, data)

        card = _parse_card(d.pop("card"))

        def _parse_monthly_cap(data: object) -> MonthlyCap | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                monthly_cap_type_0 = MonthlyCap.from_dict(data)

                return monthly_cap_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(MonthlyCap | None, data)

        monthly_cap = _parse_monthly_cap(d.pop("monthlyCap"))

        def _parse_auto_reload(data: object) -> AutoReload | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                auto_reload_type_0 = AutoReload.from_dict(data)

                return auto_reload_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AutoReload | None, data)

        auto_reload = _parse_auto_reload(d.pop("autoReload"))

        def _parse_payment_method(
            data: object,
        ) -> CardPaymentMethod | LinkPaymentMethod | None | OtherPaymentMethod | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                payment_method_type_0 = CardPaymentMethod.from_dict(data)

                return payment_method_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                payment_method_type_1 = LinkPaymentMethod.from_dict(data)

                return payment_method_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                payment_method_type_2 = OtherPaymentMethod.from_dict(data)

                return payment_method_type_2
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CardPaymentMethod | LinkPaymentMethod | None | OtherPaymentMethod | Unset, data)

        payment_method = _parse_payment_method(d.pop("paymentMethod", UNSET))

        made = cls(
            org=org,
            balance_usd=d.pop("balanceUsd"),
            cli_billing_enabled=d.pop("cliBillingEnabled"),
            charge_presets=d.pop("chargePresets"),
            bounds=bounds,
            card=card,
            monthly_cap=monthly_cap,
            auto_reload=auto_reload,
            payment_method=payment_method,
            can_change_plan=d.pop("canChangePlan", UNSET),
            portal_url=d.pop("portalUrl", UNSET),
        )
        made.additional_properties = d
        return made
