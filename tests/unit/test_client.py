"""Both clients carry out what they are told with the arguments that they were given, over a transport in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from math import ceil
from typing import Any

import httpx
import pytest

from nous_billing import AsyncBillingClient, BillingClient, StaticToken
from nous_billing._secrets import reveal
from nous_billing.errors import (
    BillingChargeCancelled,
    BillingChargeTimeout,
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseCancelled,
    BillingPurchaseUncertain,
    BillingRoleRequired,
)
from nous_billing.models import ChargePending, ChargeSettled
from nous_billing.protocol.replies import Reply
from tests.documented import CALLS, OPERATIONS, made, returns, success
from tests.typed import is_typed
from tests.unit.drive import PREVIEW, FakeClock, reply
from tests.unit.shop import KEY, PENDING, SENDING, SETTLED_AT, UNSCOPED, FakePortal, Shelf


class AsyncFakeClock(FakeClock):
    async def sleep(self, seconds: float) -> None:  # type: ignore[override]
        super().sleep(seconds)


class Caller:
    """A client of either kind, the portal that it calls, and what it sent.

    Attributes:
        always: What the portal answers, whatever it is asked.
        sent: Each request: its method, its path, and the seconds that it was given.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.portal = FakePortal()
        self.clock = FakeClock() if kind == "sync" else AsyncFakeClock()
        self.sent: list[tuple[str, str, float]] = []
        self.bodies: list[bytes] = []
        self.hosts: set[str] = set()
        self.traces: set[str | None] = set()
        self.always: Reply | None = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(str(request.url.host))
        self.sent.append((request.method, request.url.raw_path.decode(), request.extensions["timeout"]["read"]))
        self.bodies.append(request.read())
        self.traces.add(request.headers.get("x-trace"))
        key, token = request.headers.get("idempotency-key", ""), request.headers["authorization"].split()[1]
        answer = self.always or self.portal.answer(request.method, request.url.path, token, key, request.content)
        assert isinstance(answer, Reply)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=reveal(answer.body))

    async def ahandle(self, request: httpx.Request) -> httpx.Response:
        return self.handle(request)

    def do(self, call: Callable[[Any], Any], **options: Any) -> Any:
        """Make a client, let it do something, and close it."""
        options = {"credentials": StaticToken("token-1"), "base_url": PREVIEW, "clock": self.clock, **options}
        if self.kind == "sync":
            with (
                httpx.Client(transport=httpx.MockTransport(self.handle)) as http,
                BillingClient(http_client=http, **options) as client,
            ):
                return call(client)

        async def run() -> Any:
            async with (
                httpx.AsyncClient(transport=httpx.MockTransport(self.ahandle)) as http,
                AsyncBillingClient(http_client=http, **options) as client,
            ):
                result = call(client)
                return await result if isinstance(result, Awaitable) else result

        return asyncio.run(run())

    def answers(self, value: Any) -> Callable[[], Any]:
        """A question to the person, as this kind of client asks it."""

        async def answer() -> Any:
            return value

        return (lambda: value) if self.kind == "sync" else answer


@pytest.fixture(params=["sync", "async"])
def caller(request):
    return Caller(request.param)


TRACE = {"x-trace": "t"}
EACH_CALL = pytest.mark.parametrize("name", OPERATIONS)


@EACH_CALL
def test_a_call_is_one_request_and_its_result(caller, name):
    operation, (status, body) = made(name), success(name)
    caller.always = reply(status, body)
    assert is_typed(caller.do(CALLS[name]), returns(name))
    assert (caller.sent, caller.hosts) == ([(operation.method, operation.path, 15.0)], {"preview.example"})
    assert caller.bodies == [operation.body or b""]


@EACH_CALL
@pytest.mark.parametrize(("own", "of_call", "seconds"), [(7, None, 7), (7, 3, 3), (15, 40, 40)])
def test_a_call_has_the_seconds_of_the_client_or_its_own(caller, name, own, of_call, seconds):
    caller.always = reply(*success(name))
    caller.do(lambda client: CALLS[name](client, timeout=of_call), timeout=own)
    assert [given for _, _, given in caller.sent] == [seconds]


@EACH_CALL
def test_a_call_of_no_length_is_refused_before_anything_is_sent(caller, name):
    with pytest.raises(BillingInvalidRequest, match=r"^timeout must be"):
        caller.do(lambda client: CALLS[name](client, timeout=0))
    assert caller.sent == []


@EACH_CALL
def test_a_call_sends_the_headers_of_the_caller(caller, name):
    caller.always = reply(*success(name))
    caller.do(lambda client: CALLS[name](client, headers=TRACE))
    assert caller.traces == {"t"}


