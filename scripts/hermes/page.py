"""Writes the page that compares the billing modules: what was measured, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Held = Mapping[str, bool]
Costs = Mapping[str, Mapping[str, list[list[float]]]]
"""By how the portal is reached and by kind of process: import, import and first state, and a poll, old and new."""

_HEAD = """# Compared with Hermes's own module

`make hermes` writes this page. It installs released versions of Hermes and runs their unchanged code against the mock
portal: once with Hermes's own billing module, and once with `from nous_billing.hermes import *` in its place. It looks
at what the terminal and the gateway say, what the portal charged, and where links and tokens went.
[In Hermes](hermes.md) says what is different, and why.

*same*: whatever was looked at held with both, or failed with both in the same way. **better**: something holds that
failed with Hermes's own module; the cell says what. If anything were worse, `make hermes` would fail.
"""
_COSTS = """## CPU time

Milliseconds of one process with all its threads, the old module → this one. The two take turns, each time in a fresh
process, and the least of fifteen runs counts. The mock portal is on this machine; the real one is reached over TLS
only. Both modules trust certifi's authorities and the mock's own. Hermes's module loads them and connects for each
request, this one once.

""".splitlines()
_KINDS = {"bare": "a fresh interpreter", "in Hermes": "Hermes's command, which has loaded all else"}


@dataclass(frozen=True)
class Measured:
    """What was measured in one version of Hermes, with its own module (``old``) and with ours (``new``)."""

    old: Mapping[str, Held]
    new: Mapping[str, Held]
    names: Mapping[str, list[str]]
    costs: Costs

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
    schemes = list(next(iter(measured.values())).costs)
    looks = [f"{what}, {scheme}" for what in ("import and first state", "a poll") for scheme in schemes]
    rows = [*_COSTS, _row("Hermes", "in", "import", *looks), _row(*["---"] * (3 + len(looks)))]
    for version, each in measured.items():
        for kind, name in _KINDS.items():
            by_scheme = [list(zip(*each.costs[scheme][kind], strict=True)) for scheme in schemes]
            pairs = [by_scheme[0][0], *(pairs[look] for look in (1, 2) for pairs in by_scheme)]
            rows.append(_row(version, name, *(f"{1000 * old:.2f} → {1000 * new:.2f}" for old, new in pairs)))
    return rows


def _names(measured: Mapping[str, Measured]) -> list[str]:
    rows = ["## Names", "", "What the code of Hermes takes from its billing module. Each is there.", ""]
    rows += [_row("Hermes", "names"), _row("---", "---")]
    return rows + [_row(version, ", ".join(f"`{name}`" for name in each.names)) for version, each in measured.items()]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
