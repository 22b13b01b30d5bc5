"""Credential sources whose `resolve` is awaited: by the client that can, once at a time, and never cut in two."""

import asyncio
import gc

import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingInvalidRequest,
    BillingNetworkError,
    BillingTimeout,
    Credentials,
)


class Vault:
    """A source on the network."""

    def __init__(self, portal, seconds=0.0):
        self.portal, self.seconds = portal, seconds
        self.asked = []
        self.answered = 0
        self.printed = 1

    def fingerprint(self):
        return self.printed

    async def resolve(self, *, rejected=None):
        self.asked.append(rejected)
        await asyncio.sleep(self.seconds)
        self.answered += 1
        return Credentials(self.portal.issue_token(), self.portal.url)


class Promising(Vault):
    """It returns what can be awaited and is no coroutine."""

    def resolve(self, *, rejected=None):
        return _Promise(super().resolve(rejected=rejected))


class _Promise:
    def __init__(self, coroutine):
        self._coroutine = coroutine

    def __await__(self):
        return self._coroutine.__await__()

    def close(self):
        self._coroutine.close()


def last_token(portal):
    return portal.requests[-1].headers["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("kind", [Vault, Promising])
def test_it_is_asked_once_for_many_calls_and_again_after_a_401_or_a_change(mock_portal, kind):
    vault = kind(mock_portal, 0.05)

    async def run():
        async with AsyncBillingClient(vault) as client:
            await asyncio.gather(*(client.get_billing_state() for _ in range(20)))
            assert vault.asked == [None]
            refused = last_token(mock_portal)
            mock_portal.expire(refused)
            await client.get_billing_state()
            assert vault.asked == [None, refused]
            vault.printed = 2
            await client.get_billing_state()
            assert len(vault.asked) == 3

    asyncio.run(run())


def test_a_call_that_ends_leaves_a_renewal_that_has_begun_to_its_end(mock_portal):
    vault = Vault(mock_portal, 0.3)

    async def run():
        async with AsyncBillingClient(vault, timeout=0.1) as client:
            with pytest.raises(BillingTimeout):
                await client.get_billing_state()
            cancelled = asyncio.create_task(client.get_billing_state())
            await asyncio.sleep(0.05)
            cancelled.cancel()
            await asyncio.wait([cancelled])
            await asyncio.sleep(0.4)
            await client.get_billing_state()

    asyncio.run(run())
    assert (vault.asked, vault.answered) == ([None], 1)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(BillingNetworkError("later", error="network_error"), BillingNetworkError), (OSError("secret"), BillingAuthError)],
)
def test_what_it_raises_is_typed_as_for_any_other_source(mock_portal, raised, expected):
    class Failing(Vault):
        async def resolve(self, *, rejected=None):
            raise raised

    async def run():
        async with AsyncBillingClient(Failing(mock_portal)) as client:
            await client.get_billing_state()

    with pytest.raises(expected) as caught:
        asyncio.run(run())
    assert "secret" not in str(caught.value)


def test_a_client_outlives_an_event_loop_that_ended_in_the_middle_of_a_renewal(mock_portal):
    vault = Vault(mock_portal, 0.3)
    client = AsyncBillingClient(vault, timeout=5)

    async def give_up():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get_billing_state(), 0.1)

    asyncio.run(give_up())
    vault.seconds = 0

    async def call():
        await client.get_billing_state()
        await client.aclose()

    asyncio.run(call())
    assert vault.answered == 1


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "stopped"])
def test_a_client_outlives_an_event_loop_that_nobody_runs_any_more(is_closed, mock_portal):
    vault, loop = Vault(mock_portal, 60), asyncio.new_event_loop()
    # As its last act would be, at the end of the test: to tell of a task that never ended.
    loop.set_exception_handler(lambda *_: None)
    client = AsyncBillingClient(vault, timeout=5)
    with pytest.raises(BillingTimeout):
        loop.run_until_complete(client.get_billing_state(timeout=0.1))
    if is_closed:
        loop.close()
    vault.seconds = 0

    async def call():
        async with client:
            await client.get_billing_state()

    asyncio.run(call())
    assert vault.answered == 1
    if not is_closed:
        # Its own renewal was not cut in two: it would end there.
        (task,) = asyncio.all_tasks(loop)
        assert not task.cancelling()
        task.cancel()
        loop.run_until_complete(asyncio.wait({task}))
        loop.close()


def test_a_loop_that_is_closed_by_then_leaves_no_coroutine_behind(mock_portal):
    from nous_billing.transport.asking import AwaitedSource

    source = AwaitedSource(Vault(mock_portal))
    source.loop = asyncio.new_event_loop()
    source.loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        source.resolve()
    gc.collect()


def test_a_client_that_cannot_await_refuses_it_by_name_and_sends_nothing(mock_portal):
    with BillingClient(Vault(mock_portal)) as client:
        for call in (client.get_billing_state, lambda: client.buy_credits(50, idempotency_key="key-1")):
            with pytest.raises(BillingInvalidRequest, match="credentials returned an awaitable") as caught:
                call()
            assert caught.value.error == "invalid_credentials"
    assert mock_portal.requests == []