def test_what_is_configured_is_what_was_given(caller):
    caller.always = reply(*success("patch_auto_top_up"))
    caller.do(lambda client: client.patch_auto_top_up(enabled=False, threshold="20.50", top_up_amount=100))
    assert caller.bodies == [b'{"enabled":false,"threshold":20.50,"topUpAmount":100}']


def test_a_charge_is_what_was_given(caller):
    caller.do(lambda client: client.post_charge(amount_usd="50.10", idempotency_key="key-7"))
    assert caller.portal.posts == [("key-7", b'{"amountUsd":50.10}')]


def test_a_wait_polls_at_the_callers_interval_to_the_callers_cap(caller):
    seen = []
    caller.portal.polled = [PENDING] * 9
    with pytest.raises(BillingChargeTimeout) as caught:
        caller.do(lambda client: client.wait_for_charge("ch_1", interval=3, cap=7, on_poll=seen.append))
    assert (caught.value.charge_id, [type(outcome) for outcome in seen]) == ("ch_1", [ChargePending] * 4)
    assert caller.clock.passed == 7


def test_a_wait_polls_every_two_seconds_for_five_minutes_unless_the_caller_says_otherwise(caller):
    caller.portal.polled = [PENDING] * 200
    with pytest.raises(BillingChargeTimeout):
        caller.do(lambda client: client.wait_for_charge("ch_1"))
    assert (caller.clock.passed, len(caller.sent)) == (300, 151)


def test_a_clock_of_a_task_may_pass_at_once_without_being_awaited():
    caller = Caller("async")
    caller.clock = FakeClock()
    caller.portal.polled = [PENDING] * 9
    with pytest.raises(BillingChargeTimeout):
        caller.do(lambda client: client.wait_for_charge("ch_1", cap=7))
    assert caller.clock.passed == 7


def test_a_wait_ends_as_the_caller_wants_it_to(caller):
    caller.portal.polled = [PENDING] * 9
    with pytest.raises(BillingChargeCancelled):
        caller.do(lambda client: client.wait_for_charge("ch_1", cancelled=lambda: caller.clock.passed >= 1))
    assert caller.clock.passed == 1


def test_a_wait_returns_how_the_charge_ended(caller):
    caller.portal.charges["org_1", KEY] = ("ch_1", b"")
    settled = caller.do(lambda client: client.wait_for_charge("ch_1"))
    assert (type(settled), settled.amount_usd) == (ChargeSettled, Decimal(50))
    assert settled.settled_at.isoformat().startswith(SETTLED_AT[:19])


def test_a_purchase_is_made_with_all_that_the_caller_gave(caller):
    store, seen = Shelf(), []
    caller.portal.posted = [UNSCOPED]
    caller.portal.polled = [PENDING] * 2
    purchase = caller.do(
        lambda client: client.buy_credits(
            "50.50",
            idempotency_key=KEY,
            store=store,
            step_up=caller.answers(True),
            on_progress=seen.append,
            cancelled=lambda: False,
            interval=3,
            cap=20,
        )
    )
    assert (purchase.key, purchase.amount_usd, purchase.status) == (KEY, Decimal("50.5"), "settled")
    refused = ["sending", "not_made"]
    assert (store.statuses, store.kept[KEY]) == ([*refused, "sending", "pending", "settled"], purchase)
    assert [progress.status for progress in seen] == [*refused, "sending", "pending", "pending", "pending", "settled"]
    assert caller.clock.passed == pytest.approx(6)


@pytest.mark.parametrize(
    ("options", "passed"), [({}, 300), ({"cap": 7}, 7), ({"cap": 7, "cancelled": lambda: False}, 7)]
)
def test_a_purchase_waits_five_minutes_or_to_the_callers_cap(caller, options, passed):
    caller.portal.polled = [PENDING] * 200
    with pytest.raises(BillingPurchaseUncertain, match="accepted as charge ch_1"):
        caller.do(lambda client: client.buy_credits("50", idempotency_key=KEY, **options))
    assert caller.clock.passed == pytest.approx(passed)
    assert len(caller.sent) == 3 + passed // 2 + passed % 2


def test_a_purchase_is_stopped_as_the_caller_wants_it_to(caller):
    with pytest.raises(BillingPurchaseCancelled):
        caller.do(lambda client: client.buy_credits("50", idempotency_key=KEY, cancelled=lambda: True))
    assert caller.sent == []


