"""A purchase that is stopped dead after any of its steps, or interrupted in it, and gone on with in the next life."""

import asyncio
from typing import Any

import httpx
import pytest

from nous_billing import AsyncBillingClient, BillingClient, StaticToken
from nous_billing.errors import BillingError, BillingPurchaseInterrupted, BillingPurchaseUncertain
from nous_billing.protocol.exchange import Send
from nous_billing.purchases.directory import PurchaseDirectory
from tests.unit.drive import PREVIEW, FakeClock, reply
from tests.unit.shop import DECLINED, DROPPED, KEY, LOST, PENDING, REJECTED, UNSCOPED, UNSENT, Shelf, Shop, advance

SCENES: dict[str, Any] = {
    "accepted": ([], [PENDING]),
    "made, reply lost": ([LOST], [PENDING]),
    "dropped": ([DROPPED, reply(500)], []),
    "unsent": ([UNSENT], []),
    "declined": ([], [DECLINED] * 9),
    "step-up": ([UNSCOPED], [PENDING]),
}
EACH_SCENE = pytest.mark.parametrize("scene", SCENES)


def set_up(shop: Shop, scene: str) -> None:
    posted, polled = SCENES[scene]
    shop.portal.posted, shop.portal.polled = list(posted), list(polled)


def die_after(shop: Shop, steps: int, *, done: bool) -> bool:
    """Run a call for so many steps, the last of them done or not, and drop it; False where it ended before."""
    flow = shop.buying(step_up=lambda: True).buy()
    try:
        step = next(flow)
        for _ in range(steps):
            step = advance(flow, shop.answer(step))
        if done:
            shop.answer(step)
    except (StopIteration, BillingError):
        return False
    flow.close()
    return True


def check_next_life(shop: Shop, scene: str) -> None:
    resumed = shop.resume()
    assert resumed.caught is None
    before = len(shop.portal.posts)
    for outcome in resumed.result:
        assert (outcome.charge_id is not None) is (outcome.error is None if isinstance(outcome, BillingError) else True)
    assert len(shop.portal.posts) == before
    played = shop.buy(step_up=lambda: True)
    assert played.caught is None
    assert played.result.status == ("failed" if scene == "declined" else "settled")
    assert shop.store.load(KEY) == [played.result]
    assert (len(shop.portal.charges), played.result.charge_id) == (1, "ch_1")
    assert list(shop.store.load()) == []


@EACH_SCENE
@pytest.mark.parametrize("done", [True, False], ids=["in-the-step", "before-the-step"])
def test_a_purchase_that_dies_at_any_step_is_charged_once_and_found_in_its_next_life(scene, done):
    steps, alive = 0, True
    while alive:
        shop = Shop(FakeClock())
        set_up(shop, scene)
        alive = die_after(shop, steps, done=done)
        check_next_life(shop, scene)
        steps += 1
    assert steps > 8


@pytest.mark.parametrize("scene", ["made, reply lost", "step-up"])
def test_a_purchase_that_dies_at_any_step_of_two_lives_is_charged_once_and_found_in_the_third(scene):
    lives, first = 0, 0
    while True:
        second, alive = 0, True
        while alive:
            shop = Shop(FakeClock())
            set_up(shop, scene)
            if not die_after(shop, first, done=True):
                break
            alive = die_after(shop, second, done=True)
            check_next_life(shop, scene)
            second += 1
            lives += 1
        if not second:
            break
        first += 1
    assert lives > 30


@pytest.mark.parametrize("scene", ["made, reply lost"])
def test_a_purchase_that_dies_in_a_directory_is_charged_once_and_found_in_its_next_life(scene, tmp_path):
    steps, alive = 0, True
    while alive:
        shop = Shop(FakeClock(), PurchaseDirectory(tmp_path / str(steps)))
        set_up(shop, scene)
        alive = die_after(shop, steps, done=True)
        check_next_life(shop, scene)
        steps += 1
    assert steps > 8


# Interrupted in a client


