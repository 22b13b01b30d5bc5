"""Profiles of Hermes, which it switches within a process: what shares a client has a token for each profile."""

import asyncio
import sys
import threading
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from nous_billing import AsyncBillingClient, BillingAuthError, BillingClient, BillingNetworkError
from nous_billing.mock import Fault

PROFILE = ContextVar("PROFILE", default="ada")


class AuthError(RuntimeError):
    relogin_required = False


class Hermes:
    """Both modules of Hermes that the SDK asks, over a login for each profile."""

    def __init__(self, portal, tmp_path):
        self.portal = portal
        self.tokens = {}
        self.renewals = 0
        self.failure = None
        self.auth, self.constants = ModuleType("hermes_cli.auth"), ModuleType("hermes_constants")
        self.constants.get_hermes_home = lambda: tmp_path / PROFILE.get()
        self.auth.AuthError = AuthError
        self.auth.get_provider_auth_state = self.state
        self.auth.resolve_nous_access_token = self.resolve
        for profile in ("ada", "bob"):
            self.tokens[profile] = portal.issue_token()

    def state(self, _provider):
        until = datetime.now(UTC) + timedelta(minutes=10)
        token = self.tokens[PROFILE.get()]
        return {"access_token": token, "portal_base_url": self.portal.url, "expires_at": until.isoformat()}

    def resolve(self, *, refresh_skew_seconds=120):
        if self.failure is not None:
            raise self.failure
        if refresh_skew_seconds > 120:
            self.renewals += 1
            self.tokens[PROFILE.get()] = self.portal.issue_token()
        return self.tokens[PROFILE.get()]

    def sent(self):
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.portal.requests]


@pytest.fixture
def hermes(mock_portal, tmp_path, monkeypatch):
    hermes = Hermes(mock_portal, tmp_path)
    monkeypatch.setitem(sys.modules, "hermes_cli", ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", hermes.auth)
    monkeypatch.setitem(sys.modules, "hermes_constants", hermes.constants)
    return hermes


def test_tasks_of_one_client_use_the_token_of_their_own_profile(hermes):
    async def poll(client, profile):
        PROFILE.set(profile)
        return [(await client.get_billing_state()).org.name for _ in range(5)]

    async def both():
        async with AsyncBillingClient() as client:
            await asyncio.gather(*(poll(client, profile) for profile in ("ada", "bob") * 3))

    asyncio.run(both())
    sent = hermes.sent()
    assert {token: sent.count(token) for token in hermes.tokens.values()} == dict.fromkeys(hermes.tokens.values(), 15)


def test_threads_of_one_client_use_the_token_of_their_own_profile(hermes):
    seen = {}

    def poll(client, profile):
        PROFILE.set(profile)
        for _ in range(5):
            client.get_billing_state()
        seen[profile] = hermes.tokens[profile]

    with BillingClient() as client:
        threads = [
            threading.Thread(target=copy_context().run, args=(poll, client, profile)) for profile in ("ada", "bob")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == hermes.tokens
    assert {token: hermes.sent().count(token) for token in seen.values()} == dict.fromkeys(seen.values(), 5)


def test_a_token_refused_before_its_time_is_renewed_once(hermes):
    old = hermes.tokens["ada"]
    hermes.portal.expire(old)
    with BillingClient() as client:
        client.get_billing_state()
        client.get_billing_state()
    assert hermes.renewals == 1
    assert hermes.sent() == [old, *[hermes.tokens["ada"]] * 2]


def test_a_portal_that_refuses_every_token_does_not_cost_a_renewal_at_each_call(hermes):
    hermes.portal.inject(Fault.reply(401, {"error": "invalid_token"}), "get_billing_state", times=20)
    with BillingClient() as client:
        for _ in range(5):
            with pytest.raises(BillingAuthError):
                client.get_billing_state()
    assert hermes.renewals == 1


def test_a_renewal_that_fails_for_the_moment_is_no_logout(hermes):
    hermes.failure = AuthError("503 from the token endpoint")
    with BillingClient() as client:
        assert client.get_billing_state().org.name == "Acme"
        hermes.portal.expire(hermes.tokens["ada"])
        with pytest.raises(BillingNetworkError, match="Try again shortly"):
            client.get_billing_state()
