"""Mutation tests of the facade: what part of small changes to its code the tests notice, and which they do not.

Arguments are the parts to try anew; what is known of the others stays. Writes docs/mutation.md. Fails where a mutant
survives that scripts/equivalent_mutants.toml does not explain.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build/mutation"
EQUIVALENTS = ROOT / "scripts/equivalent_mutants.toml"
PAGE = ROOT / "docs/mutation.md"
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "dist", "build", "__pycache__")
MEMORY = 4 << 30
SURVIVED, NO_TESTS, NOT_RUN = 0, 33, None


def files(folder: str, names: str) -> list[str]:
    """Return the test files with these names."""
    return [f"tests/{folder}/test_{name}.py" for name in names.split()]


BUYING = files(
    "unit",
    "buying buying_cancelled buying_elsewhere buying_found buying_interrupted buying_minute buying_repeats "
    "buying_step_up buying_store buying_together buying_uncertain resume",
)

# Each part of the facade is held by its own tests, or a run would take days. Left out are tests of wall-clock time,
# which fail by chance on a busy machine, and such as look at the code itself, of which a mutant has more.
PARTS = {
    "money idempotency": files("unit", "money idempotency"),
    "replies errors": files("unit", "replies errors"),
    "flow settlement": files("unit", "flow settlement"),
    "buying": BUYING,
    "purchase_record purchase_errors purchases": [*files("unit", "memory_store"), *BUYING],
    "purchase_directory files": files("unit", "purchase_directory hermes_login"),
    "operations scalars": files("unit", "operations models scalars"),
    "portal": files("unit", "portal"),
    "credentials tokens hermes_login": files("unit", "credentials tokens hermes_login"),
    "oauth step_up": [*files("unit", "oauth"), *files("login", "device_login replay")],
    "login": files("login", "disk device_login patience refresh_rows"),
    "login_file login_document": files("login", "disk refresh_rows"),
    "default_login beside_loop": files("login", "default_login device_login hermes_contract"),
    "base_client": [
        *files("unit", "base_client client memory_store buying buying_cancelled buying_store resume"),
        *files("login", "default_login"),
    ],
    "client": [*files("unit", "client buying_interrupted"), *files("login", "default_login")],
    "hermes clock": [*files("unit", "clock hermes"), *files("sockets", "hermes")],
    "connections direct async_direct": [
        *files("unit", "connections senders"),
        *files("sockets", "connections exchange"),
    ],
    "transport": [*files("unit", "transport senders"), *files("sockets", "transport given_http what_went_wrong")],
    "drivers async_drivers threads": [
        *files("unit", "driver_questions driver_threads threads transport"),
        *files("sockets", "exchange proxy"),
    ],
    "deadline": [*files("unit", "deadline senders"), *files("sockets", "connections proxy")],
    "through_httpx": [*files("unit", "senders"), *files("sockets", "given_http proxy transport exchange")],
}


@dataclass(frozen=True)
class Mutant:
    """A change of one line that no test noticed."""

    function: str
    removed: str
    added: str


def run(part: str) -> None:
    """Let mutmut try the mutants of a part in a copy of the tree."""
    folder = COPY / part
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    config = {
        "source_paths": ["nous_billing"],
        "only_mutate": [f"nous_billing/{module}.py" for module in part.split()],
        "also_copy": ["generated", "openapi", "tests"],
        # On a busy machine the usual limit is soon reached, and what was only slow would count as killed.
        "timeout_constant": 6,
        "timeout_multiplier": 5,
        "pytest_add_cli_args_test_selection": PARTS[part],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=first-failure"],
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in config.items()))
    # A mutant may take memory without end, and is not to take the machine's.
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (MEMORY, MEMORY))
    command = ["mutmut", "run", "--max-children", str(os.cpu_count())]
    subprocess.run(command, cwd=folder, check=True, preexec_fn=limit)


def results(part: str) -> dict[str, int | None]:
    """Return how the tests ended for each mutant of a part."""
    found: dict[str, int | None] = {}
    for path in sorted((COPY / part / "mutants/nous_billing").glob("*.meta")):
        found.update(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    return found


def shown(part: str, name: str) -> Mutant:
    """Return what a mutant changes."""
    with chdir(COPY / part):
        diff = get_diff_for_mutant(name, path=f"nous_billing/{name.split('.')[1]}.py").splitlines()
    removed, added = (
        " ".join(line[1:].strip() for line in diff if line.startswith(sign) and not line.startswith(sign * 3))
        for sign in "-+"
    )
    return Mutant(name.rpartition("__mutmut_")[0], removed, added)


def page(
    tried: Counter[str],
    killed: Counter[str],
    endless: int,
    explained: list[tuple[Mutant, str]],
    unexplained: list[Mutant],
) -> list[str]:
    """Return the lines of the page."""
    lines = [
        "# Mutation tests of the facade",
        "",
        "Written by `make mutation`, which changes the code of the facade in one small place at a time and runs the",
        "tests of that part. A mutant is killed when a test fails or does not end.",
        "",
        "| module | mutants | killed | score |",
        "|---|---|---|---|",
    ]
    for module in [*sorted(tried), "in all"]:
        of, dead = (tried[module], killed[module]) if module in tried else (tried.total(), killed.total())
        lines.append(f"| {module} | {of} | {dead} | {100 * dead / of:.1f} % |")
    lines += ["", f"For {endless} of those killed, a test did not end."]
    untried = sorted({module for part in PARTS for module in part.split()} - set(tried))
    if untried:
        lines += ["", f"Not tried yet: {', '.join(untried)}."]
    lines += ["", f"## The {len(explained)} survivors that are no fault", ""]
    lines += [f"- `{each.function}`: `{each.removed}` became `{each.added}`. {why}" for each, why in explained]
    lines += ["", f"## The {len(unexplained)} survivors that no test notices yet", ""]
    lines += [f"- `{each.function}`: `{each.removed}` became `{each.added}`." for each in unexplained]
    return lines


def main() -> None:
    reasons = {
        Mutant(entry["function"], entry["removed"], entry["added"]): entry["why"]
        for entry in tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8")).get("mutant", [])
    }
    tried, killed, endless = Counter[str](), Counter[str](), 0
    explained, unexplained = list[tuple[Mutant, str]](), list[Mutant]()
    for part in PARTS:
        if not sys.argv[1:] or part in sys.argv[1:]:
            run(part)
        for name, ending in results(part).items():
            module = name.split(".")[1]
            tried[module] += 1
            if ending in (SURVIVED, NO_TESTS, NOT_RUN):
                mutant = shown(part, name)
                if mutant in reasons:
                    explained.append((mutant, reasons[mutant]))
                else:
                    unexplained.append(mutant)
            else:
                killed[module] += 1
                endless += status_by_exit_code[ending] == "timeout"
    PAGE.write_text("\n".join(page(tried, killed, endless, explained, unexplained)) + "\n", encoding="utf-8")
    for mutant in unexplained:
        print(f"{mutant.function}\n  - {mutant.removed}\n  + {mutant.added}")
    print(f"{killed.total()} of {tried.total()} mutants were killed, {len(explained)} of the others are explained.")
    sys.exit(bool(unexplained))


if __name__ == "__main__":
    main()
