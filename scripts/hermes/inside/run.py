"""Runs the cases inside a released Hermes, and writes what held to a file: ``run.py FILE [WORDS]``."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from nous_billing.mock import MockPortal

from .cases import all_cases
from .parts import Case, Held, Part

_SECONDS = 60.0


def outcome(case: Case) -> Held:
    held: Held = {}
    for part in case.parts():
        for name, holds in in_own_process(part).items():
            held[name] = held.get(name, True) and holds
    return held


def in_own_process(part: Part) -> Held:
    """Run a part in a forked process: what Hermes keeps in memory must not leak into the next."""
    forking = get_context("fork")
    receiver, sender = forking.Pipe(duplex=False)

    def run() -> None:
        sender.send(part())
        # Threads of Hermes may never end.
        os._exit(0)

    process = forking.Process(target=run)
    process.start()
    sender.close()
    try:
        held: Held = receiver.recv() if receiver.poll(_SECONDS) else {"it ends": False}
    except EOFError:
        held = {"it ends": False}
    process.kill()
    process.join()
    return held


def main() -> None:
    for module in ("hermes_cli.auth", "cli", "tui_gateway.server", "agent.billing_view"):
        import_module(module)
    # What every process would read anew.
    MockPortal()
    file, *chosen = sys.argv[1:]
    results = {
        name: outcome(case) for name, case in all_cases().items() if not chosen or any(word in name for word in chosen)
    }
    # Not to the standard output, on which Hermes prints as well.
    Path(file).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
