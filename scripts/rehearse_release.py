"""Rehearse a release: from a clean clone to devpi-server on loopback, then install it with pip, uv, poetry and pipx.

The index has the dependencies too, by the hashes of requirements-dev.txt, so each tool is given this one index only.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.indexes import PASSWORD, USER, Index
from scripts.indexes.devpi import devpi
from scripts.release import version

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build/indexes/bin"
UV = ROOT / ".tools/bin/uv"
TRY = ROOT / "scripts/try_wheel.py"
ENTRY = "### Fixed\n\n- A rehearsed fault.\n"
GIT = ["git", "-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"]


class Rehearsal:
    """Runs commands far from the checkout, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "UV_"))
        }
        self.environment = {**kept, "HOME": str(folder), "XDG_CACHE_HOME": str(Path.home() / ".cache")}

    def run(self, *command: str | Path, at: Path | None = None, more: Mapping[str, str] | None = None) -> str:
        environment = {**self.environment, **(more or {})}
        done = subprocess.run(
            command, cwd=at or self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
        return done.stdout

    def make(self, *arguments: str, **more: str) -> str:
        return self.run("make", "--no-print-directory", *arguments, at=self.clone, more=more)

    def prepare(self) -> None:
        """Follow docs/releasing.md up to the tag."""
        self.run("git", "clone", "--quiet", "--no-local", str(ROOT), str(self.clone))
        log = self.clone / "CHANGELOG.md"
        text = log.read_text(encoding="utf-8")
        heading = f"## [{version()}] - 2030-01-31"
        if heading.partition(" -")[0] not in text:
            text = text.replace("## [Unreleased]\n", f"## [Unreleased]\n\n{heading}\n", 1)
        log.write_text(text, encoding="utf-8")
        self.make("setup", "surface", "generate", "release")
        self.run(*GIT, "commit", "--quiet", "--all", "--message", "Release", at=self.clone)
        self.run("git", "tag", f"v{version()}", at=self.clone)

    def publish(self, index: Index, *, quick: bool) -> None:
        """Run `make publish`; a quick one takes the checks and the tests for passed."""
        login = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
        if not quick:
            self.make("publish", f"INDEX_URL={index.url}", **login)
            return
        print(self.make("proved", "-o", "check", "-o", "test"), end="")
        upload = ["-m", "scripts.publish", "--proved", "build/proved.sha256", index.url]
        print(self.run(self.clone / ".venv/bin/python", *upload, at=self.clone, more=login), end="")

    def publish_dependencies(self, index: Index) -> None:
        """Put the locked dependencies of the package on the index, those for other systems too: poetry asks for all."""
        wheels = self.folder / "wheels"
        locked = self.folder / "locked.txt"
        options: list[str | Path] = [
            "--universal",
            "--extra",
            "mock",
            "--constraints",
            ROOT / "requirements-dev.txt",
            "--generate-hashes",
        ]
        self.run(UV, "pip", "compile", ROOT / "pyproject.toml", *options, "--quiet", "-o", locked)
        everywhere = re.sub(r" ; .*(?= \\$)", "", locked.read_text(encoding="utf-8"), flags=re.MULTILINE)
        # pipx brings its own pip up to date first.
        (pip,) = re.findall(
            r"^pip==(?:.*\\\n)+.*\n", (ROOT / "requirements-indexes.txt").read_text("utf-8"), re.MULTILINE
        )
        locked.write_text(everywhere + pip, encoding="utf-8")
        download = ["download", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
        self.run("python3", "-m", "pip", *download, "-r", locked, "-d", wheels)
        login = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
        self.run(UV, "publish", "--no-config", "--publish-url", index.url, *sorted(wheels.iterdir()), more=login)

    def installs(self, simple: str) -> Iterator[tuple[str, Path]]:
        """Install with each tool; yields its name and the Python that has the package."""
        folder, package = self.folder, "nous-billing[mock]"
        self.run("python3", "-m", "venv", folder / "pip")
        self.run(folder / "pip/bin/pip", "install", "--quiet", "--index-url", simple, package)
        yield "pip", folder / "pip/bin/python"
        self.run(UV, "venv", "--quiet", folder / "uv")
        self.run(UV, "pip", "install", "--quiet", "--python", folder / "uv", "--default-index", simple, package)
        yield "uv", folder / "uv/bin/python"
        program = folder / "program"
        program.mkdir()
        poetry = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_CACHE_DIR": str(folder / "poetry-cache")}
        self.run(TOOLS / "poetry", "init", "--no-interaction", "--name", "program", "--python", ">=3.11,<4", at=program)
        self.run(
            TOOLS / "poetry", "source", "add", "--priority=primary", "organisation", simple, at=program, more=poetry
        )
        self.run(
            TOOLS / "poetry", "add", package, "--source", "organisation", "--no-interaction", at=program, more=poetry
        )
        yield "poetry", program / ".venv/bin/python"
        pipx = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin"), "PIP_INDEX_URL": simple}
        self.run(TOOLS / "pipx", "install", "--include-deps", "--index-url", simple, package, more=pipx)
        yield "pipx", folder / "pipx/venvs/nous-billing/bin/python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="take the checks and the tests for passed")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as name, devpi(_made(Path(name) / "devpi"), TOOLS) as index:
        rehearsal = Rehearsal(Path(name).resolve())
        rehearsal.prepare()
        rehearsal.publish(index, quick=quick)
        rehearsal.publish_dependencies(index)
        for tool, python in rehearsal.installs(f"{index.url}+simple/"):
            said = rehearsal.run(python, "-I", TRY)
            assert re.search("bought", said), said
            print(f"{tool}: {said}", end="", flush=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
