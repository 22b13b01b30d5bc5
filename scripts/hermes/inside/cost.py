"""Measures the CPU time that the billing module costs a released Hermes: ``FILE CERTIFICATE AUTHORITY PYTHON...``.

The portal answers from this process, over TLS and over plain HTTP. Each measurement runs in a fresh one of each
Python, in turn, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import certifi

from .world import World

_ROUNDS = 15
_MEASURE = """
import contextlib, io, json, sys, time
bare = sys.argv[1] == "bare"
if not bare:
    with contextlib.redirect_stdout(io.StringIO()):
        import hermes_cli.auth, cli, tui_gateway.server, agent.billing_view
cpu = time.process_time
started = cpu()
import hermes_cli.nous_billing as billing
imported = cpu()
billing.get_billing_state()
looked = cpu()
for _ in range(50):
    billing.get_charge_status("ch_1")
polled = cpu()
print("cost", json.dumps([imported - started, looked - started, (polled - looked) / 50]))
"""


def measured(python: str, kind: str) -> list[float]:
    done = subprocess.run([python, "-c", _MEASURE, kind], env=dict(os.environ), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{python}: {done.stderr}")
    costs: list[float] = json.loads(done.stdout.split("cost ")[-1])
    return costs


def costs(pythons: list[str]) -> dict[str, list[list[float]]]:
    """Return the least of each cost for each Python, by kind of process."""
    found = {}
    for kind in ("bare", "in Hermes"):
        rounds = [[measured(python, kind) for python in pythons] for _ in range(_ROUNDS)]
        found[kind] = [[min(column) for column in zip(*runs, strict=True)] for runs in zip(*rounds, strict=True)]
    return found


def main() -> None:
    file, certificate, authority, *pythons = sys.argv[1:]
    # As many authorities as a machine trusts, and the portal's own: to load them takes time.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
        trusted.write(Path(certifi.where()).read_text() + Path(authority).read_text())
        trusted.flush()
        os.environ["SSL_CERT_FILE"] = trusted.name
        found = {}
        for scheme, tls in (("TLS", certificate), ("plain HTTP", None)):
            with World(tls=tls):
                found[scheme] = costs(pythons)
    Path(file).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
