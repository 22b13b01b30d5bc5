"""Environments of released versions of Hermes, one with its own billing module and one with ours, kept between runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".tools/bin/uv"
FOLDER = ROOT / "build/hermes"
# What is run inside the environments, and nothing else of the checkout.
PATH = FOLDER / "path"
VERSIONS = ("0.17.0", "0.18.2", "0.19.0")
# All that Hermes has to do.
DROP_IN = "from nous_billing.hermes import *\n"


@dataclass(frozen=True)
class Environment:
    """An installed release. ``ours`` says whose billing module it has."""

    version: str
    ours: bool

    @property
    def folder(self) -> Path:
        return FOLDER / f"{self.version}-{'new' if self.ours else 'old'}"

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    def install(self, wheel: Path) -> None:
        """Install the release if it is not there yet, and the wheel anew."""
        if not self.python.exists():
            _uv("venv", "--quiet", "--python", sys.executable, self.folder)
            _uv("pip", "install", "--quiet", "--python", self.python, f"hermes-agent=={self.version}")
        wanted = f"nous-billing[mock] @ {wheel.as_uri()}"
        _uv("pip", "install", "--quiet", "--python", self.python, "--reinstall-package", "nous-billing", wanted)
        if self.ours:
            (module,) = self.folder.glob("lib/python*/site-packages/hermes_cli/nous_billing.py")
            # The file may be linked to the cache of the installer: it is replaced, not written to.
            module.unlink()
            module.write_text(DROP_IN)

    def run(self, module: str, *arguments: str | Path) -> None:
        """Run a module of ``inside`` in this environment, far from the checkout and its package."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        # Nothing of the caller's, such as proxies or a login. With an SSH connection Hermes opens no browser.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HERMES_HOME": str(home / ".hermes"),
            "PYTHONPATH": str(PATH),
            "SSH_CONNECTION": "x",
        }
        command = [self.python, "-m", f"scripts.hermes.inside.{module}", *arguments]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{module} failed in {self.folder.name}:\n{done.stderr}")


def set_up_path() -> None:
    """Link the scripts into ``PATH``: once, before environments run beside each other."""
    PATH.mkdir(parents=True, exist_ok=True)
    (PATH / "scripts").unlink(missing_ok=True)
    (PATH / "scripts").symlink_to(ROOT / "scripts")


def newer_version() -> str | None:
    """Return the newest release of Hermes if it is newer than those that are known here."""
    found = subprocess.run(
        [UV, "pip", "compile", "--quiet", "--no-deps", "--no-header", "-"],
        input="hermes-agent",
        capture_output=True,
        text=True,
        check=True,
    )
    newest = re.search(r"^hermes-agent==(\S+)", found.stdout, re.MULTILINE)
    return newest[1] if newest and newest[1] not in VERSIONS else None


def _uv(*arguments: str | Path) -> None:
    subprocess.run([UV, *arguments], check=True)
