"""The comparison with Hermes's own module: what counts as better and worse, and which names Hermes takes."""

import ast

import pytest

from scripts.hermes.inside.names import names_in
from scripts.hermes.page import Measured, page


@pytest.mark.parametrize(
    ("old", "new", "verdict", "problems"),
    [
        ({"a": True, "b": True}, {"a": True, "b": True}, "same", ([], [])),
        ({"a": True, "b": False}, {"a": True, "b": True}, "**better**: b", ([], [])),
        ({"a": False, "b": False}, {"a": False, "b": False}, "same", ([], ["case"])),
        ({"a": True, "b": False}, {"a": False, "b": True}, "**worse**: not a", (["case"], ["case"])),
        ({"it ends": False}, {"a": True}, "**better**: a", ([], [])),
        ({"a": True}, {"it ends": False}, "**worse**: not a", (["case"], ["case"])),
    ],
)
def test_a_case_is_better_only_where_nothing_is_worse(old, new, verdict, problems):
    kinds = {kind: [[0.1, 0.2, 0.01], [0.11, 0.3, 0.001]] for kind in ("bare", "in Hermes")}
    costs = {"TLS": kinds, "HTTP": {kind: [[1, 1, 1], [2, 2, 2]] for kind in kinds}}
    measured = Measured({"case": old}, {"case": new}, {"post_charge": ["cli.py"]}, costs)
    assert (measured.worse(), measured.failing()) == problems
    written = page({"1.0": measured})
    assert f"| case | {verdict} |" in written
    assert "| 1.0 | `post_charge` |" in written
    assert (
        "import | import and first state, TLS | import and first state, HTTP | a poll, TLS | a poll, HTTP |" in written
    )
    plain = "1000.00 → 2000.00"
    assert f"| 100.00 → 110.00 | 200.00 → 300.00 | {plain} | 10.00 → 1.00 | {plain} |" in written


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from hermes_cli.nous_billing import post_charge, BillingError as E", {"post_charge", "BillingError"}),
        ("from hermes_cli import nous_billing\nnous_billing.post_charge()", {"post_charge"}),
        (
            "def f():\n from hermes_cli import nous_billing as nb\n nb._absolutize_portal_url",
            {"_absolutize_portal_url"},
        ),
        ("import hermes_cli.nous_billing as nb\nnb.resolve_portal_base_url", {"resolve_portal_base_url"}),
        ("from elsewhere import post_charge\nother.nous_billing_text", set()),
    ],
)
def test_the_names_that_hermes_takes_are_found(source, names):
    assert set(names_in(ast.parse(source))) == names
