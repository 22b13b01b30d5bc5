"""Measures what the billing module costs a released Hermes in CPU time: ``cost.py FILE``.

The portal answers from this process; each measurement runs in a fresh one, which has loaded what Hermes's command
loads, as before a person's first look.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .world import World

_ROUNDS = 7
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
for _ in range(100):
    billing.get_charge_status("ch_1")
polled = cpu()
print("cost", json.dumps([imported - started, looked - started, (polled - looked) / 100]))
"""


def measured(kind: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, kind], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    costs: list[float] = json.loads(done.stdout.split("cost ")[-1])
    return costs


def main() -> None:
    with World():
        found = {
            kind: [min(column) for column in zip(*(measured(kind) for _ in range(_ROUNDS)), strict=True)]
            for kind in ("bare", "in Hermes")
        }
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
