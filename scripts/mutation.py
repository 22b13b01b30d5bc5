"""Mutation tests of the facade: what part of small changes to its code the tests notice, and which they do not.

Arguments are the modules to try anew, such as "money protocol/idempotency"; what is known of the others stays, in
scripts/mutation_results.json. With `--sample 0.1` a tenth of the mutants of all modules is tried, chosen by their
names, or of those of some wings: `--sample 0.1 auth`; with `--sample 0.1-0.2` the next tenth. Writes
docs/mutation.md. Fails under a score of 95 %.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from mutmut import configuration
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

from scripts.quiet_mutmut import left_out

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build/mutation"
PAGE = ROOT / "docs/mutation.md"
RESULTS = ROOT / "scripts/mutation_results.json"
SAMPLE = ROOT / "scripts/mutation_sample.json"
# Not in the sample: the command, and the drop-in for Hermes, whose tests take long.
_TRIES = 3
NOT_SAMPLED = ("cli", "hermes")
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "dist", "build", "__pycache__")
# Of the drivers for PostgreSQL, one is enough; tests of many processes take long; of tests that are made from the code
# there is one more for each mutant; one looks at the names of frames; and in one, a user runs the code who cannot read
# what mutmut needs.
ARGS = [
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--hypothesis-profile=first-failure",
    "-k",
    "not psycopg and not processes and not mutmut and not while_an_interrupt_passes and not whatever_the_umask",
]
MEMORY = 4 << 30
LEAST = 95
SURVIVED, NO_TESTS, NOT_RUN = 0, 33, None

# The tests that hold the modules of each wing. Left out are tests of wall-clock time, which fail by chance on a busy
# machine, and such as look at the code itself, of which a mutant has more.
WINGS = {
    "auth": [
        "unit/auth/test_*",
        *(
            f"auth/test_{name}"
            for name in (
                "d*",
                "fa*",
                "foreign_files",
                "hermes_contract",
                "keyring",
                "patience",
                "re*",
                "status",
                "storage",
            )
        ),
        "sql/test_logins",
    ],
    "_files": ["unit/files/test_*", "unit/purchases/test_purchase_directory", "auth/test_disk", "auth/test_foreign*"],
    "cli": ["cli/test_asking", "cli/test_commands", "cli/test_endings"],
    "hermes": ["unit/test_hermes*", "sockets/test_hermes*"],
    "protocol": [
        "unit/protocol/test_*",
        *(f"unit/purchases/test_{name}" for name in ("buying", "buying_step_up", "callers_code")),
    ],
    "purchases": ["unit/purchases/test_*"],
    "transport": [
        "unit/transport/test_*",
        "unit/test_threads",
        "sockets/test_exchange",
        "sockets/test_what_went_wrong",
        *(
            f"sockets/transport/test_{name}"
            for name in ("connections", "given*", "http_tools", "loopback", "proxy", "transport")
        ),
    ],
}
# What holds single modules, beside the tests of their wing and those that have their name.
SINGLE = {
    "_arguments": ["unit/purchases/test_receipts"],
    "_base_error": ["unit/test_errors"],
    "_base_client": ["unit/test_client", "auth/test_default_login", "unit/test_arguments"],
    "_confirmed": ["sockets/test_confirmed"],
    "_base_purchasing": [
        "unit/test_base_client",
        "unit/purchases/test_memory_store",
        *(f"unit/purchases/test_{name}" for name in ("begin*", "buying", "buying_cancelled", "buying_store", "resume")),
    ],
    "_async_subscriptions": ["unit/test_client"],
    "_reporting": ["sockets/test_observability"],
    "auth/hermes_login": ["unit/test_hermes", "sockets/test_hermes"],
    "auth/kept_login": ["sql/test_logins"],
    "auth/login_places": ["unit/test_arguments"],
    "auth/tokens": ["unit/test_arguments"],
    "auth/sql_logins": ["sql/test_logins"],
    "events": ["sockets/test_observability"],
    "otel": ["sockets/test_opentelemetry"],
    "_result": ["unit/test_reply_headers"],
    "_subscription_models": ["unit/protocol/test_subscriptions"],
    "_subscriptions": ["unit/test_client"],
    "_threads": ["unit/transport/test_driver*"],
    "_async_purchasing": ["unit/test_client", "unit/purchases/test_buying_interrupted", "sockets/purchases/*"],
    "_purchase_errors": ["unit/test_errors"],
    "_purchasing": ["unit/test_client", "unit/purchases/test_buying_interrupted", "sockets/purchases/*"],
    "async_client": ["unit/test_client", "unit/purchases/test_buying_interrupted", "auth/test_default_login"],
    "client": ["unit/purchases/test_buying_interrupted", "auth/test_default_login"],
    "clock": ["unit/test_hermes", "sockets/test_hermes"],
    "credentials": ["unit/auth/test_tokens", "unit/auth/test_hermes_login"],
    "errors": ["unit/protocol/test_replies"],
    "keyring": ["auth/test_keyring"],
    "money": ["unit/test_arguments"],
    "models": ["unit/protocol/test_models"],
    "protocol/settlement": ["unit/purchases/test_begin_and_check"],
    "protocol/reporting": ["sockets/test_observability"],
    "protocol/request_headers": ["sockets/test_observability"],
    "purchases/buying": ["sockets/test_observability"],
    "purchases/directory": ["unit/test_arguments"],
    "purchases/reporting": ["sockets/test_observability"],
    "purchases/sql_table": ["sql/test_sql_store"],
    "purchases/store_access": ["unit/test_client"],
    "transport/asking": ["sockets/test_awaited_sources"],
    "transport/proxies": ["unit/test_arguments"],
    "transport/watching": ["sockets/test_observability"],
    "sql": ["sql/test_sql_store"],
}


@dataclass
class Score:
    """How the mutants of a module ended. A survivor is a function, the line that was taken out and the one put in."""

    tried: int = 0
    killed: int = 0
    endless: int = 0
    left_out: int = 0
    survivors: list[tuple[str, str, str]] = field(default_factory=list)
    digest: str = ""


def digest(module: str) -> str:
    """Tell one text of a module from another, so that the page can say what was changed after it was tried."""
    return hashlib.sha256((ROOT / f"nous_billing/{module}.py").read_bytes()).hexdigest()[:16]


def modules() -> Iterator[str]:
    """The modules with code that can be mutated, such as ``protocol/exchange``."""
    for path in sorted((ROOT / "nous_billing").rglob("*.py")):
        name = path.relative_to(ROOT / "nous_billing").with_suffix("").as_posix()
        if not name.startswith("mock/") and path.stem not in ("__init__", "_version") and "def " in path.read_text():
            yield name


def find_tests(module: str) -> list[str]:
    """The test files of a module: those of its wing, and those anywhere that have its name."""
    wing, _, name = module.rpartition("/")
    stem = name.removeprefix("_").removeprefix("async_")
    wings = WINGS[wing.partition("/")[0]] if wing else [f"unit/test_{name.strip('_')}*"]
    named = [f"{folder}/{wing}/test_{stem}*" for folder in ("unit", "sockets")] if wing else []
    found = (ROOT.glob(f"tests/{each}.py") for each in [*wings, *named, *SINGLE.get(module, [])])
    return sorted({path.relative_to(ROOT).as_posix() for paths in found for path in paths})


def run(modules: list[str], folder: Path, tests: list[str], share: str = "1") -> bool:
    """Let mutmut try a share of the mutants of modules in a copy of the tree, and return whether it could."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    config = {
        "source_paths": ["nous_billing"],
        "only_mutate": [f"nous_billing/{module}.py" for module in modules],
        "also_copy": ["generated", "openapi", "tests"],
        # On a busy machine the usual limit is soon reached, and what was only slow would count as killed.
        "timeout_constant": 6,
        "timeout_multiplier": 5,
        "process_isolation": "forkserver",
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ARGS,
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in config.items()))
    # A mutant may take memory without end, and is not to take the machine's.
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (MEMORY, MEMORY))
    command = [sys.executable, "-m", "scripts.quiet_mutmut", "run", "--max-children", str(os.cpu_count())]
    environment = {**os.environ, "MUTANTS_SHARE": share}
    return subprocess.run(command, cwd=folder, check=False, preexec_fn=limit, env=environment).returncode == 0


