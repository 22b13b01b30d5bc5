"""The workers: ``python -m examples.service.worker``, on as many machines as you like.

Each looks for purchases that nobody else is working on, and finds out how their charges ended. It never charges: a
purchase whose reply was lost stays not known, until the person sends the same request again.
"""

import asyncio
import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from nous_billing import BillingPurchaseStoreError, Purchase

from .shared import Shared, shared

# Seconds between two looks into the store, and for the purchases of one organisation.
PAUSE = 2.0
CAP = 10.0
ORGANISATIONS_AT_ONCE = 10

log = logging.getLogger("service.worker")


async def work(service: Shared) -> None:
    at_once = asyncio.Semaphore(ORGANISATIONS_AT_ONCE)
    while True:
        async with asyncio.TaskGroup() as group:
            for organisation_id in await _organisations(service):
                group.create_task(_resume(service, organisation_id, at_once))
        await asyncio.sleep(PAUSE)


async def _organisations(service: Shared) -> set[str]:
    """Return those with a charge that has not ended."""
    found: set[str] = set()
    # A row that cannot be read is raised after all others, and the same row is reported by resume_purchases.
    with suppress(BillingPurchaseStoreError):
        try:
            for purchase in await service.store.load():
                if purchase.status == "pending":
                    found.add(purchase.organisation_id)
        except SQLAlchemyError as error:
            log.warning("The database does not answer: %s", type(error).__name__)
    return found


async def _resume(service: Shared, organisation_id: str, at_once: asyncio.Semaphore) -> None:
    async with at_once:
        client = service.people.client_for(organisation_id)
        # The leases of the store keep workers apart.
        outcomes = await client.resume_purchases(service.store, organisation_id=organisation_id, cap=CAP)
    for outcome in outcomes:
        if isinstance(outcome, Purchase):
            log.info("%s: %s", outcome.key, outcome.message)
        else:
            log.debug("%s", outcome)


async def main() -> None:
    logging.basicConfig(level=logging.INFO)
    async with shared() as service:
        await work(service)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
