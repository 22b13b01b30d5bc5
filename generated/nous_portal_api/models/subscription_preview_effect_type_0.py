from typing import Literal

SubscriptionPreviewEffectType0 = Literal["blocked", "charge_now", "no_op", "scheduled"]

SUBSCRIPTION_PREVIEW_EFFECT_TYPE_0_VALUES: set[SubscriptionPreviewEffectType0] = {
    "blocked",
    "charge_now",
    "no_op",
    "scheduled",
}


def check_subscription_preview_effect_type_0(value: str) -> SubscriptionPreviewEffectType0:
    if value in SUBSCRIPTION_PREVIEW_EFFECT_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SUBSCRIPTION_PREVIEW_EFFECT_TYPE_0_VALUES!r}")
