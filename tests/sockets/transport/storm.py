"""Calls through a proxy that breaks one handshake in three, cut short by deadlines and cancellations."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trustme

from nous_billing import AsyncBillingClient, BillingClient, BillingError, StaticToken
from nous_billing.transport.async_socket_sender import AsyncSocketSender
from nous_billing.transport.idle_connections import CONNECTIONS
from nous_billing.transport.socket_sender import SocketSender
from tests.sockets.proxy_server import ProxyServer
from tests.sockets.raw_server import RawServer, Request, answer

AT_ONCE = 50
_REPLIES = {"POST": answer(202, {"chargeId": "ch_1"}), "GET": answer(200, {"status": "pending"})}


@dataclass
class Outcome:
    """What a storm leaves.

    Attributes:
        outcomes: How many calls ended how.
        lost: What is held that nothing uses any more, by its name; nothing where all is well.
        works: Whether the client works in the end.
    """

    outcomes: Counter[str]
    lost: dict[str, int]
    works: bool
    seconds: float


@contextmanager
def weather() -> Iterator[dict[str, Any]]:
    """A portal and a proxy in a process of their own, so that their descriptors do not count here."""
    with tempfile.TemporaryDirectory() as folder:
        serving = subprocess.Popen(
            [sys.executable, "-m", __name__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with serving:
            assert serving.stdout is not None
            assert serving.stdin is not None
            found = json.loads(serving.stdout.readline())
            yield {
                "base_url": f"https://portal.test:{found['port']}",
                "proxy": found["proxy"],
                "ssl_context": ssl.create_default_context(cafile=f"{folder}/ca.pem"),
            }
            serving.stdin.close()


def storm_in_threads(place: dict[str, Any], calls: int, seed: int) -> Outcome:
    """Make so many calls with one client from threads."""
    client = BillingClient(StaticToken("t"), **place)

    def call(number: int) -> str:
        chance = random.Random(seed + number)
        with _named() as ended:
            if chance.random() < 0.5:
                client.get_charge_status("ch_1", timeout=_seconds(chance))
            else:
                client.post_charge(amount_usd=50, idempotency_key=f"key-{number}", timeout=_seconds(chance))
        return ended[0]

    _until(partial(client.get_charge_status, "ch_1"))
    before, started = _held(), time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(call, range(calls)))
    seconds = time.monotonic() - started
    (sender,) = client._driver._own.values()
    assert isinstance(sender, SocketSender)
    slots = CONNECTIONS - sender._permits.qsize()
    works = _until(partial(client.get_charge_status, "ch_1"))
    client.close()
    return Outcome(outcomes, _lost(before, slots), works, seconds)


def storm_in_tasks(place: dict[str, Any], calls: int, seed: int) -> Outcome:
    """Make so many calls with one client from tasks, and cancel a part of them."""

    async def storming() -> Outcome:
        client = AsyncBillingClient(StaticToken("t"), **place)
        free = asyncio.Semaphore(AT_ONCE)

        async def call(number: int) -> str:
            chance = random.Random(seed + number)
            async with free:
                with _named() as ended:
                    async with asyncio.timeout(_seconds(chance) if chance.random() < 0.3 else None):
                        if chance.random() < 0.5:
                            await client.get_charge_status("ch_1", timeout=_seconds(chance))
                        else:
                            await client.post_charge(
                                amount_usd=50, idempotency_key=f"key-{number}", timeout=_seconds(chance)
                            )
                return ended[0]

        await _auntil(client)
        before, tasks, started = _held(), len(asyncio.all_tasks()), time.monotonic()
        outcomes = Counter(await asyncio.gather(*(call(number) for number in range(calls))))
        seconds = time.monotonic() - started
        (sender,) = client._driver._own.values()
        assert isinstance(sender, AsyncSocketSender)
        slots = CONNECTIONS - sender._free._value
        await asyncio.sleep(0.1)
        left = len(asyncio.all_tasks()) - tasks
        works = await _auntil(client)
        await client.aclose()
        lost = _lost(before, slots)
        return Outcome(outcomes, {**lost, **({"tasks": left} if left else {})}, works, seconds)

    return asyncio.run(storming())


def _seconds(chance: random.Random) -> float:
    """A deadline; one in three passes somewhere between the look-up of the proxy's name and the reply."""
    return chance.uniform(0.001, 0.3) if chance.random() < 1 / 3 else 20.0


@contextmanager
def _named() -> Iterator[list[str]]:
    ended = ["answered"]
    try:
        yield ended
    except BillingError as error:
        ended[0] = f"{type(error).__name__}, {'may have been charged' if error.outcome_unknown else 'not sent'}"
    except TimeoutError:
        ended[0] = "cancelled"


def _until(call: Callable[[], Any]) -> bool:
    """Whether a call succeeds, where one in three fails."""
    for _ in range(20):
        with _named() as ended:
            call()
        if ended == ["answered"]:
            return True
    return False


async def _auntil(client: AsyncBillingClient) -> bool:
    for _ in range(20):
        with _named() as ended:
            await client.get_charge_status("ch_1")
        if ended == ["answered"]:
            return True
    return False


def _held() -> dict[str, int]:
    gc.collect()
    sockets = sum("socket:" in _target(each) for each in Path("/proc/self/fd").iterdir())
    return {"descriptors": sockets, "threads": threading.active_count()}


def _target(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:
        return ""


def _lost(before: dict[str, int], slots: int) -> dict[str, int]:
    for _ in range(100):
        # A connection that was kept before is closed by now. A thread that looks a name up may outlive who waited.
        lost = {name: held - before[name] for name, held in _held().items() if held > before[name]}
        if not lost:
            break
        time.sleep(0.05)
    return {**lost, **({"slots": slots} if slots else {})}


def _serve(folder: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(f"{folder}/ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("portal.test").configure_cert(tls)

    def reply(request: Request) -> Any:
        return _REPLIES[request.method]

    with RawServer(reply, tls=tls) as portal, ProxyServer(portal.port, breaks=lambda number: number % 3 == 0) as proxy:
        print(json.dumps({"port": portal.port, "proxy": f"http://localhost:{proxy.port}"}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