def score(module: str, folder: Path) -> Score:
    """How the mutants of a module ended when they were last tried; those that were not are not counted."""
    path = f"nous_billing/{module}.py"
    with chdir(folder):
        endings = json.loads(Path(f"mutants/{path}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
        configuration.reset_config()
        endings = {name: ending for name, ending in endings.items() if ending is not NOT_RUN}
        found = Score(
            tried=len(endings), left_out=left_out(path, Path(path).read_text(encoding="utf-8")), digest=digest(module)
        )
        for name, ending in endings.items():
            if ending in (SURVIVED, NO_TESTS):
                diff = get_diff_for_mutant(name, path=path).splitlines()
                lines = (
                    " ".join(line[1:].strip() for line in diff if line.startswith(sign) and line[:3] != sign * 3)
                    for sign in "-+"
                )
                found.survivors.append((name.rpartition("__mutmut_")[0], *lines))
            else:
                found.killed += 1
                found.endless += status_by_exit_code[ending] == "timeout"
    return found


def known() -> dict[str, Score]:
    """What is known of the modules that are still there, from earlier runs."""
    there = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return {module: Score(**there[module]) for module in modules() if module in there}


def run_sample(share: str, chosen: list[str]) -> None:
    """Try a share of the mutants, wing by wing: of the chosen wings, or of all."""
    wings: dict[str, list[str]] = {}
    for module in modules():
        if wing_of(module) not in NOT_SAMPLED:
            wings.setdefault(wing_of(module), []).append(module)
    if unknown := set(chosen) - set(wings):
        sys.exit(f"There is no wing {', '.join(sorted(unknown))}. There are: {', '.join(wings)}.")
    there = json.loads(SAMPLE.read_text(encoding="utf-8")) if SAMPLE.exists() else {}
    scores = {
        name: Score(**each)
        for name, each in there.get("modules", {}).items()
        if there["share"] == share and name in wings.get(wing_of(name), [])
    }
    failed = []
    for wing in chosen or wings:
        folder = COPY / f"sample-{wing}"
        tests = sorted({test for name in wings[wing] for test in find_tests(name)})
        # Again where a test of a time failed on a busy machine.
        if not any(run(wings[wing], folder, tests, share) for _ in range(_TRIES)):
            failed.append(wing)
            continue
        scores |= {name: score(name, folder) for name in wings[wing]}
        # At once, so that a run that is stopped has not been for nothing.
        sampled = {name: asdict(scores[name]) for name in sorted(scores)}
        SAMPLE.write_text(json.dumps({"share": share, "modules": sampled}, indent=1) + "\n", encoding="utf-8")
        save(known())
    if failed:
        sys.exit(f"The tests of {', '.join(failed)} fail without a change, or what failed is above.")
    tried, killed = (sum(getattr(each, name) for each in scores.values()) for name in ("tried", "killed"))
    print(f"{killed} of {tried} mutants were killed. The others: {PAGE.relative_to(ROOT)}")
    sys.exit(100 * killed < LEAST * tried)


def sample_page() -> list[str]:
    """Return the lines about the last sample."""
    if not SAMPLE.exists():
        return []
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    scores = {name: Score(**each) for name, each in sample["modules"].items()}
    tried, killed = (sum(getattr(each, name) for each in scores.values()) for name in ("tried", "killed"))
    least, most = interval(killed, tried)
    survivors = [survivor for each in scores.values() for survivor in each.survivors]
    return [
        "## A sample of all modules",
        "",
        f"`make mutation SAMPLE={sample['share']}` tried {tried} mutants of {len(scores)} modules, chosen by a hash of",
        f"their names. {killed} were killed: **{100 * killed / tried:.1f} %**. With a confidence of 95 %, the score of",
        f"all mutants is between {100 * least:.1f} and {100 * most:.1f} %. The command and the drop-in for Hermes are",
        "not in it.",
        "",
        "| wing | mutants | killed | score | left out |",
        "|---|---|---|---|---|",
        *(
            row(
                wing,
                *(
                    sum(getattr(each, field) for name, each in scores.items() if wing_of(name) == wing)
                    for field in ("tried", "killed", "left_out")
                ),
            )
            for wing in sorted({wing_of(name) for name in scores})
        ),
        *changed_since(scores),
        "",
        "Those that survived:",
        "",
        *(f"- `{function}`: `{old}` became `{new}`." for function, old, new in survivors),
        "",
    ]


def changed_since(scores: dict[str, Score]) -> list[str]:
    """Return the line about modules that were changed after they were tried."""
    changed = [module for module, each in scores.items() if each.digest != digest(module)]
    return ["", f"Changed since they were tried: {', '.join(changed)}."] if changed else []


def wing_of(module: str) -> str:
    return module.partition("/")[0] if "/" in module else "front"


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return the bounds of a share with a confidence of 95 % (Wilson).

    >>> [round(bound, 3) for bound in interval(95, 100)]
    [0.888, 0.978]
    """
    z, share = 1.96, killed / tried
    middle = share + z * z / (2 * tried)
    half = z * ((share * (1 - share) + z * z / (4 * tried)) / tried) ** 0.5
    return (middle - half) / (1 + z * z / tried), (middle + half) / (1 + z * z / tried)


def save(scores: dict[str, Score]) -> None:
    text = json.dumps({module: asdict(scores[module]) for module in sorted(scores)}, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    untried = [module for module in modules() if module not in scores]
    PAGE.write_text("\n".join(page(scores, untried)) + "\n", encoding="utf-8")


def page(scores: dict[str, Score], untried: list[str]) -> list[str]:
    """Return the lines of the page."""
    total = Counter[str]()
    lines = [
        "# Mutation tests of the facade",
        "",
        "`make mutation` changes the code of the facade in one small place at a time and runs the tests of its wing. A",
        "mutant is killed when a test fails or does not end. Left out, and in neither number, are changes that make no",
        "difference: of the arguments of `cast`, and of False to None.",
        "",
        *sample_page(),
        "## Modules that were tried whole",
        "",
        "| module | mutants | killed | score | left out |",
        "|---|---|---|---|---|",
    ]
    for module, each in scores.items():
        total.update(tried=each.tried, killed=each.killed, endless=each.endless, left_out=each.left_out)
        lines.append(row(module, each.tried, each.killed, each.left_out))
    lines += [row("in all", total["tried"], total["killed"], total["left_out"]), ""]
    lines += [f"For {total['endless']} of those killed, a test did not end."]
    lines += ["", f"Not tried whole yet: {', '.join(untried)}."] if untried else []
    lines += [
        *changed_since(scores),
        "",
        "## The survivors",
        "",
        "Each is a test that is missing, or a change that makes no difference.",
        "",
    ]
    for each in scores.values():
        lines += [f"- `{function}`: `{old}` became `{new}`." for function, old, new in each.survivors]
    return lines


def row(name: str, tried: int, killed: int, left: int) -> str:
    return f"| {name} | {tried} | {killed} | {100 * killed / max(tried, 1):.1f} % | {left} |"


def main() -> None:
    if sys.argv[1:2] == ["--sample"]:
        run_sample(sys.argv[2], sys.argv[3:])
    there = [*modules()]
    chosen = sys.argv[1:] or there
    if unknown := set(chosen) - set(there):
        sys.exit(f"There is no module {', '.join(sorted(unknown))} with code. There are: {', '.join(there)}.")
    tests = {module: find_tests(module) for module in chosen}
    if untested := [module for module, found in tests.items() if not found]:
        sys.exit(f"No tests hold {', '.join(untested)}. Name them in scripts/mutation.py.")
    scores, failed = known(), list[str]()
    for module in chosen:
        if not run([module], COPY / module, tests[module]):
            failed.append(module)
            continue
        # At once, so that a run that is stopped has not been for nothing.
        scores[module] = score(module, COPY / module)
        save(scores)
    tried, killed = (sum(getattr(scores[m], name) for m in chosen if m in scores) for name in ("tried", "killed"))
    print(f"{killed} of {tried} mutants of {', '.join(chosen)} were killed. The others: {PAGE.relative_to(ROOT)}")
    if failed:
        sys.exit(f"The tests of {', '.join(failed)} fail without a change, or what failed is above.")
    sys.exit(100 * killed < LEAST * tried)


if __name__ == "__main__":
    main()
