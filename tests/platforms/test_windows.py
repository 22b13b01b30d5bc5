"""What runs on Windows does without what only other systems have. It is simulated; no test here ran on Windows."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from scripts.without_make import LEFT_OUT
from tests.platforms.as_windows import MODULES, NAMES

ROOT = Path(__file__).parents[2]
# What a module of tests may use in a test that is skipped there, but not as it is loaded.
ABSENT = {
    *NAMES,
    "killpg",
    "mkfifo",
    "setsid",
    "SIGALRM",
    "SIGHUP",
    "SIGKILL",
    "SIGUSR1",
    "setitimer",
    "AF_UNIX",
    "tzset",
}


def test_purchases_need_no_fcntl_no_fork_no_synced_folder_and_no_selector_loop() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "generated")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.platforms.buy"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["settled", "settled", "settled", "['50.25', '60.25'] []"]


def when_loaded(nodes: Iterable[ast.AST | None]) -> Iterator[ast.AST]:
    """What runs when a module is loaded: not the bodies of functions, but their decorators and defaults."""
    for node in filter(None, nodes):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from when_loaded([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        elif not isinstance(node, ast.Lambda):
            yield node
            yield from when_loaded(ast.iter_child_nodes(node))


def absent_on_windows(source: str) -> list[str]:
    used: list[str] = []
    for node in when_loaded([ast.parse(source)]):
        if isinstance(node, ast.Import):
            used += [alias.name for alias in node.names if alias.name in MODULES]
        elif isinstance(node, ast.ImportFrom):
            used += [alias.name for alias in node.names if node.module in MODULES or alias.name in ABSENT]
        elif isinstance(node, ast.Attribute) and node.attr in ABSENT:
            used.append(node.attr)
    return used


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os, fcntl", ["fcntl"]),
        ("from pwd import getpwnam", ["getpwnam"]),
        ("import signal\nNUMBER = signal.SIGALRM", ["SIGALRM"]),
        ("@skipif(os.geteuid() == 0)\ndef test(): os.fork()", ["geteuid"]),
        ("def test(user=os.getuid()): import pwd", ["getuid"]),
        ("def test():\n    import fcntl", []),
    ],
)
def test_what_windows_lacks_is_found_where_a_module_is_loaded(source: str, found: list[str]) -> None:
    assert absent_on_windows(source) == found


def test_every_module_that_windows_runs_can_be_loaded_there() -> None:
    folders = [ROOT / "tests", ROOT / "nous_billing", ROOT / "examples"]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    run = [file for file in files if not file.relative_to(ROOT).as_posix().startswith(LEFT_OUT)]
    assert len(run) > 200
    assert {str(file): used for file in run if (used := absent_on_windows(file.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize(
    "command", [["examples/demo.py"], ["-m", "nous_billing", "--help"], ["-m", "nous_billing.mock", "--help"]]
)
def test_a_console_of_windows_can_show_what_is_printed(command: list[str]) -> None:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "cp1252:strict",
        "PYTHONUTF8": "0",
        "PYTHONWARNDEFAULTENCODING": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", *command], cwd=ROOT, env=environment, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("cp1252")
