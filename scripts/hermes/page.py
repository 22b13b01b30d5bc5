"""Writes the page that compares the billing modules: what was measured, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Held = Mapping[str, bool]
Costs = Mapping[str, list[float]]

_HEAD = """# Compared with Hermes's own module

`make hermes` writes this page. It installs released versions of Hermes and runs their unchanged code against the mock
portal: once with Hermes's own billing module, and once with `from nous_billing.hermes import *` in its place. It looks
at what the terminal and the gateway say, what the portal charged, and where links and tokens went.
[In Hermes](hermes.md) says what is different, and why.

*same*: whatever was looked at held with both, or failed with both in the same way. **better**: something holds that
failed with Hermes's own module; the cell says what. If anything were worse, `make hermes` would fail.
"""
_KINDS = {"bare": "a fresh interpreter", "in Hermes": "Hermes's command, which has loaded all else"}


@dataclass(frozen=True)
class Measured:
    """What was measured in one version of Hermes, with its own module (``old``) and with ours (``new``)."""

    old: Mapping[str, Held]
    new: Mapping[str, Held]
    names: Mapping[str, list[str]]
    old_costs: Costs
    new_costs: Costs

    def worse(self) -> list[str]:
        """Return the cases in which something holds with the old module only."""
        return [
            case for case, held in self.old.items() if any(held[look] and not self.new[case].get(look) for look in held)
        ]

    def failing(self) -> list[str]:
        """Return the cases in which something does not hold with the new module."""
        return [case for case, held in self.new.items() if not all(held.values())]

    def verdict(self, case: str) -> str:
        if case not in self.new:
            return ""
        old, new = self.old[case], self.new[case]
        lost = [look for look in old if old[look] and not new.get(look)]
        won = [look for look in new if new[look] and not old.get(look)]
        if lost:
            return f"**worse**: not {', not '.join(lost)}"
        return f"**better**: {', '.join(won)}" if won else "same"


def page(measured: Mapping[str, Measured]) -> str:
    return "\n".join([_HEAD, *_cases(measured), "", *_costs(measured), "", *_names(measured), ""])


def _cases(measured: Mapping[str, Measured]) -> list[str]:
    cases = list(dict.fromkeys(case for each in measured.values() for case in each.new))
    rows = [_row("case", *(f"Hermes {version}" for version in measured)), _row(*["---"] * (1 + len(measured)))]
    rows += [_row(case, *(each.verdict(case) for each in measured.values())) for case in cases]
    return ["## Cases", "", *rows]


def _costs(measured: Mapping[str, Measured]) -> list[str]:
    rows = [
        "## CPU time",
        "",
        "Milliseconds, the old module → this one, over plain HTTP on loopback; the least of several runs.",
        "",
    ]
    rows += [_row("Hermes", "in", "import", "import and first state", "a poll"), _row(*["---"] * 5)]
    for version, each in measured.items():
        for kind, name in _KINDS.items():
            pairs = zip(each.old_costs[kind], each.new_costs[kind], strict=True)
            rows.append(_row(version, name, *(f"{1000 * old:.2f} → {1000 * new:.2f}" for old, new in pairs)))
    return rows


def _names(measured: Mapping[str, Measured]) -> list[str]:
    rows = ["## Names", "", "What the code of Hermes takes from its billing module. Each is there.", ""]
    rows += [_row("Hermes", "names"), _row("---", "---")]
    return rows + [_row(version, ", ".join(f"`{name}`" for name in each.names)) for version, each in measured.items()]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
