"""When the portal changes: what the tools say, rehearsed on copies, and the page followed as written."""

import re
from pathlib import Path

import pytest

from scripts.rehearsals.changes import (
    CONTRACT,
    ENDPOINT,
    ERROR,
    FIELD,
    REASON,
    REHEARSALS,
    REMOVED,
    RETYPED,
    Edit,
    Rehearsal,
)
from scripts.rehearsals.run import Copy, demanded, verdict, written

PAGE = Path(__file__).parents[2] / "docs/portal-changed.md"

# Each change: the verdict, the contract's version, the lines that a person writes, and what the tools ask for.
EXPECTED: dict[str, tuple[str, str, int, list[str]]] = {
    FIELD.name: (
        "minor",
        "1.2.0",
        1,
        ["models.py: BillingState has no loyalty_tier. Add: loyalty_tier: str | None = None"],
    ),
    ERROR.name: (
        "minor",
        "1.2.0",
        4,
        [
            "errors.py: There is no class for card_blocked. Add: class BillingCardBlocked(BillingAccessDenied): with a "
            "docstring, tries_left: int | None = None",
            'protocol/error_codes.py: Add: "card_blocked": (403, errors.BillingCardBlocked, "A sentence."),',
        ],
    ),
    REASON.name: (
        "minor",
        "1.2.0",
        1,
        ["mock/ledger.py: The mock has no card that ends in card_stolen. Add one."],
    ),
    REMOVED.name: ("major", "2.0.0", 1, ["models.py: The contract has no Organisation.slug. Take it out."]),
    RETYPED.name: (
        "major",
        "2.0.0",
        2,
        ["models.py: MonthlyCap.is_default_ceiling is bool. The contract says str."],
    ),
    ENDPOINT.name: (
        "minor",
        "1.2.0",
        27,
        [
            "async_client.py: AsyncBillingClient has no list_invoices. Add it.",
            "client.py: BillingClient has no list_invoices. Add it.",
            "mock/billing.py: The mock has no handler list_invoices. Add it.",
            "models.py: There is no class Invoice. Add it with id: str, total_usd: Decimal.",
            "models.py: There is no class InvoiceList. Add it with invoices: tuple[Invoice, ...].",
            "protocol/operations.py: nous_billing.protocol.operations has no list_invoices. Add it.",
        ],
    ),
}


def asked(gaps: str) -> list[str]:
    """What the tools ask for, without the number of the line."""
    found = re.findall(r"^nous_billing/([\w/]+\.py)(?::\d+)?: (.*)$", gaps, re.MULTILINE)
    return [f"{path}: {text}" for path, text in found]


