"""Where a client with no credentials looks, and what it closes."""

import asyncio
import os
import threading

import pytest

from nous_billing import AsyncBillingClient, BillingAuthError, BillingClient, BillingError, StoredLogin
from nous_billing.auth import in_event_loop as beside_loop
from nous_billing.auth import stored_login as login_module
from tests.auth.support import asked, until


def test_a_client_can_be_made_where_there_is_no_home_folder(monkeypatch):
    def homeless(*arguments, **more):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(login_module, "_default_path", homeless)
    with BillingClient() as client, pytest.raises(BillingError):
        client.get_billing_state()
    with pytest.raises(BillingError) as caught:
        StoredLogin()
    assert caught.value.error == "invalid_path"
    assert str(caught.value) == (
        "The login file cannot be used: could not determine the home directory. Give a path that can be written."
    )


def test_a_client_closes_the_login_that_it_made(house, monkeypatch):
    house.put(left=0)
    monkeypatch.setattr(login_module, "_default_path", lambda: house.path)
    with BillingClient() as client:
        client.get_billing_state()
        client.get_billing_state()
    assert len(house.refreshes()) == 1

    async def run():
        house.portal.clock.advance(900)
        async with AsyncBillingClient() as client:
            await client.get_billing_state()

    asyncio.run(run())
    assert len(house.refreshes()) <= 2


def test_a_login_that_was_cancelled_shows_no_code_afterwards(house):
    shown = []

    async def run():
        source = house.source(portal_base_url=house.url)
        task = asyncio.create_task(source.alogin(shown.append))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for thread in threading.enumerate():
            if thread.name == "nous-billing-login":
                await asyncio.to_thread(thread.join)

    asyncio.run(run())
    assert shown == []


def test_a_login_beside_a_loop_is_not_cut_off_by_the_end_of_a_program_whoever_asked_for_it(house):
    seen = []

    def show(code):
        seen.extend(thread for thread in threading.enumerate() if thread.name == "nous-billing-login")
        house.portal.approve_device(code.user_code)

    source = house.source(portal_base_url=house.url)
    asking = threading.Thread(target=lambda: asyncio.run(source.alogin(show)), daemon=True)
    asking.start()
    asking.join()
    assert [thread.daemon for thread in seen] == [False]
    assert source.is_logged_in


def test_a_loop_that_does_not_answer_holds_no_login(house, monkeypatch):
    monkeypatch.setattr(beside_loop, "_SHOW_SECONDS", 0)

    async def run():
        source = house.source(portal_base_url=house.url)
        login = asyncio.create_task(source.alogin(lambda code: house.portal.approve_device(code.user_code)))
        await asyncio.sleep(0)
        # The loop stands still until the login has gone on to poll.
        until(lambda: asked(house.portal, "oauth_token"))
        return await login

    assert "billing:manage" in asyncio.run(run())


def test_a_code_that_comes_as_the_login_is_cancelled_is_not_shown(house, monkeypatch):
    monkeypatch.setattr(beside_loop, "_SHOW_SECONDS", 0)
    shown = []

    async def run():
        login = asyncio.create_task(house.source(portal_base_url=house.url).alogin(shown.append))
        await asyncio.sleep(0)
        until(lambda: asked(house.portal, "oauth_token"))
        login.cancel()
        with pytest.raises(asyncio.CancelledError):
            await login

    asyncio.run(run())
    assert shown == []


def test_a_step_up_on_a_token_that_is_no_text_is_no_login(house):
    house.write({house.url: {"access_token": 5}})
    with pytest.raises(BillingAuthError) as caught:
        house.source().step_up(lambda code: None)
    assert str(caught.value) == "Not logged in to the Nous Portal. Log in first."
    assert (caught.value.status, caught.value.error) == (401, "invalid_token")
