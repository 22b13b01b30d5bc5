from typing import Literal

SubscriptionContextType0 = Literal["personal", "team"]

SUBSCRIPTION_CONTEXT_TYPE_0_VALUES: set[SubscriptionContextType0] = {"personal", "team"}


def check_subscription_context_type_0(value: str) -> SubscriptionContextType0:
    if value in SUBSCRIPTION_CONTEXT_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SUBSCRIPTION_CONTEXT_TYPE_0_VALUES!r}")
