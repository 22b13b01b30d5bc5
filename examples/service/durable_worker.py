"""The same worker on a durable-execution engine: ``WORKER_NAME=one python -m examples.service.durable_worker``.

DBOS (the package ``dbos``) keeps its workflows in the same PostgreSQL database, and needs no server of its own. There
is one workflow for each open purchase; after a crash it continues where it was. Unlike ``worker.py`` it also finishes a
purchase whose reply was lost: it sends the charge again with the same key, which charges at most once.

A workflow that was interrupted belongs to the name of its worker. Give a machine that replaces another its name.
"""

import asyncio
import logging
import os
import socket
from contextlib import suppress
from datetime import datetime

from dbos import DBOS, DBOSConfig, ScheduleInput, SetWorkflowID

from nous_billing import BillingError, BillingPurchaseNotFound, BillingPurchaseUncertain

from .shared import Shared, shared

QUEUE = "purchases"
# When to look for open purchases, as for cron with seconds. One of the workers does.
SCHEDULE = os.environ.get("SCHEDULE", "*/5 * * * * *")
# Seconds between two looks at one purchase.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

log = logging.getLogger("service.worker")
_service: Shared


@DBOS.workflow()
async def start_what_is_open(_scheduled_at: datetime, _context: object) -> None:
    for workflow_id, key, amount_usd, organisation_id in await find_open():
        # Does nothing if this workflow was started before.
        with SetWorkflowID(workflow_id):
            await DBOS.enqueue_workflow_async(QUEUE, finish, key, amount_usd, organisation_id)


@DBOS.step()
async def find_open() -> list[tuple[str, str, str, str]]:
    # A purchase that was refused, and is tried again with its key, starts at another moment.
    return [
        (f"{each.key}-{each.started_at.timestamp()}", each.key, str(each.amount_usd), each.organisation_id)
        for each in await _service.store.load()
    ]


@DBOS.workflow()
async def finish(key: str, amount_usd: str, organisation_id: str) -> str:
    """Return how the purchase ended."""
    pause = FIRST_PAUSE
    while (status := await take_a_step(key, amount_usd, organisation_id)) == "open":
        await DBOS.sleep_async(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return status


@DBOS.step()
async def take_a_step(key: str, amount_usd: str, organisation_id: str) -> str:
    """Poll the charge, or send it again if it is not known whether it was made. Return how it ended, or "open"."""
    client, store = _service.people.client_for(organisation_id), _service.store
    try:
        purchase = await client.check_purchase(key, store=store)
        if purchase.status == "sending":
            purchase = await client.begin_purchase(
                amount_usd, idempotency_key=key, organisation_id=organisation_id, store=store
            )
    except BillingPurchaseNotFound:
        return "removed"
    except BillingPurchaseUncertain as error:
        return "too old" if error.is_too_old else "open"
    except BillingError as error:
        log.warning("%s: %s", key, error)
        return "open"
    return purchase.status if purchase.has_ended else "open"


async def main() -> None:
    global _service
    logging.basicConfig(level=logging.WARNING)
    config: DBOSConfig = {
        "name": "purchases",
        "system_database_url": os.environ["DATABASE_URL"],
        "executor_id": os.environ.get("WORKER_NAME", socket.gethostname()),
        # Workers of another version do not continue a workflow. Change it whenever the steps change.
        "application_version": "1",
        "scheduler_polling_interval_sec": 1.0,
        "log_level": "WARNING",
    }
    async with shared() as _service:
        DBOS(config=config)
        DBOS.launch()
        await DBOS.register_queue_async(QUEUE)
        schedule: ScheduleInput = {
            "schedule_name": "open purchases",
            "workflow_fn": start_what_is_open,
            "schedule": SCHEDULE,
        }
        await DBOS.apply_schedules_async([schedule])
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