@pytest.mark.parametrize("rehearsal", REHEARSALS, ids=lambda rehearsal: rehearsal.name)
def test_a_change_is_judged_and_followed_in_so_many_lines(rehearsal: Rehearsal, tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.apply(rehearsal.contract)
    said = copy.python("-m", "scripts.changes")
    judged, version, lines, _ = EXPECTED[rehearsal.name]
    assert not said.content
    assert (verdict(said.text), demanded(said.text)) == (judged, version)
    assert f"info.version of {CONTRACT} is 1.1.0. Set it to {version}." in said.text
    assert copy.write(rehearsal.by_hand) == lines


def test_every_change_is_rehearsed() -> None:
    assert [rehearsal.name for rehearsal in REHEARSALS] == [*EXPECTED]


def test_the_page_is_followed_as_written_for_all_changes_at_once(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [command.strip() for block in blocks for command in block.strip().splitlines()] == [
        "make contract",
        "make surface",
        "make contract",
        "make test",
        "make check",
    ]
    copy = Copy(tmp_path)
    for rehearsal in REHEARSALS:
        copy.apply(rehearsal.contract)

    asks = copy.make("contract")
    assert not asks.content
    assert "added     response  minor  GET /api/billing/state 200: loyaltyTier\n" in asks.text
    assert sorted(asked(asks.text)) == sorted(each for *_, places in EXPECTED.values() for each in places)
    (number,) = re.findall(r"^nous_billing/protocol/error_codes\.py:(\d+): Add", asks.text, re.MULTILINE)
    assert (copy.folder / "nous_billing/protocol/error_codes.py").read_text().splitlines()[int(number) - 1] == "}"
    (version,) = re.findall(r"^info\.version .* Set it to ([\d.]+)\.$", asks.text, re.MULTILINE)
    assert version == "2.0.0"

    for rehearsal in REHEARSALS:
        copy.apply(rehearsal.by_hand)
    copy.apply((Edit(CONTRACT, "info:", "version: 1.1.0", f"version: {version}"),))
    assert copy.make("surface").content
    done = copy.make("contract")
    assert done.content, done.text
    assert "The facade offers all that the contract says.\n" in done.text
    assert done.text.endswith("list_invoices: GET /api/billing/invoices 200\n")

    proof = copy.proves(*REHEARSALS)
    assert proof.content, proof.text
    surface = copy.python("-m", "scripts.surface_changes")
    assert (verdict(surface.text), demanded(surface.text)) == ("major", "0.2.0")
    for change in (
        "BREAKING  major  Organisation.slug: Public object was removed: slug -> None",
        "BREAKING  major  MonthlyCap.is_default_ceiling: bool -> str",
        "changed   minor  BillingCardBlocked: added",
        "changed   minor  BillingState.loyalty_tier: added",
        "changed   minor  AsyncBillingClient.list_invoices: added",
    ):
        assert change in surface.text.splitlines()


def more(mark: str, anchor: str, text: str) -> Edit:
    """Says more in the contract: a text before the first anchor behind a mark."""
    return Edit(CONTRACT, mark, anchor, text + anchor)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy whose contract says more in every place that the six changes leave out."""
    copy = Copy(tmp_path_factory.mktemp("copy"))
    example, failed = "      example:", "        - $ref: '#/components/schemas/ChargeFailed'\n"
    refused = "        '{}': {{$ref: '#/components/responses/RateLimited'}}\n"
    copy.apply(
        (
            more("operationId: post_charge", "        '409':", refused.format(402)),
            more("\n    ChargeRequest:", example, "        poNumber: {type: string}\n"),
            more("\n    AutoTopUpSaved:", example, "        savedAt: {type: string}\n"),
            more("\n    ChargeStatus:", failed, "        - $ref: '#/components/schemas/Bounds'\n"),
            more("\n    MonthlyCapExceeded:", "        portalUrl:", "        resetsOn: {type: string}\n"),
            more("\n    AmountOutOfBounds:", example, "        maxUsd: {type: string}\n"),
            more("\n    BillingState:", example, "        plan: {type: object, properties: {name: {type: string}}}\n"),
            Edit(CONTRACT, "\n    RateLimited:\n      type", "const: rate_limited", "const: too_many_calls"),
        )
    )
    return copy


def test_nothing_that_the_contract_says_is_dropped_in_silence(grown: Copy) -> None:
    gaps = grown.python("-m", "scripts.gaps")
    assert not gaps.content
    row = '"too_many_calls": ({}, errors.BillingTooManyCalls, "A sentence."),'
    assert set(asked(gaps.text)) == {
        "protocol/error_codes.py: post_charge answers 402. Say which class that is.",
        "protocol/operations.py: post_charge does not take po_number. Add it.",
        "async_client.py: post_charge does not take po_number. Add it.",
        "client.py: post_charge does not take po_number. Add it.",
        "models.py: AutoTopUpSaved has no saved_at. Add: saved_at: str | None = None",
        "protocol/operations.py: get_charge_status does not read Bounds. Let it return "
        "Operation[ChargePending | ChargeSettled | Bounds | ChargeFailed].",
        "errors.py: BillingMonthlyCapExceeded: add resets_on: str | None = None",
        "errors.py: amount_out_of_bounds has max_usd. Give it a class of its own.",
        "errors.py: There is no class for too_many_calls. "
        "Add: class BillingTooManyCalls(BillingRateLimited): with a docstring",
        f"protocol/error_codes.py: Add: {row.format((402, 429))}",
        "protocol/error_codes.py: The contract has no error rate_limited. Take its row out.",
    }
    assert re.search(
        rf"^{CONTRACT}:\d+: BillingState.plan is an object without a name \(put it under components/schemas\), which",
        gaps.text,
        re.MULTILINE,
    )


def test_who_feels_a_change_is_said(grown: Copy) -> None:
    said = grown.python("-m", "scripts.changes").text
    assert re.search(r"^added +request +minor +POST /api/billing/charge: poNumber", said, re.MULTILINE)
    assert re.search(r"^added +response +minor +POST /api/billing/charge 402", said, re.MULTILINE)


def test_growth_that_the_contract_does_not_announce_is_breaking(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    money = "spentThisMonthUsd: {$ref: '#/components/schemas/Money'}"
    nullable = "spentThisMonthUsd: {anyOf: [{$ref: '#/components/schemas/Money'}, {type: 'null'}]}"
    copy.apply(
        (
            Edit(CONTRACT, "\n    MonthlyCap:", money, nullable),
            more("\n        reloadToUsd:\n", "        card:", "            - type: boolean\n"),
            Edit(CONTRACT, "\n    Card:", "            - {type: string}\n", ""),
            Edit(CONTRACT, "\n    AutoTopUpRequest:", "required: [enabled,", "required: [enabled, note,"),
            Edit(CONTRACT, "\n    AutoTopUpRequest:", "      example:", "        note: {type: string}\n      example:"),
        )
    )
    said = copy.python("-m", "scripts.changes").text
    assert verdict(said) == "major"
    breaking = [line.split(maxsplit=3)[1:] for line in said.splitlines() if line.startswith("BREAKING")]
    assert {felt for felt, *_ in breaking} == {"request", "response"}
    for part in ("spentThisMonthUsd", "autoReload.reloadToUsd", "note"):
        assert any(part in rest for *_, rest in breaking), part


def test_a_rehearsal_that_does_not_fit_the_project_any_more_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="substring not found"):
        Copy(tmp_path).apply((Edit(CONTRACT, "info:", "nothing of the kind", ""),))


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [(["a", "b"], ["a", "", "c", "b"], 1), (["a", "b"], ["a"], 1), (["a"], ["b"], 1), (["a"], ["a"], 0)],
)
def test_lines_are_counted_as_a_person_counts(before: list[str], now: list[str], count: int) -> None:
    assert written(before, now) == count
