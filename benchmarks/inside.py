"""What is measured without a network: credentials, parsing, and the rules of an exchange alone."""

import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.server import PENDING, STATE
from nous_billing import Credentials, HermesLogin, StaticToken, StoredLogin
from nous_billing.clock import SystemClock
from nous_billing.credentials import CredentialMemo
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Resolve, exchange
from nous_billing.protocol.replies import Reply, decode_json

TOKEN = "a-token-of-a-thousand-characters-" + "x" * 967
BASE_URL = "https://portal.nousresearch.com"
_HEADERS = {"content-type": "application/json"}


def _timed(call: Callable[[], object], count: int) -> dict[str, float]:
    for _ in range(count // 10):
        call()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    return {"wall": (time.perf_counter() - wall) / count, "cpu": (time.process_time() - cpu) / count}


def write_logins(home: Path) -> None:
    """Write a login of each kind, good for long enough."""
    login = {"access_token": TOKEN, "refresh_token": "r" * 64, "expires_at": "2100-01-01T00:00:00+00:00"}
    own = {"version": 1, "active_portal": BASE_URL, "portals": {BASE_URL: login}}
    (home / "login.json").write_text(json.dumps(own))
    hermes = {"version": 1, "providers": {"nous": {**login, "portal_base_url": BASE_URL}}}
    (home / "hermes").mkdir(exist_ok=True)
    (home / "hermes/auth.json").write_text(json.dumps(hermes))


class OldResolver:
    """What the old module asked when its memo was older than 30 s: two locks, and the login's file read twice."""

    def __init__(self, home: Path) -> None:
        self._lock, self._file = home / "hermes/auth.lock", home / "hermes/auth.json"

    def resolve(self) -> str:
        token = ""
        for _ in range(2):
            with self._lock.open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                token = str(json.loads(self._file.read_bytes())["providers"]["nous"]["access_token"])
        return token


def _call(kind: str) -> Callable[[], object]:
    home = Path(os.environ["HOME"])
    sources: dict[str, Any] = {"static": StaticToken, "stored": StoredLogin, "hermes": HermesLogin}
    where, _, what = kind.partition("-")
    if where == "old":
        return OldResolver(home).resolve
    if kind == "look":
        path = str(home / "login.json")
        return lambda: (os.stat(path), os.environ.get("A_NAME"), os.environ.get("ANOTHER_NAME"))
    source = sources[where](*{"static": (TOKEN,), "stored": (home / "login.json",)}.get(where, ()))
    if what == "resolve":
        return lambda: source.resolve()
    memo = CredentialMemo(source, SystemClock())
    memo.resolve()
    assert isinstance(memo.fresh(), Credentials)
    return memo.fresh


def credentials(kind: str, count: str) -> dict[str, float]:
    """``static-memo``, ``stored-memo``, ``hermes-memo``: the fast path. ``…-resolve``, ``old-resolve``: the source.

    ``look`` is what any check has to do: look at the file's date, and at two names of the environment.
    """
    return _timed(_call(kind), int(count))


def parse(kind: str, count: str) -> dict[str, float]:
    """One billing state: decoded only, into the generated model, into the SDK's own, checked."""
    from nous_portal_api.models import BillingState  # Loads httpx, which the other tasks have no use for.

    body = json.dumps(STATE).encode()
    read = operations.get_billing_state().read
    calls: dict[str, Callable[[], object]] = {
        "json": lambda: json.loads(body),
        "generated": lambda: BillingState.from_dict(json.loads(body)),
        "sdk": lambda: read(decode_json(body), BASE_URL),
    }
    return _timed(calls[kind], int(count))


def rules(count: str) -> dict[str, float]:
    """A poll without a driver and a network: the operation, the rules, the reading of the reply."""
    body = json.dumps(PENDING).encode()
    answers = Credentials(TOKEN), Reply(200, _HEADERS, body, 0.0)

    def call() -> None:
        flow = exchange(operations.get_charge_status("ch_3PqXyZ"), base_url=BASE_URL, deadline=1e9)
        step = next(flow)
        try:
            while True:
                step = flow.send(answers[not isinstance(step, Resolve)])
        except StopIteration:
            return

    return _timed(call, int(count))


TASKS: dict[str, Callable[..., dict[str, float]]] = {"credentials": credentials, "parse": parse, "rules": rules}
