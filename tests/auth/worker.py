"""What the tests have other processes do: `python worker.py ROLE ARGUMENTS`."""

import asyncio
import fcntl
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path

from nous_billing import AsyncBillingClient, BillingClient, BillingError, StoredLogin
from nous_billing.auth import oauth, tokens

# Started as a file, its own folder is where modules are looked for.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.auth.support import login_at

# What each forked worker would load anew.
LOADED_ON_FIRST_USE = [
    "encodings.ascii",
    "encodings.utf_8_sig",
    "filelock._soft",
    "httpx",
    "nous_billing.auth.stored_login",
    "nous_billing.sql",
    "nous_billing.transport.socket_sender",
    "nous_billing.transport.trust_store",
    "platformdirs",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlite3",
]


def hurried_calls(request_seconds, *arguments):
    """Make calls, with no patience for the token endpoint."""
    oauth._REQUEST_SECONDS = float(request_seconds)
    oauth._PAUSES_BEFORE_REPLAY = (0.1, 0.2)
    calls("sync", *arguments)
    # As the interpreter does at its end, which a forked worker does not come to.
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def skewed_calls(seconds, *arguments):
    """Make calls on a machine whose clock is wrong."""
    real = time.time
    time.time = lambda: real() + float(seconds)
    calls("sync", *arguments)


def calls(kind, path, count, pause, go, result):
    """Make so many calls from the moment that the file `go` is there; write how they ended."""
    ended = Counter()
    while not Path(go).exists():
        time.sleep(0.002)
    if kind == "sync":
        with BillingClient(login_at(path)) as client:
            for _ in range(int(count)):
                try:
                    client.get_billing_state()
                    ended["ok"] += 1
                except BillingError as error:
                    ended[type(error).__name__] += 1
                time.sleep(float(pause))
    else:

        async def call_in_tasks():
            async with AsyncBillingClient(login_at(path)) as client:

                async def call():
                    try:
                        await client.get_billing_state()
                        ended["ok"] += 1
                    except BillingError as error:
                        ended[repr(error)] += 1

                # Five at a time: tasks of one process compete too.
                for _ in range(int(count) // 5):
                    await asyncio.gather(*(call() for _ in range(5)))
                    await asyncio.sleep(float(pause) * 5)

        asyncio.run(call_in_tasks())
    Path(result).write_text(json.dumps(ended))


def refresh_forever(path, replaced):
    """Refresh without a pause; note when each new file was in its place."""
    replace = Path.replace
    with open(replaced, "a", buffering=1) as log:

        def noted(self, target):
            result = replace(self, target)
            log.write(f"{time.monotonic()}\n")
            return result

        Path.replace = noted
        tokens._FORCED_EVERY_SECONDS = 0.0
        login = StoredLogin(path)
        token = login.resolve().access_token
        while True:
            token = login.resolve(rejected=token).access_token


def ask(kind, path):
    """Ask once, in the main thread, as a program does that Ctrl-C ends."""
    login = login_at(path)
    if kind == "resolve":
        login.resolve()
    elif kind == "client":
        with BillingClient(login) as client:
            client.get_billing_state()
    else:

        async def ask_in_task():
            async with AsyncBillingClient(login) as client:
                await client.get_billing_state()

        asyncio.run(ask_in_task())
    print("answered", flush=True)


def state(path):
    """Make one call; print the balance, or the error."""
    try:
        with BillingClient(login_at(path)) as client:
            print(client.get_billing_state().balance_usd)
    except BillingError as error:
        print(f"{type(error).__name__}: {error}")


def hold(path):
    """Hold the lock as `flock` does, until the end of standard input."""
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print("held", flush=True)
        sys.stdin.read()


def without_rights(path, user):
    """Resolve as a user who may read the folder and not write it."""
    with tempfile.TemporaryDirectory() as other:
        # That user may not be able to load what is loaded on first use.
        copy = Path(other) / "login.json"
        copy.write_bytes(Path(path).read_bytes())
        state(copy)
        StoredLogin(copy).logout()
    (stored,) = json.loads(Path(path).read_bytes())["portals"].values()
    login = StoredLogin(path)
    if int(user) != os.geteuid():
        os.setgid(int(user))
        os.setuid(int(user))
    try:
        login.resolve(rejected=stored["access_token"])
        print("answered")
    except BillingError as error:
        print(f"{type(error).__name__}: {error}")


def nursery():
    """Fork a worker for each line of standard input."""
    for name in LOADED_ON_FIRST_USE:
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
    for line in sys.stdin:
        if line == "wait\n":
            _, status = os.wait()
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if not child:
            try:
                run(*json.loads(line))
            except BaseException:  # noqa: BLE001 - the parent is told by the exit code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)


def run(role, *arguments):
    """Do what the command line says."""
    # A shell that runs the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    roles = {
        "ask": ask,
        "calls": calls,
        "hold": hold,
        "hurried-calls": hurried_calls,
        "nursery": nursery,
        "skewed-calls": skewed_calls,
        "refresh": refresh_forever,
        "state": state,
        "without-rights": without_rights,
    }
    roles[role](*arguments)


if __name__ == "__main__":
    run(*sys.argv[1:])
