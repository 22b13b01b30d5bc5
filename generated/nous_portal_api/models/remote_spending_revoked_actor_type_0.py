from typing import Literal

RemoteSpendingRevokedActorType0 = Literal["admin", "self"]

REMOTE_SPENDING_REVOKED_ACTOR_TYPE_0_VALUES: set[RemoteSpendingRevokedActorType0] = {"admin", "self"}


def check_remote_spending_revoked_actor_type_0(value: str) -> RemoteSpendingRevokedActorType0:
    if value in REMOTE_SPENDING_REVOKED_ACTOR_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {REMOTE_SPENDING_REVOKED_ACTOR_TYPE_0_VALUES!r}")
