"""What the contract says and the facade does not offer is asked for, wherever it is said."""

import re
from pathlib import Path

from scripts.rehearsals.edits import InContract
from scripts.rehearsals.run import Copy

SCHEMAS = ("components", "schemas")
OPERATION = ("paths", "/api/billing/charge", "post", "responses")


def asked(gaps: str) -> list[str]:
    """What the tools ask for, without the number of the line."""
    found = re.findall(r"^nous_billing/([\w/]+\.py)(?::\d+)?: (.*)$", gaps, re.MULTILINE)
    return [f"{path}: {text}" for path, text in found]


def more(schema: str, line: str) -> InContract:
    """Gives a schema one more property."""
    return InContract((*SCHEMAS, schema, "properties"), line)


def test_nothing_that_the_contract_says_is_dropped_in_silence(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.apply(
        (
            InContract(OPERATION, "'402': {$ref: '#/components/responses/RateLimited'}"),
            more("ChargeRequest", "poNumber: {type: string}"),
            more("AutoTopUpSaved", "savedAt: {type: string}"),
            InContract((*SCHEMAS, "ChargeStatus", "anyOf"), "- $ref: '#/components/schemas/Bounds'"),
            more("MonthlyCapExceeded", "resetsOn: {type: string}"),
            more("AmountOutOfBounds", "maxUsd: {type: string}"),
            more("BillingState", "plan: {type: object, properties: {name: {type: string}}}"),
        )
    )
    gaps = copy.python("-m", "scripts.gaps")
    assert not gaps.content
    assert set(asked(gaps.text)) == {
        "protocol/error_codes.py: post_charge answers 402. Say which class that is.",
        "protocol/error_codes.py: rate_limited comes with 402 and 429. Write (402, 429) in the place of 429.",
        "protocol/operations.py: post_charge does not take po_number. Add it.",
        "async_client.py: post_charge does not take po_number. Add it.",
        "client.py: post_charge does not take po_number. Add it.",
        "models.py: AutoTopUpSaved has no saved_at. Add: saved_at: str | None = None",
        "protocol/operations.py: get_charge_status does not read Bounds. Let it return "
        "Operation[Bounds | ChargePending | ChargeSettled | ChargeFailed].",
        "errors.py: BillingMonthlyCapExceeded: add resets_on: str | None = None",
        "errors.py: amount_out_of_bounds has max_usd. Give it a class of its own.",
    }
    assert "BillingState.plan is an object without a name (put it under components/schemas), which the" in gaps.text
