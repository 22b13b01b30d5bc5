"""Where the time goes that is left: a poll by function, and the import of the client by module."""

import asyncio
import cProfile
import pstats
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.portal import Addresses

POLLS = 500
SHOWN = 20


def lines(addresses: Addresses, python: Path) -> Iterable[str]:
    environment = addresses.environment
    yield from ("## Profile", "", f"The calls of {POLLS} polls over TLS by their own time:", "", "```")
    yield from _output([python, "-m", "benchmarks.hotspots", "polls", addresses.tls], environment)
    yield from ("```", "", "The same with a given client of httpx over aiohttp, in a task:", "", "```")
    yield from _output([python, "-m", "benchmarks.hotspots", "given", addresses.tls], environment)
    yield from ("```", "", "The import of the client by module, in microseconds, own time first:", "", "```")
    command: list[str | Path] = [python, "-X", "importtime", "-c", "from nous_billing import BillingClient"]
    timed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    found = re.findall(r"^import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)$", timed, re.MULTILINE)
    for own, together, module in sorted(found, key=lambda each: -int(each[0]))[:SHOWN]:
        yield f"{own:>8} {together:>8} {module}"
    yield f"{sum(int(own) for own, _, _ in found):>8}          all of {len(found)} modules"
    yield from ("```", "")


def _output(command: list[str | Path], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rstrip().splitlines()


def polls(base_url: str) -> None:
    from benchmarks.worker import make

    client = make("sdk", base_url)
    client.poll("ch_3PqXyZ")
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(POLLS):
        client.poll("ch_3PqXyZ")
    profile.disable()
    client.close()
    _print(profile)


def given(base_url: str) -> None:
    from benchmarks.worker import make

    profile = cProfile.Profile()

    async def polled() -> None:
        client = make("async_given", base_url)
        await client.poll("ch_3PqXyZ")
        profile.enable()
        for _ in range(POLLS):
            await client.poll("ch_3PqXyZ")
        profile.disable()
        await client.aclose()

    asyncio.run(polled())
    _print(profile)


def _print(profile: cProfile.Profile) -> None:
    calls = pstats.Stats(profile).get_stats_profile()
    print(f"{'calls':>8} {'own ms':>8} {'all ms':>8}")
    by_own = sorted(calls.func_profiles.items(), key=lambda each: -each[1].tottime)
    for name, each in by_own[:SHOWN]:
        where = each.file_name.rpartition("site-packages/")[2].removeprefix(f"{ROOT}/")
        where = re.sub(r"^.*/lib/python[\d.]+/", "", where)
        place = name if where == "~" else f"{name} ({where})"
        print(f"{each.ncalls:>8} {1e3 * each.tottime:8.1f} {1e3 * each.cumtime:8.1f} {place}")


if __name__ == "__main__":
    import sys

    {"polls": polls, "given": given}[sys.argv[1]](sys.argv[2])
