"""Starts the processes, kills them at random moments, and starts them again until each purchase has ended."""

import heapq
import queue
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from nous_billing import BillingError
from tests.chaos.nursery import Nursery
from tests.chaos.people import Batch, Customer, batches, customers
from tests.chaos.portal import REFRESH_GRACE, ChaosPortal

PROCESSES = 12
# Of one batch, those that were killed included.
_MOST_LIVES = 40
# Without a kill, for what is still open when the time is over.
_LAST_SECONDS = 90.0

# How long a process that is to be killed lives: most die on the way, some in the first moments.
_LIFETIMES = (
    lambda chance: chance.uniform(0, 0.1),
    lambda chance: chance.uniform(0.1, 0.8),
    lambda chance: chance.uniform(0.1, 0.8),
    lambda chance: chance.uniform(0.3, 2),
    lambda chance: chance.uniform(0, 5),
)


@dataclass
class Run:
    """What happened, for the audit and the table."""

    portal: ChaosPortal
    batches: list[Batch]
    fresh_keys: bool
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Driver:
    """One run. `progress` is told a line now and then."""

    def __init__(
        self, folder: Path, *, purchases: int, seed: int, fresh_keys: bool, seconds: float, progress: Callable
    ) -> None:
        self._random = random.Random(seed)
        self._portal = ChaosPortal(seed)
        self._portal.start()
        self._customers = customers(self._portal, folder, purchases)
        self._run = Run(self._portal, [*batches(self._customers, purchases, self._random)], fresh_keys)
        self._counts = self._run.counts
        self._seconds = seconds
        self._progress = progress
        self._of_process: dict[int, Batch] = {}
        self._waiting: list[tuple[float, int, Batch]] = []
        self._kills: list[tuple[float, int]] = []

    def run(self) -> Run:
        """Let everything happen."""
        try:
            nursery = Nursery(self._portal.url)
            try:
                with ThreadPoolExecutor(8) as self._logins:
                    self._drive(nursery)
            finally:
                nursery.close()
        finally:
            self._portal.stop()
        return self._run

    def _drive(self, nursery: Nursery) -> None:
        list(self._logins.map(self._log_in, self._customers))
        self._portal.random_faults.is_on = True
        started = time.monotonic()
        self._last_kill = started + self._seconds
        self._waiting = [(started, batch.number, batch) for batch in self._run.batches]
        while self._waiting or self._of_process:
            now = time.monotonic()
            if now > self._last_kill + _LAST_SECONDS:
                break
            while self._waiting and len(self._of_process) < PROCESSES and self._waiting[0][0] <= now:
                self._start(nursery, heapq.heappop(self._waiting)[2])
            while self._kills and self._kills[0][0] <= now:
                nursery.kill(heapq.heappop(self._kills)[1])
            soon = self._kills[0][0] - now if self._kills else 0.02
            with suppress(queue.Empty):
                self._end(*nursery.ended.get(timeout=min(max(soon, 0.001), 0.02)))
            self._progress(self._line(now - started))
        self._portal.random_faults.is_on = False
        self._run.seconds = time.monotonic() - started

    def _line(self, seconds: float) -> str:
        left = sum(len(batch.open) for batch in self._run.batches)
        return f"{left} purchases open, {self._counts['kills']} kills, {seconds:.0f} s"

    def _start(self, nursery: Nursery, batch: Batch) -> None:
        customer = batch.customer
        if customer.is_logging_in or not customer.source().is_logged_in:
            if not customer.is_logging_in:
                self._counts["logins lost"] += 1
                customer.is_logging_in = True
                self._logins.submit(self._log_in, customer)
            heapq.heappush(self._waiting, (time.monotonic() + 0.2, batch.number, batch))
            return
        for _ in range(1 + batch.pressed_twice):
            process = nursery.fork(batch.task(self._run.fresh_keys))
            self._counts[f"{batch.kind} processes"] += 1
            self._of_process[process] = batch
            batch.running.add(process)
            batch.lives += 1
            now = time.monotonic()
            if batch.deaths and now < self._last_kill:
                heapq.heappush(self._kills, (now + self._random.choice(_LIFETIMES)(self._random), process))

    def _end(self, process: int, code: int) -> None:
        batch = self._of_process.pop(process)
        batch.running.discard(process)
        self._kills = [kill for kill in self._kills if kill[1] != process]
        heapq.heapify(self._kills)
        if code == -signal.SIGKILL:
            batch.deaths = max(batch.deaths - 1, 0)
            batch.kills += 1
            self._counts["kills"] += 1
        elif code:
            self._counts["hung" if code == -signal.SIGALRM else "crashed"] += 1
        self._look(batch, killed=code == -signal.SIGKILL)
        if not batch.running and batch.open and batch.lives < _MOST_LIVES:
            now = time.monotonic()
            # Some come back when it is too late for a refresh token that was spent, and not saved.
            is_late = now < self._last_kill and self._random.random() < 0.03
            pause = REFRESH_GRACE + 0.5 if is_late else self._random.uniform(0, 0.3)
            heapq.heappush(self._waiting, (now + pause, batch.number, batch))

    def _look(self, batch: Batch, killed: bool) -> None:
        """See how far each purchase is that had not ended when the process was started."""
        told = {report.amount for report in batch.reports.read() if report.what in ("settled", "failed")}
        for key, amount in batch.purchases:
            if amount not in batch.open:
                continue
            if self._run.fresh_keys:
                state = "ended" if amount in told else "open"
            else:
                # The ledger first: what is in it was there before the store says otherwise.
                charges = batch.customer.charges(amount)
                kept = list(batch.customer.store.load(key))
                state = kept[0].status if kept else "not saved"
                self._counts["not_made in the store, a charge in the ledger"] += state == "not_made" and bool(charges)
            if killed:
                self._counts[f"killed while {state}"] += 1
            if state in ("settled", "failed", "ended"):
                batch.open.discard(amount)

    def _log_in(self, customer: Customer) -> None:
        """Log in with a device code, which the person approves at once."""
        with closing(customer.source()) as source:
            for _ in range(20):
                try:
                    source.login(lambda code: self._portal.approve_device(code.user_code, customer.person))
                    break
                except BillingError:
                    time.sleep(0.1)
        customer.is_logging_in = False
