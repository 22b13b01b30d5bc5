from typing import Literal

RecoveryType0 = Literal["enable_account_toggle", "login", "reconnect"]

RECOVERY_TYPE_0_VALUES: set[RecoveryType0] = {"enable_account_toggle", "login", "reconnect"}


def check_recovery_type_0(value: str) -> RecoveryType0:
    if value in RECOVERY_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {RECOVERY_TYPE_0_VALUES!r}")
