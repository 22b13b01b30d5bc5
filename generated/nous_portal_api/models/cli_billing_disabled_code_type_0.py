from typing import Literal

CliBillingDisabledCodeType0 = Literal["remote_spending_disabled"]

CLI_BILLING_DISABLED_CODE_TYPE_0_VALUES: set[CliBillingDisabledCodeType0] = {"remote_spending_disabled"}


def check_cli_billing_disabled_code_type_0(value: str) -> CliBillingDisabledCodeType0:
    if value in CLI_BILLING_DISABLED_CODE_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CLI_BILLING_DISABLED_CODE_TYPE_0_VALUES!r}")