class Interrupting:
    """Throws what interrupts at the n-th thing that a client does, before it is done or after."""

    def __init__(self, shop: Shop, at: int, *, done: bool) -> None:
        self.shop, self.at, self.done, self.count = shop, at, done, 0
        self.thrown: type[BaseException] = KeyboardInterrupt
        # What the portal had been asked for, and had answered for certain, when it came.
        self.posting = False

    def do(self, work: Any) -> Any:
        self.count += 1
        interrupts = self.count - 1 == self.at
        if interrupts and not self.done:
            raise self.thrown
        result = work()
        if interrupts:
            raise self.thrown
        return result

    def load(self, key: str | None = None) -> Any:
        return self.do(lambda: self.shop.store.load(key))

    def save(self, purchase: Any) -> Any:
        return self.do(lambda: self.shop.store.save(purchase))

    def handle(self, request: httpx.Request) -> httpx.Response:
        def answer():
            body = request.read()
            key, token = request.headers.get("idempotency-key", ""), request.headers["authorization"].split()[1]
            return self.shop.portal.answer(request.method, request.url.path, token, key, body)

        self.posting = request.method == "POST"
        answered = self.do(answer)
        self.posting = False
        if not hasattr(answered, "status"):
            raise (httpx.ReadError if answered.sent else httpx.ConnectError)("down", request=request)
        return httpx.Response(answered.status, headers=dict(answered.headers), content=answered.body)

    def monotonic(self) -> float:
        return self.shop.clock.monotonic()

    def time(self) -> float:
        return self.shop.clock.time()

    def sleep(self, seconds: float) -> None:
        self.do(lambda: self.shop.clock.sleep(seconds))

    def step_up(self) -> bool:
        return self.do(lambda: True)

    def buy(self) -> Any:
        http = httpx.Client(transport=httpx.MockTransport(self.handle))
        with http, BillingClient(StaticToken("token-1"), base_url=PREVIEW, http_client=http, clock=self) as client:
            return client.buy_credits("50", idempotency_key=KEY, store=self, step_up=self.step_up)


@EACH_SCENE
@pytest.mark.parametrize("done", [True, False], ids=["after-it-was-done", "before-it-was-done"])
def test_ctrl_c_says_that_a_charge_may_have_been_made_exactly_where_it_may(scene, done):
    kinds: list[Any] = []
    for at in range(100):
        shop = Shop(FakeClock())
        set_up(shop, scene)
        client = Interrupting(shop, at, done=done)
        try:
            client.buy()
        except KeyboardInterrupt as interrupt:
            caught = interrupt
        else:
            break
        kinds.append(type(caught))
        # A transport of the caller's own may have sent what it says it could not send.
        lost = any(outcome is not UNSCOPED for outcome in SCENES[scene][0]) and len(shop.portal.posts) > 0
        may_be_made = bool(shop.portal.charges) or client.posting or lost
        assert isinstance(caught, BillingPurchaseInterrupted) is may_be_made
        if may_be_made:
            assert type(caught) is BillingPurchaseInterrupted
            assert type(caught.__cause__) is KeyboardInterrupt
            known = caught.uncertain
            assert (type(known), known.key, known.last_error) == (BillingPurchaseUncertain, KEY, None)
            assert known.charge_id in (None, *(charge_id for charge_id, _ in shop.portal.charges.values()))
            assert known.charge_id or not shop.kept.charge_id
            assert str(caught) == str(known)
        check_next_life(shop, scene)
    assert KeyboardInterrupt in kinds
    assert BillingPurchaseInterrupted in kinds
    assert len(kinds) >= 7


@pytest.mark.parametrize("step", [5, 6], ids=["while it is saved", "in the wait"])
def test_ctrl_c_after_the_charge_was_accepted_names_it(step):
    shop = Shop(FakeClock())
    shop.portal.polled = [PENDING]
    client = Interrupting(shop, step, done=False)
    with pytest.raises(BillingPurchaseInterrupted, match="accepted as charge ch_1") as caught:
        client.buy()
    assert caught.value.uncertain.charge_id == "ch_1"


def test_ctrl_c_in_what_was_found_in_the_store_leaves_it_open():
    shop = Shop(FakeClock())
    shop.portal.posted = [DROPPED] * 4
    shop.buy()
    with pytest.raises(BillingPurchaseInterrupted):
        Interrupting(shop, 1, done=False).buy()


def test_ctrl_c_before_the_store_was_read_is_a_plain_one():
    with pytest.raises(KeyboardInterrupt) as caught:
        Interrupting(Shop(FakeClock()), 0, done=False).buy()
    assert type(caught.value) is KeyboardInterrupt


