"""A refresh that has begun ends and is saved, whatever becomes of who waits for it."""

import asyncio
import signal
import threading
import time

import pytest

from nous_billing import AsyncBillingClient, BillingClient, BillingTimeout
from nous_billing.mock import Fault
from tests.auth.support import end_worker, start_worker, state_status, until

# The reply to a refresh takes more than half a second: some 600 bytes, one at a time.
SLOW = Fault.drip(0.001, acts=True)


@pytest.fixture
def slow(house):
    """An expired login, and a portal that rotates at once and answers slowly."""
    login = house.put(left=0)
    house.portal.inject(SLOW, "oauth_token")
    return login


def assert_rotated_pair_is_saved(house, login):
    until(lambda: house.entry()["refresh_token"] != login.refresh_token, seconds=3)
    assert house.refreshes() == [login.refresh_token]
    entry = house.entry()
    assert house.portal.oauth._refresh_tokens[login.refresh_token].successor.refresh_token == entry["refresh_token"]
    assert state_status(house.portal, entry["access_token"]) == 200


class Ticking:
    """Notes how long the event loop was not free."""

    async def __aenter__(self):
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())
        return self

    async def _tick(self):
        before = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            self.longest = max(self.longest, now - before)
            before = now

    async def __aexit__(self, *_):
        self._task.cancel()


async def begun(house):
    async with asyncio.timeout(10):
        while not house.refreshes():
            await asyncio.sleep(0.002)


def test_a_cancelled_task_leaves_the_rotated_pair_in_the_file(house, slow):
    async def run():
        async with AsyncBillingClient(house.source()) as client:
            task = asyncio.create_task(client.get_billing_state())
            await begun(house)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert house.entry()["refresh_token"] == slow.refresh_token

    asyncio.run(run())
    assert_rotated_pair_is_saved(house, slow)


def test_the_next_task_waits_for_the_refresh_that_a_cancelled_one_began(house, slow):
    async def run():
        async with AsyncBillingClient(house.source()) as client:
            task = asyncio.create_task(client.get_billing_state())
            await begun(house)
            task.cancel()
            return await client.get_billing_state()

    assert asyncio.run(run()).org.name == "Acme"
    assert_rotated_pair_is_saved(house, slow)


def test_a_timeout_around_a_task_leaves_the_rotated_pair_in_the_file(house, slow):
    async def run():
        client = AsyncBillingClient(house.source())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get_billing_state()
        await client.aclose()

    asyncio.run(run())
    assert_rotated_pair_is_saved(house, slow)


def test_the_deadline_of_an_async_call_ends_the_wait_and_not_the_refresh(house, slow):
    async def run():
        async with AsyncBillingClient(house.source()) as client:
            started = time.monotonic()
            with pytest.raises(BillingTimeout):
                await client.get_billing_state(timeout=0.2)
            assert 0.15 < time.monotonic() - started < 0.9

    asyncio.run(run())
    assert_rotated_pair_is_saved(house, slow)


def test_the_deadline_of_a_call_ends_the_wait_and_not_the_refresh(house, slow):
    with BillingClient(house.source()) as client:
        started = time.monotonic()
        with pytest.raises(BillingTimeout) as caught:
            client.get_billing_state(timeout=0.2)
        assert 0.15 < time.monotonic() - started < 0.9
        assert client.get_billing_state().org.name == "Acme"
    assert not caught.value.outcome_unknown
    assert_rotated_pair_is_saved(house, slow)


def test_a_charge_whose_deadline_passes_during_the_refresh_was_not_sent(house, slow):
    with BillingClient(house.source()) as client, pytest.raises(BillingTimeout) as caught:
        client.post_charge(amount_usd=20, idempotency_key="k", timeout=0.2)
    assert not caught.value.outcome_unknown
    assert_rotated_pair_is_saved(house, slow)
    assert house.portal.organisation.charges == []


def test_the_event_loop_is_free_during_a_refresh(house, slow):
    async def run():
        async with AsyncBillingClient(house.source()) as client, Ticking() as ticking:
            started = time.monotonic()
            await client.get_billing_state()
            return time.monotonic() - started, ticking.longest

    taken, longest = asyncio.run(run())
    assert taken > 0.5
    assert longest < 0.25
    assert_rotated_pair_is_saved(house, slow)


def test_the_event_loop_is_free_while_another_process_holds_the_lock(house):
    login = house.put(left=0)
    worker = start_worker("hold", house.path)

    async def run():
        async with AsyncBillingClient(house.source()) as client, Ticking() as ticking:
            call = asyncio.create_task(client.get_billing_state())
            await asyncio.sleep(0.4)
            assert not call.done()
            worker.stdin.close()
            await call
            return ticking.longest

    try:
        assert worker.stdout.readline() == "held\n"
        longest = asyncio.run(run())
    finally:
        worker.stdin = None
        end_worker(worker)
    assert longest < 0.25
    assert house.refreshes() == [login.refresh_token]


def test_the_event_loop_is_free_during_a_device_login(house):
    house.portal.inject(Fault.drip(0.001, acts=True), "oauth_device_code")

    async def run():
        async with Ticking() as ticking:
            await house.source(portal_base_url=house.url).alogin(
                lambda code: house.portal.approve_device(code.user_code)
            )
            return ticking.longest

    assert asyncio.run(run()) < 0.25


@pytest.mark.parametrize("what", ["client", "source"])
def test_closing_ends_no_refresh(house, slow, what):
    source = house.source()
    client = BillingClient(source)
    failed = []

    def call():
        try:
            client.get_billing_state()
        except Exception as error:  # noqa: BLE001 - that the call may fail is not what is tested
            failed.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    until(house.refreshes)
    client.close() if what == "client" else source.close()
    thread.join()
    client.close()
    assert_rotated_pair_is_saved(house, slow)


@pytest.fixture
def interrupted(house):
    """A process of its own, interrupted while the portal answers its refresh slowly."""
    login = house.put_expired()
    workers = []

    def interrupt(kind, times=1):
        house.portal.inject(SLOW, "oauth_token")
        worker = start_worker("ask", kind, house.path)
        workers.append(worker)
        until(house.refreshes, seconds=20)
        for _ in range(times):
            worker.send_signal(signal.SIGINT)
            time.sleep(0.1)
        output, errors = worker.communicate(timeout=20)
        assert worker.returncode == -signal.SIGINT
        assert output == ""
        assert "KeyboardInterrupt" in errors
        return login

    yield interrupt
    for worker in workers:
        end_worker(worker)


@pytest.mark.parametrize("kind", ["resolve", "client", "async"])
def test_ctrl_c_ends_the_program_after_the_rotated_pair_is_in_the_file(house, interrupted, kind):
    login = interrupted(kind)
    assert house.entry()["refresh_token"] != login.refresh_token
    assert_rotated_pair_is_saved(house, login)
    assert house.files() == ["login.json", "login.json.lock"]


def test_an_impatient_second_ctrl_c_leaves_a_whole_file_and_a_login_that_lives(house, interrupted):
    interrupted("client", times=2)
    assert "refresh_token" in house.entry()
    assert (
        state_status(house.portal, house.source().resolve(rejected=house.entry()["access_token"]).access_token) == 200
    )
