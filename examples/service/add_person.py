"""Let a person buy: ``python -m examples.service.add_person ada ada-session``, with the person's token in NOUS_TOKEN.

Try it against the mock: start ``python -m nous_billing.mock``, and set the variables that it prints.
"""

import asyncio
import os
import sys

from sqlalchemy import delete, insert

from nous_billing import AsyncBillingClient, StaticToken

from .people import PEOPLE
from .shared import shared


async def add(person: str, session: str) -> None:
    token = os.environ["NOUS_TOKEN"]
    async with AsyncBillingClient(StaticToken(token)) as client:
        organisation = (await client.get_billing_state()).org
    async with shared() as service, service.database.begin() as connection:
        await connection.execute(delete(PEOPLE).where(PEOPLE.c.session == session))
        row = {"session": session, "person": person, "organisation_id": organisation.id, "access_token": token}
        await connection.execute(insert(PEOPLE).values(row))
    print(f"{person} buys for {organisation.name}.")


asyncio.run(add(*sys.argv[1:]))