def test_the_purchases_of_a_store_are_gone_on_with(caller):
    store, seen = Shelf(SENDING), []
    (outcome,) = caller.do(lambda client: client.resume_purchases(store, on_progress=seen.append))
    assert (outcome.key, caller.sent, seen) == (KEY, [], [])


def accepted():
    return Shelf(replace(SENDING, status="pending", charge_id="ch_1"))


@pytest.mark.parametrize(("options", "passed", "polls"), [({}, 300, 151), ({"interval": 3, "cap": 7}, 7, 4)])
def test_a_purchase_of_a_store_is_polled_as_the_caller_wants_it_to(caller, options, passed, polls):
    seen = []
    caller.portal.polled = [PENDING] * 200
    (outcome,) = caller.do(lambda client: client.resume_purchases(accepted(), on_progress=seen.append, **options))
    assert (outcome.charge_id, caller.clock.passed) == ("ch_1", pytest.approx(passed))
    assert len(seen) == polls == len([path for _, path, _ in caller.sent if path.endswith("ch_1")])


def follow(client, **options):
    """Return all that a client of either kind yields of a purchase."""
    items = client.follow_purchase(KEY, **options)

    async def collect():
        return [item async for item in items]

    return [*items] if isinstance(client, BillingClient) else collect()


@pytest.mark.parametrize(
    ("call", "store"),
    [
        (lambda client, **options: client.buy_credits("50", idempotency_key=KEY, **options), Shelf),
        (lambda client, **options: client.begin_purchase("50", idempotency_key=KEY, **options), Shelf),
        (lambda client, **options: client.check_purchase(KEY, **options), accepted),
        (lambda client, **options: client.resume_purchases(**options), accepted),
        (follow, accepted),
        (lambda client, store, **options: client.wait_for_charge("ch_1", **options), accepted),
    ],
    ids=["buy", "begin", "check", "resume", "follow", "wait"],
)
def test_each_request_of_a_purchase_has_the_headers_of_the_caller(caller, call, store):
    caller.portal.charges["org_1", "earlier"] = ("ch_1", b"")
    caller.do(lambda client: call(client, store=store(), headers=TRACE))
    assert caller.traces == {"t"}


def test_a_purchase_is_begun_with_all_that_the_caller_gave(caller):
    store, seen = Shelf(), []
    caller.portal.posted = [UNSCOPED]
    begun = caller.do(
        lambda client: client.begin_purchase(
            "50.50", idempotency_key=KEY, store=store, step_up=caller.answers(True), on_progress=seen.append
        )
    )
    assert (begun.status, begun.amount_usd, begun) == ("pending", Decimal("50.5"), store.kept[KEY])
    assert [progress.status for progress in seen] == ["sending", "not_made", "sending", "pending"]
    for refused, error in (
        ({"cancelled": lambda: True}, "purchase_cancelled"),
        ({"organisation_id": "org_2"}, "wrong_"),
    ):
        with pytest.raises(BillingError) as caught:
            caller.do(lambda client, given=refused: client.begin_purchase("50", idempotency_key="k-2", **given))
        assert caught.value.error.startswith(error)


@pytest.mark.parametrize(("options", "passed"), [({}, 300), ({"interval": 5, "cap": 7}, 7)])
def test_a_purchase_is_followed_as_the_caller_wants_it_to(caller, options, passed):
    caller.portal.polled = [PENDING] * 200
    with pytest.raises(BillingPurchaseUncertain):
        caller.do(lambda client: follow(client, store=accepted(), **options))
    assert caller.clock.passed == pytest.approx(passed)
    polls = [path for _, path, _ in caller.sent if path.endswith("ch_1")]
    assert len(polls) == ceil(passed / options.get("interval", 2)) + 1


def test_going_on_with_a_store_is_stopped_as_the_caller_wants_it_to(caller):
    caller.portal.polled = [PENDING] * 200
    (outcome,) = caller.do(
        lambda client: client.resume_purchases(accepted(), cancelled=lambda: caller.clock.passed >= 1)
    )
    assert (outcome.charge_id, caller.clock.passed) == ("ch_1", pytest.approx(1, abs=0.25))


@pytest.mark.parametrize("confirmed", ["org_1", "org_2"])
def test_a_purchase_is_for_the_organisation_that_the_caller_names(caller, confirmed):
    def buy(client):
        return client.buy_credits("50", idempotency_key=KEY, organisation_id=confirmed)

    if confirmed == "org_1":
        assert caller.do(buy).organisation_id == "org_1"
        return
    with pytest.raises(BillingInvalidRequest) as caught:
        caller.do(buy)
    assert (caught.value.error, caller.portal.posts) == ("wrong_organisation", [])


