"""The Pythons of this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_python(minor: int) -> str | None:
    """A Python of this version: the one that runs, one on the path, or one of pyenv's."""
    if sys.version_info[:2] == (3, minor):
        return sys.executable
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python3.{minor}"), *map(str, sorted(root.glob(f"3.{minor}.*/bin/python")))]
    probe = f"import sys; assert sys.version_info[:2] == (3, {minor})"
    for candidate in candidates:
        # What is on the path may be a shim with nothing behind it.
        if candidate and subprocess.run([candidate, "-c", probe], capture_output=True, timeout=30).returncode == 0:
            return candidate
    return None
