"""The web processes: ``uvicorn --factory examples.service.web:create_app``, as often as you like.

``POST /purchases`` begins a purchase, ``GET /purchases/{key}`` says how it stands, and ``GET /purchases/{key}/events``
tells each change. None of them waits for a payment, and none but the first can charge.
"""

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from nous_billing import BillingError

from .answers import answer, body_of, body_of_error, of_error
from .people import Person
from .shared import Shared, shared


class Service:
    def __init__(self) -> None:
        self._shared: Shared

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncGenerator[None, None]:
        async with shared() as self._shared:
            yield

    async def begin(self, request: Request) -> Response:
        """``{"action": "top-up of 13 June", "amount_usd": "50"}``: sent again, it is the same purchase."""
        person = await self._person(request)
        action, amount_usd = await _read_order(request)
        key = purchase_key(person, action)
        client = self._shared.people.client_of(person)
        return await answer(
            key,
            client.begin_purchase(
                amount_usd, idempotency_key=key, organisation_id=person.organisation_id, store=self._shared.store
            ),
        )

    async def show(self, request: Request) -> Response:
        client = self._shared.people.client_of(await self._person(request))
        key = request.path_params["key"]
        # It verifies that the login is for the purchase's organisation.
        return await answer(key, client.check_purchase(key, store=self._shared.store))

    async def follow(self, request: Request) -> Response:
        key = request.path_params["key"]
        events = self._events(await self._person(request), key)
        try:
            first = await anext(events)
        except BillingError as error:
            return of_error(error, key)
        return StreamingResponse(_joined(first, events, key), media_type="text/event-stream")

    async def _events(self, person: Person, key: str) -> AsyncGenerator[str, None]:
        client = self._shared.people.client_of(person)
        async for purchase in client.follow_purchase(key, store=self._shared.store):
            yield _event(body_of(purchase))

    async def _person(self, request: Request) -> Person:
        scheme, _, session = request.headers.get("Authorization", "").partition(" ")
        person = await self._shared.people.find(session) if scheme == "Bearer" else None
        if person is None:
            raise HTTPException(401, "Log in to this service.", {"WWW-Authenticate": "Bearer"})
        return person


async def _read_order(request: Request) -> tuple[str, str]:
    try:
        order: object = await request.json()
    except (ValueError, RecursionError):
        order = None
    match order:
        case {"action": str(action), "amount_usd": str(amount_usd)} if action.strip():
            return action, amount_usd
        case _:
            raise HTTPException(400, 'Send {"action": "...", "amount_usd": "50"}, the amount as a string of dollars.')


def purchase_key(person: Person, action: str) -> str:
    """Return the idempotency key: the same for the same action of the same person."""
    return hashlib.sha256(json.dumps([person.organisation_id, person.name, action]).encode()).hexdigest()


async def _joined(first: str, others: AsyncGenerator[str, None], key: str) -> AsyncGenerator[str, None]:
    yield first
    try:
        async for event in others:
            yield event
    except BillingError as error:
        # Whatever it is, the purchase was begun.
        yield _event({**body_of_error(error, key), "outcome": "not_known"})


def _event(body: dict[str, str | None]) -> str:
    return f"event: {body['outcome']}\ndata: {json.dumps(body)}\n\n"


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    outcome = "not_authorised" if error.status_code == 401 else "refused"
    return JSONResponse({"outcome": outcome, "message": error.detail}, error.status_code, error.headers)


async def _database_down(_: Request, __: Exception) -> Response:
    message = "The database does not answer. This request sent nothing; what earlier ones did is not known here."
    return JSONResponse({"outcome": "not_known", "message": message}, 503, {"Retry-After": "2"})


def create_app() -> Starlette:
    service = Service()
    return Starlette(
        routes=[
            Route("/purchases", service.begin, methods=["POST"]),
            Route("/purchases/{key}", service.show),
            Route("/purchases/{key}/events", service.follow),
        ],
        lifespan=service.lifespan,
        exception_handlers={HTTPException: _refused, SQLAlchemyError: _database_down},
    )