def test_the_purchases_of_an_organisation_are_gone_on_with_where_the_caller_names_it(caller):
    assert caller.do(lambda client: client.resume_purchases(Shelf(SENDING), organisation_id="org_2")) == []


# What an AsyncBillingClient awaits


class AsyncShelf:
    """A store whose methods are awaited, in the event loop."""

    def __init__(self, *purchases: Any, raises: BaseException | None = None) -> None:
        self.shelf, self.raises = Shelf(*purchases), raises

    async def load(self, key: str | None = None) -> list[Any]:
        await asyncio.sleep(0)
        if self.raises is not None:
            raise self.raises
        return self.shelf.load(key)

    async def save(self, purchase: Any) -> bool:
        await asyncio.sleep(0)
        return self.shelf.save(purchase)


def test_a_task_awaits_its_store_and_all_functions_of_the_caller():
    caller, store, seen = Caller("async"), AsyncShelf(), []
    caller.portal.posted, caller.portal.polled = [UNSCOPED], [PENDING] * 2

    async def on_progress(progress):
        await asyncio.sleep(0)
        seen.append(progress.status)

    async def false():
        await asyncio.sleep(0)
        return False

    purchase = caller.do(
        lambda client: client.buy_credits(
            "50",
            idempotency_key=KEY,
            store=store,
            on_progress=on_progress,
            cancelled=false,
            step_up=caller.answers(True),
        )
    )
    assert purchase == store.shelf.kept[KEY]
    assert seen == ["sending", "not_made", "sending", "pending", "pending", "pending", "settled"]
    assert caller.do(lambda client: client.resume_purchases(store)) == []
    assert caller.do(lambda client: client.wait_for_charge("ch_1", on_poll=on_progress, cancelled=false)).status
    assert seen[-1] == "settled"


@pytest.mark.parametrize("name", ["cancelled", "on_progress", "step_up"])
@pytest.mark.parametrize("raised", [ZeroDivisionError(), BillingRoleRequired("mine", status=403)], ids=["own", "typed"])
def test_what_an_awaited_function_of_the_caller_raises_comes_through(name, raised):
    async def fails(*_):
        await asyncio.sleep(0)
        raise raised

    caller = Caller("async")
    caller.portal.posted = [UNSCOPED]
    with pytest.raises(type(raised)) as caught:
        caller.do(lambda client: client.buy_credits("50", idempotency_key=KEY, store=AsyncShelf(), **{name: fails}))
    assert caught.value is raised


# A store may wait for something that is cancelled, such as another task that connects. The call itself is not then.
@pytest.mark.parametrize("kind", [RuntimeError, asyncio.CancelledError])
def test_what_an_awaited_store_raises_is_typed_and_says_no_more_than_its_kind(kind):
    def resume(client):
        return client.resume_purchases(AsyncShelf(raises=kind("postgres://jo:password@db")))

    (unread,) = Caller("async").do(resume)
    assert str(unread) == f"The purchase could not be read: {kind.__name__}. Nothing was sent."


def test_a_store_that_ends_with_its_event_loop_has_not_failed():
    class Waiting:
        async def load(self, key=None):
            await asyncio.sleep(60)

        async def save(self, purchase):
            raise NotImplementedError

    async def end():
        client = AsyncBillingClient(StaticToken("t"), base_url=PREVIEW)
        resuming = asyncio.create_task(client.resume_purchases(Waiting()))
        while len(asyncio.all_tasks()) < 3:
            await asyncio.sleep(0.005)
        # As asyncio.run does at its end, of the task in which the store waits.
        (working,) = asyncio.all_tasks() - {asyncio.current_task(), resuming}
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await resuming

    asyncio.run(end())


def test_a_client_that_awaits_nothing_refuses_by_name_what_must_be_awaited():
    async def answer(*_):
        return False

    buys = {
        "cancelled": {"cancelled": answer},
        "on_progress": {"on_progress": answer},
        "step_up": {"step_up": answer},
        "store": {"store": AsyncShelf()},
    }
    for name, arguments in buys.items():
        caller = Caller("sync")
        caller.portal.posted = [UNSCOPED]
        with pytest.raises(BillingInvalidRequest) as caught:
            caller.do(lambda client, given=arguments: client.buy_credits("50", idempotency_key=KEY, **given))
        assert (caught.value.error, caller.portal.charges) == (f"invalid_{name}", {})
    for name in ("cancelled", "on_poll"):
        with pytest.raises(BillingInvalidRequest) as caught:
            Caller("sync").do(lambda client, name=name: client.wait_for_charge("ch_1", **{name: answer}))
        assert caught.value.error == f"invalid_{name}"
