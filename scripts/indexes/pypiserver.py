"""pypiserver on loopback: what is uploaded lies in a folder."""

import base64
import contextlib
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from . import PASSWORD, USER, Index

# Uploads with the login; reading too; nothing with it.
UPLOAD, READING, OPEN = "update", "update,download,list", "."


@contextlib.contextmanager
def pypiserver(folder: Path, login_for: str = UPLOAD, *, overwrite: bool = False) -> Iterator[Index]:
    """Serve an empty index below a folder."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest}\n", encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    command += ["-P", "." if login_for == OPEN else str(folder / "htpasswd"), "-a", login_for, "--disable-fallback"]
    # That is waitress. The server of the standard library refuses an upload unread: the connection breaks.
    command += ["--server", "auto", *(["--overwrite"] if overwrite else []), str(packages)]

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(packages.iterdir())}

    with served(command, folder / "log", f"http://127.0.0.1:{port}") as url:
        yield Index(url, "", files, takes_anybody=login_for == OPEN)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def served(command: list[str], log: Path, url: str) -> Iterator[str]:
    """Run a server until it answers, and stop it in the end."""
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        end = time.monotonic() + 180
        while not _answers(url):
            if time.monotonic() > end or server.poll() is not None:
                raise RuntimeError(f"The index does not answer:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield url
    finally:
        server.kill()
        server.wait(timeout=10)


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return False
    return True
