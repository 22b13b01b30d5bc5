from typing import Literal

RoleType0 = Literal["ADMIN", "FINANCE_ADMIN", "MEMBER", "OWNER", "SECURITY_ADMIN"]

ROLE_TYPE_0_VALUES: set[RoleType0] = {"ADMIN", "FINANCE_ADMIN", "MEMBER", "OWNER", "SECURITY_ADMIN"}


def check_role_type_0(value: str) -> RoleType0:
    if value in ROLE_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ROLE_TYPE_0_VALUES!r}")
