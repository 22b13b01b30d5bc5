"""Who may buy, and with which token. Your service has its own sessions, and keeps tokens encrypted.

Whatever renews the logins writes the new access tokens here: one program, because a refresh token can be used once.
"""

import os
from dataclasses import dataclass

from sqlalchemy import Column, MetaData, String, Table, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from nous_billing import AsyncBillingClient, BillingAuthError, BillingNetworkError, Credentials

PEOPLE = Table(
    "people",
    MetaData(),
    Column("session", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("organisation_id", String, nullable=False, index=True),
    Column("access_token", String, nullable=False),
)
# Seconds for one request to the portal.
TIMEOUT = float(os.environ.get("PORTAL_TIMEOUT", "10"))


@dataclass(frozen=True)
class Person:
    name: str
    organisation_id: str


class Login:
    """The token of a person, or of anybody in an organisation: read when the SDK asks, so that it is never old."""

    def __init__(self, database: AsyncEngine, organisation_id: str, person: str | None) -> None:
        self._database = database
        query = select(PEOPLE.c.access_token).where(PEOPLE.c.organisation_id == organisation_id).limit(1)
        self._query = query if person is None else query.where(PEOPLE.c.person == person)

    async def resolve(self, *, rejected: str | None = None) -> Credentials:
        try:
            async with self._database.connect() as connection:
                token = await connection.scalar(self._query)
        except SQLAlchemyError as error:
            # Not "logged out": that is not known.
            raise BillingNetworkError("The login could not be read. Try again.", error="network_error") from error
        if token is None:
            raise BillingAuthError("You are not logged in at the portal.", error="invalid_token")
        return Credentials(token)


class People:
    """Finds people, and keeps a client for each login: it shares connections, and asks for a token once."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._clients: dict[tuple[str, str | None], AsyncBillingClient] = {}

    async def find(self, session: str) -> Person | None:
        query = select(PEOPLE.c.person, PEOPLE.c.organisation_id).where(PEOPLE.c.session == session)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Person(row.person, row.organisation_id) if row else None

    def client_of(self, person: Person) -> AsyncBillingClient:
        # Two people of two organisations may have the same name.
        return self._client(person.organisation_id, person.name)

    def client_for(self, organisation_id: str) -> AsyncBillingClient:
        """Of anybody in the organisation, for what no person waits for."""
        return self._client(organisation_id, None)

    def _client(self, organisation_id: str, person: str | None) -> AsyncBillingClient:
        key = (organisation_id, person)
        if key not in self._clients:
            self._clients[key] = AsyncBillingClient(Login(self._database, *key), timeout=TIMEOUT)
        return self._clients[key]

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
