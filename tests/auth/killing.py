"""Kill a process with SIGKILL while it refreshes, and look at what it left."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nous_billing import BillingError
from nous_billing.mock import Fault, MockPortal
from tests.auth.support import House, Nursery, end_worker, start_worker, state_status, until


@dataclass
class Killed:
    """What one kill left behind."""

    whole: bool
    mode: int
    files: list[str]
    in_window: bool
    alive: bool


class Killing:
    """A portal on real time, and one process after another that refreshes without a pause."""

    def __init__(self, folder: Path) -> None:
        self.portal = MockPortal(settle_after=0)
        self.portal.start()
        self.house = House(self.portal, folder / "config" / "login.json")
        self.house.put_expired()
        self.rotated: list[float] = []
        self._replaced = folder / "replaced"
        self._nursery = Nursery()
        self._note_rotations()

    def _note_rotations(self) -> None:
        rotate = self.portal.oauth._rotate

        def noted(text):
            login = rotate(text)
            self.rotated.append(time.monotonic())
            return login

        vars(self.portal.oauth)["_rotate"] = noted

    def kill(self, after: float) -> Killed:
        """Let a process refresh, and kill it so many seconds after it has begun."""
        begun = len(self.house.refreshes())
        process = self._nursery.fork("refresh", self.house.path, self._replaced)
        until(lambda: len(self.house.refreshes()) > begun)
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        assert self._nursery.ended() == -signal.SIGKILL
        content = self.house.path.read_bytes()
        try:
            entry = json.loads(content)["portals"][self.house.url]
            whole = {"access_token", "refresh_token"} <= set(entry)
        except (ValueError, KeyError):
            entry, whole = {}, False
        return Killed(
            whole=whole,
            mode=self.house.path.stat().st_mode & 0o777,
            files=self.house.files(),
            in_window=entry.get("refresh_token") in self.house.refreshes(),
            alive=self._alive(entry.get("access_token")),
        )

    def _alive(self, token):
        source = self.house.source(clock=None)
        try:
            renewed = source.resolve(rejected=token).access_token
        except BillingError:
            return False
        finally:
            source.close()
        return state_status(self.portal, renewed) == 200

    def windows(self, times: int) -> list[float]:
        """How many seconds lay between each rotation at the portal and the new file, in a process nobody kills."""
        self.rotated.clear()
        self._replaced.unlink(missing_ok=True)
        process = self._nursery.fork("refresh", self.house.path, self._replaced)
        until(lambda: self._replaced.exists() and len(self._replaced.read_text().splitlines()) > times, seconds=60)
        os.kill(process, signal.SIGKILL)
        self._nursery.ended()
        replaced = [float(line) for line in self._replaced.read_text().splitlines()[:times]]
        return [after - before for before, after in zip(self.rotated, replaced, strict=False)]

    def close(self) -> None:
        self._nursery.__exit__()
        self.portal.stop()
        self.house.close()


def in_milliseconds(windows: list[float]) -> tuple[str, ...]:
    """The least, the middle, the 99th percentile and the greatest."""
    ordered = sorted(windows)
    chosen = (ordered[0], median(ordered), ordered[int(0.99 * (len(ordered) - 1))], ordered[-1])
    return tuple(f"{1000 * seconds:.2f}" for seconds in chosen)


def kill_in_the_window(house, place):
    """Have the portal rotate, and kill the process before the reply can reach it.

    Args:
        place: What tells the process where the login is.
    """
    house.portal.inject(Fault.stall(acts=True), "oauth_token")
    worker = start_worker("ask", "resolve", place)
    try:
        until(house.refreshes, seconds=20)
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait(10) == -signal.SIGKILL
    finally:
        end_worker(worker)
