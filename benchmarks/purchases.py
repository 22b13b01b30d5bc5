"""What a directory of purchases costs: a thousand purchases at once, and what is open among many receipts."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier

from benchmarks.worker import AT_ONCE, Stopwatch
from nous_billing import BillingClient, Purchase, PurchaseDirectory, StaticToken

# A purchase is saved as it is sent, accepted and settled.
SAVES = 3
# One after the other, each takes as long as any other.
_FLOOR = 200
SENDING = Purchase(
    key="key",
    amount_usd=Decimal(50),
    started_at=datetime(2026, 6, 13, tzinfo=UTC),
    portal_base_url="https://portal.nousresearch.com",
    organisation_id="org_1",
    organisation_name="Acme",
    revision=1,
)
PENDING = replace(SENDING, status="pending", charge_id="ch_3PqXyZ", revision=2)
SETTLED = replace(PENDING, status="settled", added_usd=Decimal(50), settled_at=SENDING.started_at, revision=3)


@contextmanager
def own_folder() -> Iterator[Path]:
    # Not the system's temporary folder, which may be in memory.
    folder = Path(tempfile.mkdtemp(dir=Path(__file__).parent, prefix=".purchases-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _at_once(work: Callable[[int], object]) -> dict[str, float]:
    """Do it in a thousand threads that start together; raises what any of them raises."""
    ready = Barrier(AT_ONCE + 1)

    def wait_and_work(number: int) -> None:
        ready.wait()
        work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = [pool.submit(wait_and_work, number) for number in range(AT_ONCE)]
        ready.wait()
        with Stopwatch() as watch:
            for future in started:
                future.result()
    return {"wall": watch.wall / AT_ONCE, "cpu": watch.cpu / AT_ONCE}


def floor() -> dict[str, float]:
    """What any program has to do that keeps as much: write, sync, rename and sync the folder, one after the other."""
    content = b"x" * 500
    with own_folder() as folder, Stopwatch() as watch:
        for number in range(_FLOOR):
            for _ in range(SAVES):
                with open(folder / "new", "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(folder / "new", folder / str(number))
                descriptor = os.open(folder, os.O_RDONLY)
                os.fsync(descriptor)
                os.close(descriptor)
    return {"wall": watch.wall / _FLOOR, "cpu": watch.cpu / _FLOOR}


def saved() -> dict[str, float]:
    """The directory alone."""

    def save(number: int) -> None:
        store = PurchaseDirectory(folder)
        for purchase in (SENDING, PENDING, SETTLED):
            assert store.save(replace(purchase, key=f"key-{number}"))

    with own_folder() as folder:
        figures = _at_once(save)
        assert len(list(PurchaseDirectory(folder).receipts())) == AT_ONCE
    return figures


def bought(base_url: str, where: str) -> dict[str, float]:
    """Through clients, each with the token of an organisation of its own; ``where``: ``directory`` or ``memory``."""

    def buy(number: int) -> None:
        store = folder if where == "directory" else None
        with BillingClient(StaticToken(f"of-organisation-{number}"), base_url=base_url, timeout=120) as client:
            assert client.buy_credits(50, idempotency_key=f"key-{number}", store=store).status == "settled"

    with own_folder() as folder:
        figures = _at_once(buy)
        receipts = list(PurchaseDirectory(folder).receipts())
        assert len({receipt.organisation_id for receipt in receipts}) == (AT_ONCE if where == "directory" else 0)
    return figures


def open_ones(receipts: str) -> dict[str, float]:
    """Look for the open ones, of which there are ten, among so many receipts."""
    with own_folder() as folder:
        store = PurchaseDirectory(folder)
        for number in range(10):
            store.save(replace(SENDING, key=f"open-{number}"))
        store.save(replace(SETTLED, revision=1))
        (one,) = (folder / "receipts").iterdir()
        content = one.read_bytes()
        for number in range(int(receipts)):
            (folder / "receipts" / f"{number:064x}.json").write_bytes(content)
        assert len(list(store.load())) == 10
        with Stopwatch() as watch:
            for _ in range(100):
                list(store.load())
    return {"wall": watch.wall / 100, "cpu": watch.cpu / 100}


TASKS: dict[str, Callable[..., dict[str, float]]] = {
    "floor": floor,
    "saved": saved,
    "bought": bought,
    "open_ones": open_ones,
}
