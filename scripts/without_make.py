"""`make setup`, `make test` and `make demo` for a system without make: python scripts/without_make.py test

Needs Python 3.11 or newer and pip. The tests of the tooling, and those that fork, are left out.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS, SUFFIX = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
UV = ROOT / f".tools/bin/uv{SUFFIX}"
PYTHON = ROOT / f".venv/{SCRIPTS}/python{SUFFIX}"
LEFT_OUT = ("tests/project", "tests/chaos", "tests/examples", "tests/auth")


def run(*command: str | Path) -> None:
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def setup() -> None:
    hashed = ["--require-hashes", "--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--no-deps", *hashed]
    run(*pip, "--target", ".tools", "-r", "requirements-uv.txt")
    run(UV, "venv", "--quiet", "--allow-existing", "--python", sys.executable, ".venv")
    run(UV, "pip", "sync", "--quiet", "--python", ".venv", *hashed, "requirements-dev.txt")
    run(UV, "pip", "install", "--quiet", "--python", ".venv", "--no-deps", "--no-build-isolation", "-e", ".")


def test() -> None:
    run(PYTHON, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *(f"--ignore={each}" for each in LEFT_OUT))


def demo() -> None:
    run(PYTHON, "examples/demo.py")


def main() -> None:
    steps = {"setup": setup, "test": test, "demo": demo}
    if sys.version_info < (3, 11) or sys.argv[1:] not in [[name] for name in steps]:
        sys.exit(__doc__)
    if sys.argv[1] != "setup" and not PYTHON.exists():
        setup()
    steps[sys.argv[1]]()


if __name__ == "__main__":
    main()
