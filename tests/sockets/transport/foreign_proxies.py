"""Proxies that other people wrote, as processes: proxy.py, and mitmproxy in an environment of its own.

Each passes every connection on to loopback, whatever host is asked for, so that a portal there has a name of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
UV = ROOT / ".tools/bin/uv"
# It asks for an older h11 than the SDK.
MITMPROXY = ROOT / "requirements-mitmproxy.txt"
LOGIN = "me:p%40ss"

TO_LOOPBACK = {
    "proxy.py": """
from proxy.http.proxy import HttpProxyBasePlugin
class ToLoopback(HttpProxyBasePlugin):
    def resolve_dns(self, host, port):
        return "127.0.0.1", None
""",
    "mitmproxy": """
from mitmproxy import ctx
def server_connect(data):
    data.server.address = ("127.0.0.1", data.server.address[1])
def running():
    ((_, port, *_),) = ctx.master.addons.get("proxyserver").listen_addrs()
    with open("port", "w") as file:
        file.write(f"{port}\\n")
""",
}


@dataclass(frozen=True)
class Running:
    """A proxy, and the file of the authority that vouches for what comes through it."""

    url: str
    authority: Path


@contextmanager
def foreign_proxy(
    name: str, folder: Path, portals_authority: Path, *, wants_login: bool, intercepts: bool, mitmdump: Path
) -> Iterator[Running]:
    """Run one. Where it intercepts, clients see certificates of an authority of the proxy's own."""
    (folder / "to_loopback.py").write_text(TO_LOOPBACK[name])
    make = _proxy_py if name == "proxy.py" else _mitmproxy
    command, authority = make(folder, portals_authority, wants_login, intercepts, mitmdump)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            port = _wait_for(folder / "port", process)
            user = f"{LOGIN}@" if wants_login else ""
            yield Running(f"http://{user}127.0.0.1:{port}", authority)
        finally:
            process.terminate()


def environment_of_mitmproxy(folder: Path) -> Path:
    """Make it, and return its ``mitmdump``."""
    python = folder / "bin/python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([UV, "pip", "sync", "--quiet", "--python", python, "--require-hashes", MITMPROXY], check=True)
    return folder / "bin/mitmdump"


def _proxy_py(folder: Path, portals: Path, wants_login: bool, intercepts: bool, _: object) -> tuple[list[Any], Path]:
    command: list[Any] = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0"]
    command += ["--port-file", "port", "--num-workers", "1", "--num-acceptors", "1", "--log-level", "WARNING"]
    command += ["--plugins", "to_loopback.ToLoopback"]
    if wants_login:
        command += ["--basic-auth", "me:p@ss"]
    if not intercepts:
        return command, portals
    for subject in ("authority", "signing"):
        subprocess.run(
            ["openssl", "genrsa", "-out", f"{subject}.key", "2048"], cwd=folder, check=True, capture_output=True
        )
    issue = [
        "openssl",
        "req",
        "-new",
        "-x509",
        "-key",
        "authority.key",
        "-out",
        "authority.pem",
        "-subj",
        "/CN=proxy.py",
    ]
    subprocess.run(issue, cwd=folder, check=True, capture_output=True)
    (folder / "certificates").mkdir()
    command += ["--ca-key-file", "authority.key", "--ca-cert-file", "authority.pem", "--ca-cert-dir", "certificates"]
    return [*command, "--ca-signing-key-file", "signing.key", "--ca-file", portals], folder / "authority.pem"


def _mitmproxy(
    folder: Path, portals: Path, wants_login: bool, intercepts: bool, mitmdump: Path
) -> tuple[list[Any], Path]:
    command: list[Any] = [mitmdump, "--quiet", "--listen-host", "127.0.0.1", "--listen-port", "0"]
    command += [
        "--scripts",
        "to_loopback.py",
        "--set",
        "confdir=.",
        "--set",
        f"ssl_verify_upstream_trusted_ca={portals}",
    ]
    if wants_login:
        command += ["--proxyauth", "me:p@ss"]
    if not intercepts:
        return [*command, "--ignore-hosts", ".*"], portals
    return command, folder / "mitmproxy-ca-cert.pem"


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if file.exists() and (port := file.read_text().strip()):
            return int(port)
        time.sleep(0.02)
    raise AssertionError((file.parent / "log").read_text())
