"""A machine that sleeps in the middle of a purchase, and a clock that jumps."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import nous_billing as nb
from nous_billing import StoredLogin
from nous_billing.mock import Fault
from nous_billing.transport.http1 import InFlightRequest
from tests.auth.support import PortalClock, refreshes
from tests.sockets.harness import AwaitedMovedClock, MovedClock
from tests.sockets.shop import Shop

HOUR = 3600.0
DAY = 86400.0


class _Waking:
    """Beside a clock: `sleep` may last an hour, or leave the date wrong. What is to come is in `naps`, in order."""

    # Seconds by which all clocks jump, and by which the date alone does.
    naps: list[tuple[float, float]]
    wrong = 0.0

    def time(self):
        return super().time() + self.wrong

    def note(self):
        if self.naps:
            slept, wrong = self.naps.pop(0)
            self.wrong += wrong
            self.advance(slept)


class WakingClock(_Waking, MovedClock):
    def sleep(self, seconds):
        super().sleep(seconds)
        self.note()


class AwaitedWakingClock(_Waking, AwaitedMovedClock):
    async def sleep(self, seconds):
        await super().sleep(seconds)
        self.note()


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    shop = Shop(client_kind, mock_portal, tmp_path)
    shop.clock = (AwaitedWakingClock if client_kind.is_async else WakingClock)(mock_portal.clock)
    shop.clock.naps = []
    return shop


@pytest.fixture
def login(shop, mock_portal, tmp_path):
    class SameDate(PortalClock):
        def time(self):
            return super().time() + shop.clock.wrong

    login = StoredLogin(tmp_path / "login.json", portal_base_url=mock_portal.url, clock=SameDate(mock_portal))
    login.login(lambda code: mock_portal.approve_device(code.user_code))
    yield login
    login.close()


def test_a_laptop_that_sleeps_an_hour_while_waiting_finds_the_purchase_paid(shop, login):
    first = json.loads(login.path.read_bytes())["portals"][shop.portal.url]["access_token"]
    shop.clock.naps = [(HOUR, 0)]
    purchase = shop.press(shop.client(login))
    shop.assert_paid(purchase)
    shop.assert_one_charge(posts=1)
    # The token had run out meanwhile, was renewed once, and was seen to be for the same organisation.
    assert len(refreshes(shop.portal)) == 1
    last = json.loads(login.path.read_bytes())["portals"][shop.portal.url]["access_token"]
    asked = [request for request in shop.portal.requests if last in request.headers.get("authorization", "")]
    assert last != first
    assert [request.operation for request in asked] == ["get_billing_state", "get_charge_status"]
    assert {request.status for request in asked} == {200}


def test_a_laptop_that_sleeps_longer_than_the_cap_still_asks_once(shop, login):
    shop.portal.settle_after = 2 * HOUR
    shop.clock.naps = [(HOUR, 0)]
    error = shop.press(shop.client(login), cap=60)
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingChargeTimeout)
    assert "accepted as charge" in str(error)
    assert shop.heard.count("pending") == 3
    shop.clock.advance(2 * HOUR)
    (purchase,) = shop.client(login).resume_purchases(shop.folder)
    shop.assert_paid(purchase)
    shop.assert_one_charge(posts=1)


@pytest.mark.parametrize(
    "nap", [(HOUR, 0), (0, HOUR)], ids=["all clocks go on", "the monotonic clock stands still meanwhile"]
)
def test_a_laptop_that_sleeps_between_two_posts_does_not_charge_when_it_wakes(nap, shop, login):
    shop.portal.inject(Fault.drop(), "post_charge")
    shop.clock.naps = [nap]
    error = shop.press(shop.client(login))
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingNetworkError)
    assert shop.ledger() == []
    shop.assert_posts(1)
    # A person who presses again gets what was confirmed, once.
    shop.assert_paid(shop.press(shop.client(login)))
    shop.assert_one_charge(posts=2)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_a_date_that_jumps_while_waiting_changes_nothing(jump, shop, login):
    shop.clock.naps = [(0, jump)]
    begun = datetime.now(UTC)
    purchase = shop.press(shop.client(login))
    shop.assert_paid(purchase)
    shop.assert_one_charge(posts=1)
    assert abs(purchase.started_at - begun) < timedelta(minutes=1)


def test_a_date_that_jumps_back_between_two_posts_changes_nothing(shop, login):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    shop.clock.naps = [(0, -DAY)]
    shop.assert_paid(shop.press(shop.client(login)))
    shop.assert_one_charge(posts=2)


def test_a_date_that_jumps_a_day_forward_and_back_sends_nothing_in_between_and_loses_nothing(shop, login):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    shop.clock.naps = [(0, DAY + 60)]
    client = shop.client(login)
    for _ in range(2):
        error = shop.press(client)
        assert type(error) is nb.BillingPurchaseUncertain
        # A key that old may be unknown to the portal: a person has to look.
        assert "Look at the billing page before you buy anything again" in str(error)
        assert "the same key: that charges at most once" not in str(error)
    assert error.last_error.error == "purchase_too_old"
    shop.assert_posts(1)
    shop.clock.wrong = 0
    shop.assert_paid(shop.press(client))
    shop.assert_one_charge(posts=2)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_a_charge_that_was_accepted_is_found_whatever_the_date_is_in_the_next_program(jump, shop, login):
    shop.portal.settle_after = 30
    error = shop.press(shop.client(login), cap=4)
    assert error.charge_id is not None
    shop.clock.advance(30)
    shop.clock.wrong = jump
    (purchase,) = shop.client(login).resume_purchases(shop.folder)
    shop.assert_paid(purchase)
    shop.assert_one_charge(posts=1)


def test_a_machine_that_sleeps_while_it_connects_sends_no_charge_when_it_wakes(shop, mock_portal, monkeypatch):
    serialize = InFlightRequest.serialize

    def sleep_before_the_first_byte(request, connection):
        data = serialize(request, connection)
        if data.reveal().startswith(b"POST"):
            # The monotonic clock stands still meanwhile.
            shop.clock.wrong = HOUR
        return data

    monkeypatch.setattr(InFlightRequest, "serialize", sleep_before_the_first_byte)
    error = shop.press(shop.client(nb.StaticToken(mock_portal.issue_token())))
    assert (type(error), error.outcome_unknown, error.error) == (nb.BillingTimeout, False, "network_error")
    assert (shop.kept().status, mock_portal.organisation.charges) == ("not_made", [])
    assert "post_charge" not in [request.operation for request in mock_portal.requests]
