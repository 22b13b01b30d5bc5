"""What is measured, in a process of its own. The task, the rival and more are given; prints figures as JSON."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

TOKEN = "a-token-of-a-thousand-characters-" + "x" * 967
AT_ONCE = 1000


class Stopwatch:
    """Wall time and CPU time of a block; ``figures`` has both, divided by a count."""

    def __enter__(self) -> "Stopwatch":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu


def make(rival: str, base_url: str) -> Any:
    module, _, name = rival.partition(":")
    return getattr(import_module(f"benchmarks.rivals.{module}"), name or "Rival")(base_url, TOKEN)


def peak_memory() -> int:
    """In bytes."""
    with open("/proc/self/status") as status:
        (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(peak) * 1024


def poll(rival: str, base_url: str, count: str) -> dict[str, float]:
    """Polls on one connection, after a few that warm up."""
    client = make(rival, base_url)
    for _ in range(3):
        client.poll("ch_3PqXyZ")
    with Stopwatch() as watch:
        for _ in range(int(count)):
            client.poll("ch_3PqXyZ")
    client.close()
    return {"wall": watch.wall / int(count), "cpu": watch.cpu / int(count)}


def purchase(rival: str, base_url: str, count: str) -> dict[str, float]:
    """The polls of one purchase, with all that a client loads and makes for the first; without the pauses between."""
    with Stopwatch() as watch:
        client = make(rival, base_url)
        for _ in range(int(count)):
            client.poll("ch_3PqXyZ")
    client.close()
    return {"wall": watch.wall, "cpu": watch.cpu}


def charge(rival: str, base_url: str, count: str) -> dict[str, float]:
    """Charges one after the other, after a few that warm up."""
    client = make(rival, base_url)
    for number in range(3):
        client.charge(f"warm-{number}")
    with Stopwatch() as watch:
        for number in range(int(count)):
            client.charge(f"key-{number}")
    client.close()
    return {"wall": watch.wall / int(count), "cpu": watch.cpu / int(count)}


def burst(rival: str, base_url: str) -> dict[str, float]:
    """A thousand charges at once, in tasks: all of them twice, the connections made in the first round."""

    async def rounds() -> dict[str, float]:
        client = make(rival, base_url)
        before = peak_memory()

        async def once() -> Stopwatch:
            with Stopwatch() as watch:
                await asyncio.gather(*(client.poll(f"ch_{number}") for number in range(AT_ONCE)))
            return watch

        first, warm = await once(), await once()
        await client.aclose()
        return _burst_figures(first, warm, before)

    main: Coroutine[Any, Any, dict[str, float]] = rounds()
    return asyncio.run(main)


def threads(rival: str, base_url: str) -> dict[str, float]:
    """A thousand charges at once, in a thousand threads that share a client."""
    client = make(rival, base_url)
    before = peak_memory()
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def once() -> Stopwatch:
            with Stopwatch() as watch:
                list(pool.map(client.poll, [f"ch_{number}" for number in range(AT_ONCE)]))
            return watch

        first, warm = once(), once()
    client.close()
    return _burst_figures(first, warm, before)


def _burst_figures(first: Stopwatch, warm: Stopwatch, before: int) -> dict[str, float]:
    return {
        "first": first.wall,
        "first_cpu": first.cpu,
        "warm": warm.wall,
        "warm_cpu": warm.cpu,
        "memory": (peak_memory() - before) / AT_ONCE,
    }


TASKS: dict[str, Callable[..., dict[str, float]]] = {
    "poll": poll,
    "charge": charge,
    "purchase": purchase,
    "burst": burst,
    "threads": threads,
}

if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    for module in ("inside", "purchases", "databases"):
        if task not in TASKS:
            TASKS.update(import_module(f"benchmarks.{module}").TASKS)
    print(json.dumps(TASKS[task](*arguments)))
