"""Where a client with no credentials looks, and what it closes."""

import asyncio
import os
import ssl
import sys
import threading
import traceback
from types import ModuleType

import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingError,
    BillingInvalidRequest,
    StoredLogin,
)
from nous_billing.auth import in_event_loop as beside_loop
from nous_billing.auth import login_places as login_module
from nous_billing.auth import stored_login, tokens
from nous_billing.auth.default_login import DefaultLogin
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


@pytest.mark.parametrize("client", [BillingClient, AsyncBillingClient])
def test_the_login_that_a_client_found_renews_itself_over_the_network_of_the_client(client, monkeypatch):
    monkeypatch.setattr(stored_login, "StoredLogin", dict)
    network = {"ssl_context": ssl.create_default_context(), "proxy": "http://127.0.0.1:9"}
    assert client(**network)._default_login._stored == network


def test_once_a_program_has_loaded_hermes_no_other_login_counts(house, monkeypatch):
    monkeypatch.setattr(login_module, "_default_path", lambda: house.path)
    login = DefaultLogin()
    before = login.fingerprint()
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", ModuleType("hermes_cli.auth"))
    after = login.fingerprint()
    house.put()
    assert before != after == login.fingerprint()


def test_a_login_is_closed_at_the_end_of_its_block(house, monkeypatch):
    closed = []
    with monkeypatch.context() as changed:
        changed.setattr(StoredLogin, "close", lambda self: closed.append(self))
        with house.source() as source:
            assert not closed
    assert closed == [source]


def test_a_client_closes_the_login_that_it_made(house, monkeypatch):
    # By this machine's clock, both renewals are at the same time.
    monkeypatch.setattr(tokens, "_FORCED_EVERY_SECONDS", 0.0)
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


@pytest.mark.parametrize("kind", [BillingClient, AsyncBillingClient])
def test_the_token_of_the_environment_comes_before_every_login_and_is_read_again_when_it_changes(
    house, monkeypatch, kind
):
    house.put(left=0)
    monkeypatch.setattr(login_module, "_default_path", lambda: house.path)
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", house.url)
    tokens = [house.portal.issue_token() for _ in range(2)]

    async def call_thrice():
        client = kind()
        for token in [*tokens, " "]:
            monkeypatch.setenv("NOUS_TOKEN", f" {token}\n")
            state = client.get_billing_state()
            assert (await state if kind is AsyncBillingClient else state).org.name == "Acme"
        await client.aclose() if kind is AsyncBillingClient else client.close()

    asyncio.run(call_thrice())
    sent = [request.headers["authorization"] for request in asked(house.portal, "get_billing_state")]
    assert sent[:2] == [f"Bearer {token}" for token in tokens]
    # A blank one is none: the login in the file is asked, and renewed.
    assert len(house.refreshes()) == 1


def test_a_refused_token_of_the_environment_is_not_replaced_by_a_login_that_nobody_named(house, monkeypatch):
    house.put()
    monkeypatch.setattr(login_module, "_default_path", lambda: house.path)
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", house.url)
    unusable = "NOUS_TOKEN has characters that a token cannot have. Set it to the token alone, or unset it."
    for token, requests, said in (("nobody-issued-this", 1, ""), ("Bearer its-token", 0, unusable)):
        monkeypatch.setenv("NOUS_TOKEN", token)
        with BillingClient() as client, pytest.raises(BillingAuthError) as caught:
            client.get_billing_state()
        assert (caught.value.error, token in str(caught.value)) == ("invalid_token", False)
        assert said in ("", str(caught.value))
        ours = [
            frame
            for frame, _ in traceback.walk_tb(caught.value.__traceback__)
            if "nous_billing" in frame.f_code.co_filename
        ]
        shown = repr([frame.f_locals for frame in ours])
        assert (len(ours) > 2, token in shown) == (True, False)
        assert len(asked(house.portal, "get_billing_state")) == requests
        house.portal.requests.clear()


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


@pytest.mark.parametrize("method", ["alogin", "astep_up"])
def test_functions_of_the_caller_are_awaited_beside_a_loop(house, method):
    house.put(scope="inference:invoke")
    asked_to_stop = []

    async def show(code):
        await asyncio.sleep(0)
        house.portal.approve_device(code.user_code)

    async def cancelled():
        asked_to_stop.append(await asyncio.sleep(0, asyncio.get_running_loop()))
        return False

    async def run(**more):
        await getattr(house.source(portal_base_url=house.url), method)(show, **more)

    asyncio.run(run(cancelled=cancelled))
    assert asked_to_stop

    async def stop():
        return True

    with pytest.raises(BillingAuthError) as caught:
        asyncio.run(run(cancelled=stop))
    assert caught.value.error == "login_cancelled"


@pytest.mark.parametrize("name", ["on_code", "cancelled"])
@pytest.mark.parametrize("method", ["login", "step_up"])
def test_a_login_that_cannot_await_them_refuses_them_by_name(house, method, name):
    house.put(scope="inference:invoke")

    async def answer(*_):
        return False

    functions = {"on_code": lambda code: house.portal.approve_device(code.user_code), name: answer}
    on_code = functions.pop("on_code")
    with pytest.raises(
        BillingInvalidRequest, match=f"^{name} returned an awaitable, .* Use alogin or astep_up"
    ) as caught:
        getattr(house.source(portal_base_url=house.url), method)(on_code, **functions)
    assert caught.value.error == f"invalid_{name}"


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
