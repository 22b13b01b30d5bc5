"""The server and the proxy as processes, and the certificates that they are trusted by."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

HERE = Path(__file__).parent
ROUND_TRIP = 0.025


@dataclass(frozen=True)
class Addresses:
    """Base URLs: plain, over TLS, and over TLS with a round trip of 25 ms."""

    plain: str
    tls: str
    far: str
    environment: dict[str, str]
    """With the system's certificates in a file and, as on Debian, in a directory by OpenSSL's hashed names."""
    bundle_only: dict[str, str]
    """With the file alone."""


@contextmanager
def portal(folder: Path) -> Iterator[Addresses]:
    """Run both for as long as the block lasts."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    bundle = _store(folder / "certificates", authority.cert_pem.bytes().decode())
    with (
        _process("server.py", folder / "cert.pem", folder / "key.pem") as (plain, tls),
        _process("delay.py", tls, ROUND_TRIP) as (far,),
    ):
        yield Addresses(
            f"http://127.0.0.1:{plain}",
            f"https://localhost:{tls}",
            f"https://localhost:{far}",
            {**_environment(folder, bundle), "SSL_CERT_DIR": str(bundle.parent)},
            _environment(folder, bundle),
        )


def _store(folder: Path, authority: str) -> Path:
    """Write a store of the usual size, which every first call has to trust, and return its file."""
    folder.mkdir()
    certificates = re.findall(r"-----BEGIN .*?-----END [A-Z ]+-----\n", certifi.contents() + authority, re.DOTALL)
    for number, certificate in enumerate(certificates):
        (folder / f"{number}.pem").write_text(certificate)
    subprocess.run(["openssl", "rehash", folder], check=True)
    bundle = folder / "ca-certificates.crt"
    bundle.write_text("".join(certificates))
    return bundle


def _environment(folder: Path, bundle: Path) -> dict[str, str]:
    """The environment of what is measured: none of the machine's proxies, logins or interpreter options."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    return {**kept, "SSL_CERT_FILE": str(bundle), "HOME": str(folder), "HERMES_HOME": str(folder / "hermes")}


@contextmanager
def _process(script: str, *args: object) -> Iterator[list[int]]:
    command: list[str | Path] = [sys.executable, HERE / script, *map(str, args)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()
