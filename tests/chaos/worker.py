"""What a process does before it is killed: it resumes, and presses "Pay" for each purchase until that has ended."""

import asyncio
import random
import threading
import time
import traceback
from pathlib import Path

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingError,
    BillingPurchaseStoreError,
    StoredLogin,
    new_idempotency_key,
)
from tests.chaos.clock import AsyncShortNaps, ShortNaps, own_time
from tests.chaos.reports import Reports

TRIES = 5
# Real seconds; no reply that comes at all takes this long.
TIMEOUT = 1.0
# Seconds that are compressed.
CAP = 60.0


class Person:
    """Decides, from what is told of one purchase, whether to press again."""

    def __init__(self, reports: Reports, amount: str) -> None:
        self._reports = reports
        self._amount = amount
        self._random = random.Random()

    def hears(self, outcome) -> float | None:
        """The seconds until the next try; None where there is none."""
        if not isinstance(outcome, Exception):
            self._reports.add(outcome.status, self._amount, outcome.charge_id)
            return None
        if isinstance(outcome, BillingPurchaseStoreError):
            self._reports.add("store", self._amount, outcome)
        elif isinstance(outcome, BillingError):
            what = "uncertain" if outcome.outcome_unknown else "refused"
            self._reports.add(what, self._amount, f"{type(outcome).__name__}: {outcome}")
        else:
            self._reports.add("crash", self._amount, "".join(traceback.format_exception(outcome)))
            return None
        # Logged out: nothing to press until somebody logs in again.
        lost = isinstance(outcome, BillingAuthError) or isinstance(
            getattr(outcome, "last_error", None), BillingAuthError
        )
        return None if lost else self._random.uniform(0.1, 0.6)


class Paid:
    """What the earlier clients' caller knows in the end."""

    def __init__(self, charge_id, charge) -> None:
        self.charge_id = charge_id
        self.status = charge.status


def work(task: dict) -> None:
    """Do what the task says."""
    login = StoredLogin(Path(task["login"]), portal_base_url=task["url"], clock=ShortNaps())
    reports = Reports(Path(task["reports"]))
    if task["kind"] == "sync":
        _in_threads(task, login, reports)
    else:
        asyncio.run(_in_tasks(task, login, reports))


def _in_threads(task, login, reports) -> None:
    def buy(key, amount):
        if not task["fresh_keys"]:
            return client.buy_credits(amount, idempotency_key=key, store=task["store"], cap=CAP)
        charge_id = client.post_charge(amount_usd=amount, idempotency_key=new_idempotency_key()).charge_id
        return Paid(charge_id, client.wait_for_charge(charge_id, cap=CAP))

    def press(key, amount):
        own_time()
        person = Person(reports, amount)
        for _ in range(TRIES):
            try:
                outcome = buy(key, amount)
            except Exception as error:  # noqa: BLE001 - an untyped error is what is looked for
                outcome = error
            pause = person.hears(outcome)
            if pause is None:
                return
            time.sleep(pause)

    with BillingClient(login, base_url=task["url"], timeout=TIMEOUT, clock=ShortNaps()) as client:
        if not task["fresh_keys"]:
            try:
                client.resume_purchases(task["store"], cap=CAP)
            except Exception as error:  # noqa: BLE001
                Person(reports, "").hears(error)
        threads = [threading.Thread(target=press, args=purchase) for purchase in task["purchases"]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def _in_tasks(task, login, reports) -> None:
    async def buy(key, amount):
        if not task["fresh_keys"]:
            return await client.buy_credits(amount, idempotency_key=key, store=task["store"], cap=CAP)
        charge_id = (await client.post_charge(amount_usd=amount, idempotency_key=new_idempotency_key())).charge_id
        return Paid(charge_id, await client.wait_for_charge(charge_id, cap=CAP))

    async def press(key, amount):
        own_time()
        person = Person(reports, amount)
        for _ in range(TRIES):
            try:
                outcome = await buy(key, amount)
            except Exception as error:  # noqa: BLE001 - an untyped error is what is looked for
                outcome = error
            pause = person.hears(outcome)
            if pause is None:
                return
            await asyncio.sleep(pause)

    async with AsyncBillingClient(login, base_url=task["url"], timeout=TIMEOUT, clock=AsyncShortNaps()) as client:
        if not task["fresh_keys"]:
            try:
                await client.resume_purchases(task["store"], cap=CAP)
            except Exception as error:  # noqa: BLE001
                Person(reports, "").hears(error)
        await asyncio.gather(*(press(*purchase) for purchase in task["purchases"]))
