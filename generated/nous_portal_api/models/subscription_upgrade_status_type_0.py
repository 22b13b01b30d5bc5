from typing import Literal

SubscriptionUpgradeStatusType0 = Literal["already_on_tier", "payment_failed", "requires_action", "upgraded"]

SUBSCRIPTION_UPGRADE_STATUS_TYPE_0_VALUES: set[SubscriptionUpgradeStatusType0] = {
    "already_on_tier",
    "payment_failed",
    "requires_action",
    "upgraded",
}


def check_subscription_upgrade_status_type_0(value: str) -> SubscriptionUpgradeStatusType0:
    if value in SUBSCRIPTION_UPGRADE_STATUS_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SUBSCRIPTION_UPGRADE_STATUS_TYPE_0_VALUES!r}")
