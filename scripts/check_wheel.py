"""Prove the wheel in dist/, not the checkout: its imports, a purchase from its own mock."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".tools/bin/uv"
IMPORTS = """
import importlib.util, pathlib, sys
import nous_billing
assert pathlib.Path(nous_billing.__file__).is_relative_to(sys.prefix), nous_billing.__file__
for name in nous_billing.__all__:
    getattr(nous_billing, name)
for name in ("jsonschema_rs", "starlette", "uvicorn"):
    assert importlib.util.find_spec(name) is None, f"{name} belongs to the extra"
"""


def check_installed(wheel: Path, folder: Path) -> None:
    python = folder / "venv/bin/python"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*command: str | Path) -> None:
        # Far from the checkout, so that nothing of it can be imported by chance.
        subprocess.run(command, check=True, cwd=folder, env=environment)

    def install(requirement: str) -> None:
        locked: list[str | Path] = ["--constraints", ROOT / "requirements-dev.txt"]
        run(UV, "pip", "install", "--quiet", "--python", python, *locked, requirement)

    run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    install(f"nous-billing @ {wheel.as_uri()}")
    run(python, "-I", "-c", IMPORTS)
    print("The wheel alone imports.", flush=True)
    install(f"nous-billing[mock] @ {wheel.as_uri()}")
    run(python, "-I", ROOT / "scripts/try_wheel.py")


def main() -> None:
    (wheel,) = (ROOT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        try:
            check_installed(wheel, folder)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{(error.stderr or b'').decode()}{wheel.name} failed the check.")


if __name__ == "__main__":
    main()
