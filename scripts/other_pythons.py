"""Run the tests that may differ by Python with each further version that this machine has, warnings being errors."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.surface import ROOT

MINORS = (11, 12, 13, 14)
UV = ROOT / ".tools/bin/uv"
# The rules, and both clients over sockets. The rest is the tooling, and long runs.
TESTS = ("tests/unit", "tests/platforms", "tests/mock/test_server.py", "tests/sockets/test_exchange.py")


def find_python(version: str) -> str | None:
    """A Python of a version such as ``3.13`` or ``3.14t``: one on the path, or one of pyenv's."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    number, threads = version.rstrip("t"), version[len(version.rstrip("t")) :]
    folders = [each for each in sorted(root.glob(f"{number}.*{threads}")) if each.name.endswith("t") == bool(threads)]
    candidates = [sys.executable, shutil.which(f"python{version}"), *(f"{each}/bin/python" for each in folders)]
    probe = "import sys, sysconfig; v = '%d.%d' % sys.version_info[:2]"
    probe += "; print(v + 't' * bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
    for candidate in candidates:
        # What is on the path may be a shim with nothing behind it.
        if candidate:
            done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, timeout=30)
            if done.stdout.strip() == version:
                return candidate
    return None


def run_tests(version: str, python: str) -> bool:
    """Run the tests in an environment of this Python, with the locked versions."""
    folder = ROOT / f"build/python-{version}"
    bin_folder = folder / "bin"

    def uv(*arguments: str | Path) -> None:
        subprocess.run([UV, *arguments], cwd=ROOT, check=True)

    uv("venv", "--quiet", "--clear", "--python", python, folder)
    options: list[str | Path] = ["--quiet", "--python", folder, "--require-hashes", "--only-binary", ":all:"]
    uv("pip", "sync", *options, "requirements-dev.txt")
    uv("pip", "install", "--quiet", "--python", folder, "--no-deps", "--no-build-isolation", "-e", ".")
    command: list[str | Path] = [
        bin_folder / "python",
        "-W",
        "error",
        "-m",
        "pytest",
        "-q",
        "-n",
        "auto",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run([*command, *(sys.argv[1:] or TESTS)], cwd=ROOT).returncode == 0


def main() -> None:
    failed = []
    for version in [f"3.{minor}{threads}" for minor in MINORS for threads in ("", "t")]:
        python = find_python(version)
        if python == sys.executable or version in {"3.11t", "3.12t"}:
            continue
        if python is None:
            print(f"Python {version}: not on this machine.", flush=True)
            continue
        print(f"Python {version}: {python}", flush=True)
        if not run_tests(version, python):
            failed.append(version)
    if failed:
        sys.exit(f"The tests fail with Python {', '.join(failed)}.")


if __name__ == "__main__":
    main()