def test_ctrl_c_after_a_refusal_is_a_plain_one():
    shop = Shop(FakeClock())
    shop.portal.posted = [reply(403, {"error": "role_required"})]
    with pytest.raises(KeyboardInterrupt) as caught:
        Interrupting(shop, 4, done=False).buy()
    assert type(caught.value) is KeyboardInterrupt
    assert shop.kept.status == "sending"


def test_ctrl_c_as_a_new_token_is_looked_at_after_a_401_is_a_plain_one():
    shop = Shop(FakeClock())
    shop.portal.posted = [REJECTED]
    buying = shop.buying()
    flow = buying.buy()
    step = next(flow)
    while shop.token == "token-1" or not isinstance(step, Send):
        step = advance(flow, shop.answer(step))
    assert not step.operation.moves_money
    assert buying.interrupted() is None
    step = advance(flow, shop.answer(step))
    while not isinstance(step, Send):
        step = advance(flow, shop.answer(step))
    assert step.operation.moves_money
    assert type(buying.interrupted()) is BillingPurchaseInterrupted


@pytest.mark.parametrize("scene", ["accepted", "declined"])
def test_ctrl_c_after_a_purchase_has_ended_says_so_and_not_how(shop, scene):
    set_up(shop, scene)
    buying = shop.buying()
    assert shop.run(buying.buy()).result.has_ended
    assert str(buying.interrupted()).startswith(
        "The purchase of $50.00 for Acme has ended. To see it, continue this purchase with the same amount and the "
        "same key: that charges nothing. A new key could charge twice. (Key key-1"
    )


# The same purchase in a task


class AsyncClockOf:
    def __init__(self, client: Interrupting) -> None:
        self.monotonic, self.time, self._client = client.monotonic, client.time, client

    async def sleep(self, seconds: float) -> None:
        self._client.sleep(seconds)


async def buy_in_a_task(client: Interrupting) -> Any:
    async def step_up() -> bool:
        return client.step_up()

    async def handle(request: httpx.Request) -> httpx.Response:
        return client.handle(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    clock = AsyncClockOf(client)
    async with (
        http,
        AsyncBillingClient(StaticToken("token-1"), base_url=PREVIEW, http_client=http, clock=clock) as buyer,
    ):
        purchase = await buyer.buy_credits("50", idempotency_key=KEY, store=client, step_up=step_up)
        assert await buyer.resume_purchases(client) == []
        return purchase


@EACH_SCENE
def test_a_task_buys_by_the_same_rules(scene):
    shop = Shop(FakeClock())
    set_up(shop, scene)
    purchase = asyncio.run(buy_in_a_task(Interrupting(shop, 10_000, done=True)))
    assert purchase.status == ("failed" if scene == "declined" else "settled")
    assert (shop.kept, len(shop.portal.charges)) == (purchase, 1)


@EACH_SCENE
def test_a_task_that_is_cancelled_anywhere_is_charged_once_and_found_in_its_next_life(scene):
    cancelled = 0
    for at in range(100):
        shop = Shop(FakeClock())
        set_up(shop, scene)
        client = Interrupting(shop, at, done=True)
        client.thrown = asyncio.CancelledError
        try:
            asyncio.run(buy_in_a_task(client))
        except asyncio.CancelledError:
            cancelled += 1
            check_next_life(shop, scene)
        else:
            break
    assert cancelled > 6


def test_a_typed_error_of_the_store_is_thrown_into_the_purchase_in_a_task_too():
    shop = Shop(FakeClock(), Shelf())
    client = Interrupting(shop, 10_000, done=True)
    vars(client)["load"] = lambda key=None: 5
    with pytest.raises(BillingError, match="could not be read"):
        asyncio.run(buy_in_a_task(client))


def test_a_client_goes_on_with_all_that_can_be_watched():
    shop = Shop(FakeClock())
    client = Interrupting(shop, 10_000, done=True)
    http = httpx.Client(transport=httpx.MockTransport(client.handle))
    with http, BillingClient(StaticToken("token-1"), base_url=PREVIEW, http_client=http, clock=client) as buyer:
        assert buyer.resume_purchases(client) == []
