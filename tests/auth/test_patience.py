"""A call does not wait for a slow portal, or for somebody else's lock, while the token at hand is good."""

import threading
import time

import pytest

from nous_billing import BillingClient
from nous_billing.auth import oauth
from nous_billing.auth import stored_login as login_module
from nous_billing.mock import Fault

from .support import state_status


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(login_module, "_ADVISORY_WAIT_SECONDS", 0.05)


def test_a_stalling_token_endpoint_fails_no_call_whose_token_is_good(house, monkeypatch):
    monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 2)
    login = house.put(left=100)
    house.portal.inject(Fault.stall(), "oauth_token")
    with BillingClient(house.source()) as client:
        client.get_billing_state(timeout=1)
    assert house.entry()["refresh_token"] == login.refresh_token


def test_the_renewal_goes_on_and_its_token_is_used_by_the_next_call(house):
    login = house.put(left=100)
    house.portal.inject(Fault.drip(delay=0.002, part="body"), "oauth_token")
    source = house.source()
    given = []
    # At the end of a program daemons are cut off; a renewal must not be, whoever asked for it.
    asking = threading.Thread(target=lambda: given.append(source.resolve().access_token), daemon=True)
    asking.start()
    asking.join()
    assert given == [login.access_token]
    (renewing,) = [thread for thread in threading.enumerate() if thread.name == "nous-billing-refresh"]
    assert not renewing.daemon
    renewing.join()
    token = source.resolve().access_token
    assert token == house.entry()["access_token"] != login.access_token
    assert state_status(house.portal, token) == 200


def test_an_expired_token_is_waited_for(house):
    login = house.put(left=0)
    house.portal.inject(Fault.drip(delay=0.002, part="body"), "oauth_token")
    started = time.monotonic()
    assert house.source().resolve().access_token != login.access_token
    assert time.monotonic() - started > 0.05


def test_a_token_that_was_refused_is_not_good_and_its_successor_is_waited_for(house):
    login = house.put(left=800)
    house.portal.inject(Fault.drip(delay=0.002, part="body"), "oauth_token")
    token = house.source().resolve(rejected=login.access_token).access_token
    assert token == house.entry()["access_token"] != login.access_token
