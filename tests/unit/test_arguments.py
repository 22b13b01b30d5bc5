"""Each public argument of the wrong type is refused with its name and what came, before anything is sent."""

import asyncio
import inspect
import re
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine

import nous_billing as nb
from nous_billing.sql import SqlPurchaseStore
from tests.documented import OPERATIONS
from tests.registry import ENTRIES

WRONG: dict[str, list[Any]] = {
    "a number": [5, 1.5, True],
    "text": ["token-1"],
    "bytes": [b"token-1"],
    "a UUID": [uuid.UUID(int=1)],
    "something else": [object(), ["token-1"], {"x": 1}, nb.StaticToken],
}
# What else there is than a wrong type: it is right, or refused for its value.
TAKES = {
    "text": {"access_token", "base_url", "portal_base_url", "proxy", "store", "path", "scope", "rejected", "client_id"}
    | {"organisation_id", "charge_id", "subscription_type_id", "idempotency_key", "key", "amount_usd"}
    | {"threshold", "top_up_amount", "user_agent"},
    "a UUID": {"idempotency_key", "key"},
    "a number": {"timeout", "interval", "cap", "amount_usd", "threshold", "top_up_amount", "enabled"},
}
BUYING = {"amount_usd": 50, "idempotency_key": "k"}
NEEDED: dict[str, dict[str, Any]] = {
    **{name: dict(ENTRIES[name].arguments) for name in OPERATIONS},
    "buy_credits": BUYING,
    "begin_purchase": BUYING,
    "check_purchase": {"idempotency_key": "k"},
    "follow_purchase": {"idempotency_key": "k"},
    "wait_for_charge": {"charge_id": "ch_1"},
    "wait_for_upgrade": {"subscription_type_id": "tier"},
    **{name: {"on_code": print} for name in ("login", "alogin", "step_up", "astep_up")},
}
FUNCTIONS = {"observer", "on_code", "on_poll", "on_progress", "step_up", "cancelled"}
CLASSES = (
    nb.BillingClient,
    nb.AsyncBillingClient,
    nb.StoredLogin,
    nb.StaticToken,
    nb.Credentials,
    nb.PurchaseDirectory,
)
# What only the SDK calls, and what closes.
NOT_CALLED = {"resolve", "fingerprint", "save", "acquire_lease", "release_lease", "close", "aclose", "logout"}


class NeverAsked:
    def resolve(self, *, rejected: str | None = None) -> nb.Credentials:
        raise AssertionError("Something was about to be sent.")


@pytest.fixture
def objects(tmp_path):
    path = tmp_path / "login.json"
    path.write_text('{"version": 1}')
    engine = create_engine("sqlite://")
    sql = SqlPurchaseStore(engine)
    sql.create_table()
    yield {
        "BillingClient": nb.BillingClient(NeverAsked()),
        "AsyncBillingClient": nb.AsyncBillingClient(NeverAsked()),
        "StoredLogin": nb.StoredLogin(path),
        "PurchaseDirectory": nb.PurchaseDirectory(tmp_path / "store"),
        "SqlPurchaseStore": sql,
    }
    engine.dispose()


def methods() -> list[tuple[str, str]]:
    owners = [nb.BillingClient, nb.AsyncBillingClient, nb.StoredLogin, nb.PurchaseDirectory, SqlPurchaseStore]
    return [
        (owner.__name__, name)
        for owner in owners
        for name, _ in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_") and name not in NOT_CALLED
    ]


def finish(result: Any) -> None:
    if inspect.isasyncgen(result):
        result = anext(result)
    if inspect.isgenerator(result):
        list(result)
    if isinstance(result, Awaitable):

        async def wait() -> None:
            await result

        asyncio.run(wait())


def assert_refused(parameter: str, call: Any, given: Any) -> None:
    with pytest.raises((nb.BillingInvalidRequest, nb.BillingAuthError)) as caught:
        finish(call())
    said = str(caught.value)
    # The type of what came, which may be a token, and never the value.
    came = f"the class {given.__name__}" if isinstance(given, type) else rf"(uuid\.)?{type(given).__name__}"
    named = parameter.replace("access_token", "The access token")
    assert re.fullmatch(rf"{named} must be [^X].*, not {came}\.", said), said
    assert not re.search("[A-Z]{5}", said), said
    assert re.fullmatch("invalid_[a-z_]+", str(caught.value.error))
    assert caught.value.outcome_unknown is False


def wrong_for(function: Any) -> list[tuple[str, Any]]:
    parameters = [each for each in inspect.signature(function).parameters if each != "self"]
    return [
        (parameter, given)
        for parameter in parameters
        for kind, values in WRONG.items()
        for given in values
        if parameter not in TAKES.get(kind, ())
        and parameter != "include_ended"
        and not (parameter == "headers" and isinstance(given, dict))
        # A class is called like a function.
        and not (given is nb.StaticToken and parameter in FUNCTIONS)
    ]


@pytest.mark.parametrize(("owner", "name"), methods())
def test_an_argument_of_the_wrong_type_is_told_by_its_name_and_type(owner, name, objects):
    method = getattr(objects[owner], name)
    for parameter, given in wrong_for(method):
        arguments = {**NEEDED.get(name, {}), parameter: given}
        assert_refused(parameter, lambda arguments=arguments: method(**arguments), given)


@pytest.mark.parametrize("made", CLASSES)
def test_what_is_made_with_an_argument_of_the_wrong_type_is_refused(made, tmp_path):
    needed = {"access_token": "t"} if made in {nb.StaticToken, nb.Credentials} else {}
    for parameter, given in wrong_for(made):
        assert_refused(parameter, lambda p=parameter, g=given: made(**{**needed, p: g}), given)


@pytest.mark.parametrize(
    ("function", "parameter"),
    [(nb.parse_usd, "text"), (nb.format_usd, "amount"), (nb.resolve_portal_base_url, "state")],
)
@pytest.mark.parametrize("given", [5, b"5", ["5"], uuid.UUID(int=1)])
def test_a_function_names_its_argument(function, parameter, given):
    assert_refused(parameter, lambda: function(given), given)


def test_a_uuid_is_a_key_everywhere(objects, tmp_path):
    key = uuid.UUID(int=7)
    purchase = nb.Purchase(key=str(key), amount_usd=nb.parse_usd("50"), started_at=datetime.now(UTC), revision=1)
    for store in (objects["PurchaseDirectory"], objects["SqlPurchaseStore"]):
        assert store.save(purchase)
        assert [each.key for each in store.load(key)] == [str(key)]
        store.forget(key)
        assert list(store.load(key)) == []
