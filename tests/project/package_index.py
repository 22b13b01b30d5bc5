"""A package index of the simple kind on loopback, and the Pythons to install from it with."""

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

USER, PASSWORD = "publisher", "correct-horse"


class PackageIndex:
    """What is uploaded to it lies in a folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Each file with its time and its bytes."""
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(self.folder.iterdir())}


@contextmanager
def package_index(folder: Path) -> Iterator[PackageIndex]:
    packages = folder / "packages"
    packages.mkdir()
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    command += ["-P", str(folder / "htpasswd"), "-a", "update", "--disable-fallback"]
    # That is waitress. The server of the standard library refuses an upload unread: the connection breaks.
    command += ["--server", "auto", str(packages)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        await_answer(url, folder / "log")
        yield PackageIndex(url, packages)
    finally:
        server.kill()
        server.wait(timeout=10)


def await_answer(url: str, log: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > end:
                raise AssertionError(f"The index does not answer:\n{log.read_text()}") from None
            time.sleep(0.05)


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
