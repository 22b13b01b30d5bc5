"""What both clients tell an observer, the log and OpenTelemetry; and headers and a name of the caller's own."""

import copy
import logging
import pickle
import subprocess
import sys
from collections import UserDict
from contextvars import copy_context
from dataclasses import fields
from decimal import Decimal
from functools import partial

import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingClient,
    BillingError,
    BillingPurchaseInterrupted,
    Credentials,
    StaticToken,
    StoredLogin,
)
from nous_billing._reporting import LOGGER, Listener, event_maker, if_broken, in_call, refreshing
from nous_billing.clock import SystemClock
from nous_billing.events import (
    CallEnded,
    ExchangeBegun,
    ExchangeEnded,
    LoginRefreshed,
    PurchaseEnded,
    PurchaseEvent,
    PurchaseUncertain,
)
from nous_billing.mock import Card, Fault
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Send
from nous_billing.transport.watching import Watched
from tests.registry import KEY

from .harness import charge, failure, poll, read
from .shop import Shop

NEVER_LOGGED = (ExchangeBegun, CallEnded)
UNCERTAIN = ("PurchaseUncertain", "purchase_uncertain")


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    return Shop(client_kind, mock_portal, tmp_path)


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, LOGGER.name)
    return caplog


class Stop(BaseException):
    """What ends a call as Ctrl-C does, also in an event loop."""


class Stops(list):
    """Keeps events, and raises at one that is logged for a request."""

    def __init__(self, event, path):
        self.at = (event, path)

    def __call__(self, event):
        self.append(event)
        if type(event) is self.at[0] and event.path.startswith(self.at[1]):
            raise Stop


def lose_reply(portal):
    portal.inject(Fault.drop(acts=True), "post_charge")


def of_money(events):
    return [event for event in events if isinstance(event, PurchaseEvent)]


def told(events):
    """What happened to money: each event's class, and what tells it from another of the class."""
    extra = ("attempt", "status", "error")
    return [(type(e).__name__, *(getattr(e, name) for name in extra if hasattr(e, name))) for e in of_money(events)]


# --- Events and records


def test_a_purchase_with_a_lost_reply_is_told_step_by_step(shop, log):
    events = []
    lose_reply(shop.portal)
    purchase = shop.press(shop.client(observer=events.append))
    assert purchase.status == "settled"
    assert told(events) == [
        ("PurchaseBegun",),
        ("PurchaseSent", 1),
        ("PurchaseSent", 2),
        ("PurchaseAccepted",),
        ("PurchaseEnded", "settled"),
    ]
    assert len({event.call for event in events}) == 1
    organisation = shop.portal.organisation.id
    assert {(e.what, e.key, e.amount_usd) for e in of_money(events)} == {("credits", KEY, Decimal("50.25"))}
    assert [e.organisation_id for e in of_money(events)] == [None, *[organisation] * 4]
    assert [e.charge_id for e in of_money(events)] == [None, None, None, *[purchase.charge_id] * 2]
    posts = [event for event in events if isinstance(event, ExchangeEnded) and event.method == "POST"]
    assert [(post.attempt, post.status, post.error, post.was_sent, post.connection) for post in posts] == [
        (1, None, "network_error", True, "new"),
        (2, 202, None, True, "new"),
    ]
    assert all(post.milliseconds > 0 for post in posts)
    polls = [e for e in events if isinstance(e, ExchangeEnded) and e.path.endswith(purchase.charge_id)]
    assert {(each.attempt, each.connection) for each in polls} == {(1, "kept")}
    begun = [event for event in events if type(event) is ExchangeBegun]
    assert [each.exchange for each in begun] == [e.exchange for e in events if isinstance(e, ExchangeEnded)]
    assert events[-1] == CallEnded(call=events[0].call)


def test_each_call_has_a_number_of_its_own(shop):
    events = []
    client = shop.client(observer=events.append)
    for call in (read, poll, read):
        call(client)
    assert len({event.call for event in events if type(event) is CallEnded} - {0}) == 3
    assert {event.call for event in events if type(event) is ExchangeEnded} == {event.call for event in events}


def test_each_record_is_made_of_an_event_and_has_its_fields(shop, log):
    events = []
    lose_reply(shop.portal)
    shop.press(shop.client(observer=events.append))
    records = [record for record in log.records if record.name == LOGGER.name]
    expected = [event for event in events if type(event) not in NEVER_LOGGED]
    for record, event in zip(records, expected, strict=True):
        assert record.levelname == ("INFO" if isinstance(event, PurchaseEvent) else "DEBUG")
        assert record.event_name == type(event).__name__
        for each in fields(event):
            value = getattr(event, each.name)
            assert getattr(record, each.name) == (str(value) if isinstance(value, Decimal) else value)
    assert "accepted as charge" in log.text
    assert "network_error after" in log.text


def test_what_the_portal_names_begins_no_line_of_its_own_in_the_log(shop, log):
    state = {"org": {"id": "org_1\nPurchase forged settled\x1b[31m"}}
    shop.portal.inject(Fault.reply(200, state), "get_billing_state")
    assert shop.press(shop.client()).status == "settled"
    assert "forged" in log.text
    assert not [line for record in log.records for line in record.getMessage().splitlines()[1:]]


REFUSED = Fault.reply(403, {"error": "role_required"}, {"x-request-id": "req_1"})
ENDS = [
    (REFUSED, [("PurchaseEnded", "refused")]),
    (Fault.html(502), [("PurchaseUncertain", "HTTP")]),
    (None, [("PurchaseAccepted",)]),
]


@pytest.mark.parametrize(("fault", "end"), ENDS, ids=["refused", "unknown", "accepted"])
def test_the_one_request_of_post_charge_is_told_too(fault, end, client_kind, mock_portal):
    events = []
    client = client_kind.client(
        StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, observer=events.append
    )
    if fault:
        mock_portal.inject(fault, "post_charge")
        error = failure(charge, client)
        last = end[-1] if end[-1][0] == "PurchaseEnded" else (end[-1][0], error.error)
    else:
        charge(client)
        last = end[-1]
    assert told(events) == [("PurchaseBegun",), ("PurchaseSent", 1), last]
    if fault is REFUSED:
        assert events[-2].reason == "role_required"
        assert events[-3].request_id == error.request_id == "req_1"


@pytest.mark.parametrize(
    ("token", "expected"),
    [("expired", ["Begun", 1, 2, "Accepted"]), (None, ["Begun", "Ended"])],
)
def test_post_charge_is_told_as_sent_each_time_that_it_is(token, expected, client_kind, mock_portal):
    class Source:
        def resolve(self, *, rejected=None):
            if token is None:
                raise BillingError("no login", error="not_logged_in")
            return Credentials(mock_portal.issue_token())

    events = []
    client = client_kind.client(Source(), base_url=mock_portal.url, observer=events.append)
    mock_portal.inject(Fault.reply(401, {"error": "invalid_token"}), "post_charge")
    charge(client) if token else failure(charge, client)
    assert [getattr(e, "attempt", type(e).__name__.removeprefix("Purchase")) for e in of_money(events)] == expected


def test_a_purchase_that_was_not_made_is_begun_again_and_ended(shop):
    events = []
    client = shop.client(observer=events.append)
    shop.portal.inject(REFUSED, "post_charge")
    assert shop.press(client).error == "role_required"
    events.clear()
    assert shop.press(client).status == "settled"
    assert [name for name, *_ in told(events)] == [
        "PurchaseBegun",
        "PurchaseSent",
        "PurchaseAccepted",
        "PurchaseEnded",
    ]
    assert of_money(events)[0].is_continued is True


CALLS = {
    "post_charge": lambda client, shop, made: charge(client),
    "upgrade": lambda client, shop, made: client.upgrade_subscription("tier_1", idempotency_key="key-2"),
    "wait": lambda client, shop, made: client.wait_for_charge(made.charge_id),
    "begin": lambda client, shop, made: client.begin_purchase("50", idempotency_key="key-2"),
    "check": lambda client, shop, made: client.check_purchase(KEY, store=shop.folder),
    "resume": lambda client, shop, made: client.resume_purchases(shop.folder),
}
PATHS = {"post_charge": "/api/billing/charge", "begin": "/api/billing/charge", "upgrade": "/api/billing/subscription"}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_interrupted_tells_that_its_end_is_not_known(name, shop):
    made = shop.client().begin_purchase("50.25", idempotency_key=KEY, store=shop.folder)
    events = Stops(ExchangeEnded, PATHS.get(name, f"/api/billing/charge/{made.charge_id}"))
    with pytest.raises(Stop):
        CALLS[name](shop.client(observer=events), shop, made)
    assert told(events)[-1] == ("PurchaseUncertain", "Stop")
    assert [name for name, *_ in told(events)].count("PurchaseUncertain") == 1


def test_a_task_that_is_thrown_away_tells_its_own_observer():
    events, others = [], []

    def call():
        request = Send(operations.get_billing_state(), "https://portal.example", None, 0.0)
        with in_call(Listener(events.append)), Watched(request, {}, SystemClock()):
            if_broken(
                lambda error: event_maker("PurchaseUncertain", error=type(error).__name__, what="credits", key=KEY)
            )
            yield

    thrown_away = call()
    copy_context().run(next, thrown_away)
    with in_call(Listener(others.append)):
        thrown_away.close()
    assert [type(event) for event in events] == [ExchangeBegun, ExchangeEnded, PurchaseUncertain, CallEnded]
    assert len({event.call for event in events}) == 1
    assert [type(event) for event in others] == [CallEnded]


def followed(shop, client, **options):
    async def every():
        return [purchase async for purchase in client.awaited.follow_purchase(KEY, **options)]

    return shop.kind.run(every()) if shop.kind.is_async else list(client.follow_purchase(KEY, **options))


@pytest.mark.parametrize(("cap", "end"), [(60, ("PurchaseEnded", "settled")), (1, UNCERTAIN)])
def test_one_who_follows_a_purchase_is_told_of_its_end_and_of_no_error_that_passes(cap, end, shop):
    events = []
    client = shop.client(observer=events.append)
    client.begin_purchase("50.25", idempotency_key=KEY, store=shop.folder)
    events.clear()
    shop.portal.inject(Fault.html(502), "get_charge_status", times=2)
    options = {"store": shop.folder, "cap": cap}
    if end is UNCERTAIN:
        assert failure(followed, shop, client, **options).outcome_unknown
    else:
        assert followed(shop, client, **options)[-1].status == "settled"
    assert told(events) == [end]


def test_one_who_follows_a_purchase_that_does_not_end_is_told_whose_it_is(shop):
    events = []
    client = shop.client(observer=events.append)
    client.begin_purchase("50.25", idempotency_key=KEY, store=shop.folder)
    assert failure(followed, shop, client, store=shop.folder, cap=1).outcome_unknown
    last = of_money(events)[-1]
    assert (type(last).__name__, last.key, last.organisation_id) == (
        "PurchaseUncertain",
        KEY,
        shop.portal.organisation.id,
    )


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("upgraded", ("PurchaseEnded", "upgraded")),
        ("requires_action", ("PurchaseEnded", "requires_action")),
        ("tomorrow", ("PurchaseUncertain", "tomorrow")),
    ],
)
def test_an_upgrade_moves_money_and_is_told(status, end, client_kind, mock_portal):
    events = []
    client = client_kind.client(
        StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, observer=events.append
    )
    mock_portal.inject(Fault.reply(200, {"status": status}), "upgrade_subscription")
    client.upgrade_subscription("tier_1", idempotency_key=KEY)
    assert told(events) == [("PurchaseBegun",), ("PurchaseSent", 1), end]
    assert {event.what for event in of_money(events)} == {"upgrade"}


@pytest.mark.parametrize(("card", "status"), [("4242", "settled"), ("9995", "failed")])
def test_the_end_of_a_charge_that_is_waited_for_is_told(card, status, shop):
    events = []
    shop.portal.organisation.card = Card("visa", card)
    client = shop.client(observer=events.append)
    accepted = charge(client)
    events.clear()
    client.wait_for_charge(accepted.charge_id)
    assert told(events) == [("PurchaseEnded", status)]
    assert (of_money(events)[0].key, of_money(events)[0].charge_id) == (None, accepted.charge_id)


def test_a_wait_that_ends_without_an_answer_is_uncertain_whoever_ends_it(shop):
    events = []
    client = shop.client(observer=events.append)
    accepted = charge(client)
    events.clear()
    failure(client.wait_for_charge, accepted.charge_id, cancelled=lambda: True)

    def refuse():
        raise BillingError("mine", error="mine")

    failure(client.wait_for_charge, accepted.charge_id, cancelled=refuse)
    assert told(events) == [("PurchaseUncertain", "charge_cancelled"), ("PurchaseUncertain", "mine")]


def test_a_purchase_that_is_resumed_or_checked_is_told_once_where_it_ends(shop):
    events = []
    client = shop.client(observer=events.append)
    client.begin_purchase("50.25", idempotency_key=KEY, store=shop.folder)
    assert [name for name, *_ in told(events)] == ["PurchaseBegun", "PurchaseSent", "PurchaseAccepted"]
    events.clear()
    shop.clock.advance(10)
    client.check_purchase(KEY, store=shop.folder)
    assert told(events) == [("PurchaseEnded", "settled")]
    events.clear()
    client.check_purchase(KEY, store=shop.folder)
    client.buy_credits("50.25", idempotency_key=KEY, store=shop.folder)
    assert told(events) == []
    client.begin_purchase("11", idempotency_key="key-2", store=shop.folder)
    events.clear()
    client.resume_purchases(shop.folder)
    assert told(events) == [("PurchaseBegun",), ("PurchaseEnded", "settled")]
    assert of_money(events)[0].is_continued is True


def test_of_calls_at_once_one_alone_is_the_first_to_tell_how_it_ended(shop):
    events = []
    client = shop.client(observer=events.append)
    shop.kind.at_once(client, *[lambda each: each.buy_credits("50.25", idempotency_key=KEY, store=shop.folder)] * 4)
    ended = [event for event in events if isinstance(event, PurchaseEnded)]
    assert [event.status for event in ended] == ["settled"] * 4
    assert sorted(event.is_first for event in ended) == [False] * 3 + [True]


def test_of_a_key_that_has_another_amount_elsewhere_nobody_says_that_nothing_was_made(shop):
    events = []
    client = shop.client(observer=events.append)
    charge(client, amount="60")
    events.clear()
    assert shop.press(client).error == "idempotency_conflict"
    assert told(events)[-1] == ("PurchaseEnded", "refused")


def test_what_a_function_of_the_caller_raises_ends_a_purchase_that_is_uncertain(shop):
    events = []
    client = shop.client(observer=events.append)
    for error, name in ((ValueError("mine"), "ValueError"), (BillingError("mine"), "purchase_uncertain")):

        def fail(purchase, error=error):
            if purchase.status == "pending":
                raise error

        events.clear()
        with pytest.raises(type(error), match="mine"):
            client.buy_credits("50.25", idempotency_key=name, store=shop.folder, on_progress=fail)
        assert told(events)[-1] == ("PurchaseUncertain", name)
        assert events[-1].error == type(error).__name__
    events.clear()
    with pytest.raises(ValueError, match="early"):
        client.buy_credits("50.25", idempotency_key="other", store=shop.folder, cancelled=early)
    with pytest.raises(BillingError, match="late"):
        client.buy_credits("50.25", idempotency_key="other", store=shop.folder, cancelled=late)
    assert [name for name, *_ in told(events)] == ["PurchaseBegun"] * 2


def early():
    raise ValueError("early")


def late():
    raise BillingError("late")


@pytest.mark.usefixtures("approved_at_once")
@pytest.mark.parametrize("error", [None, "invalid_grant"])
def test_a_renewed_login_is_told_to_the_client_that_needed_it(error, client_kind, mock_portal, tmp_path, log):
    events = []
    login = StoredLogin(tmp_path / "login.json", portal_base_url=mock_portal.url)
    login.login(lambda code: mock_portal.approve_device(code.user_code))
    client = client_kind.client(login, observer=events.append)
    mock_portal.inject(Fault.reply(401, {"error": "invalid_token"}), "get_billing_state")
    if error is None:
        read(client)
    else:
        mock_portal.inject(Fault.reply(400, {"error": error}), "oauth_token")
        failure(read, client)
    refreshed = [event for event in events if isinstance(event, LoginRefreshed)]
    assert [event.error for event in refreshed] == [error]
    assert all(event.call in {each.call for each in events if type(each) is CallEnded} for event in refreshed)
    assert [each.path for each in events if isinstance(each, ExchangeEnded)].count("/api/oauth/token") == 1
    login.close()
    assert "refreshed" in log.text


# --- An observer that fails


class Fails:
    """Raises at an event, counted from 0, or at each."""

    def __init__(self, error, at=None):
        self.error = error
        self.at = at
        self.seen = 0

    def __call__(self, event):
        self.seen += 1
        if self.at is None or self.seen - 1 == self.at:
            raise self.error

    def request_headers(self, event):
        return self(event) or {}


async def awaited(event):
    """Cannot be an observer."""


class Unreadable(UserDict):
    def items(self):
        raise ValueError("x")


class Awaited:
    async def __call__(self, event):
        """Cannot be an observer either."""


class Hidden(Awaited):
    def __call__(self, event):
        """Could be one but for its property."""

    @property
    def request_headers(self):
        raise ValueError("x")


class Odd:
    """Returns no headers, or such as cannot be sent."""

    def __init__(self, headers):
        self.request_headers = lambda event: headers

    def __call__(self, event):
        pass


@pytest.mark.parametrize(
    "observer",
    [
        Fails(ValueError("x")),
        Fails(BillingError("x", outcome_unknown=True)),
        lambda event: awaited(event),
        Odd({"Host": "elsewhere"}),
        Odd([("X-A", "1")]),
        Odd(Unreadable({"X-A": "1"})),
    ],
)
def test_an_observer_that_fails_changes_nothing_and_is_logged_once(observer, shop, log):
    lose_reply(shop.portal)
    assert shop.press(shop.client(observer=observer)).status == "settled"
    shop.assert_one_charge(2)
    (record,) = (each for each in log.records if each.name == LOGGER.name and each.levelname == "ERROR")
    assert record.getMessage() == (
        "The observer failed. No call is changed by it, and its next failures are not logged."
    )
    assert record.exc_info is not None


def test_what_is_no_mapping_of_headers_is_no_headers(shop):
    assert shop.press(shop.client(observer=Odd(None))).status == "settled"


def test_a_filter_or_handler_of_the_application_that_fails_changes_nothing(shop, log, monkeypatch):
    def fail(record):
        raise ValueError("x")

    monkeypatch.setattr(LOGGER, "filters", [fail])
    lose_reply(shop.portal)
    assert shop.press(shop.client()).status == "settled"


def test_an_observer_that_uses_the_client_is_not_told_of_that(mock_portal, tmp_path):
    events = []

    def use(event):
        events.append(event)
        client.get_billing_state()

    client = BillingClient(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, observer=use)
    with client:
        client.get_billing_state()
    assert [type(event) for event in events] == [ExchangeBegun, ExchangeEnded, CallEnded]


def test_a_request_that_an_observer_stops_has_ended_and_one_of_a_closed_client_was_not_sent(shop):
    events = Stops(ExchangeBegun, "/api/billing/state")
    with pytest.raises(Stop):
        read(shop.client(observer=events))
    assert (type(events[-2]), events[-2].error, events[-2].was_sent) == (ExchangeEnded, "Stop", True)
    del events[:]

    def close(event):
        events.append(event)
        getattr(client, "awaited", client)._driver._close()

    client = shop.client(observer=close)
    assert failure(read, client).error == "client_closed"
    assert events[-2].was_sent is False
    assert len(shop.portal.requests) == 0


def test_a_renewal_that_is_interrupted_is_not_told_as_done(log):
    def renew():
        raise Stop

    with pytest.raises(Stop):
        refreshing("https://portal.example", renew)
    assert log.records[-1].error == "Stop"


def test_ctrl_c_in_an_observer_is_ctrl_c_in_the_call(mock_portal, client_kind, tmp_path):
    if client_kind.is_async:
        pytest.skip("an event loop turns it into a cancelled task")
    uncertain = 0
    for at in range(100):
        # The portal takes five charges an hour.
        mock_portal.clock.advance(3600)
        shop = Shop(client_kind, mock_portal, tmp_path / str(at))
        lose_reply(mock_portal)
        observer, key, before = Fails(KeyboardInterrupt(), at), f"key-{at}", len(shop.ledger())
        try:
            assert shop.press(shop.client(observer=observer), "10", key).status == "settled"
            break
        except KeyboardInterrupt as interrupt:
            made = len(shop.ledger()) > before
            # A plain one says that nothing was charged.
            said = isinstance(interrupt, BillingPurchaseInterrupted)
            uncertain += said
        assert said or not made
        assert shop.press(shop.client(), "10", key).status == "settled"
        assert len(shop.ledger()) == before + 1
    assert uncertain > 10


@pytest.mark.parametrize("observer", ["x", 5, object(), awaited, partial(awaited), Awaited(), Hidden()])
def test_what_cannot_be_called_or_must_be_awaited_is_no_observer(observer, client_kind):
    assert failure(client_kind.client, StaticToken("t"), observer=observer).error == "invalid_observer"


def test_where_nobody_listens_no_event_is_loaded():
    code = (
        "import sys; from nous_billing import BillingClient, StaticToken\n"
        "client = BillingClient(StaticToken('t'), base_url='http://127.0.0.1:1')\n"
        "try: client.get_billing_state()\nexcept Exception as error: print(error.error)\n"
        "print('nous_billing.events' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["network_error", "False"]


# --- Headers and a name of one's own


def test_own_headers_and_a_name_go_with_each_request_of_a_call(shop):
    lose_reply(shop.portal)
    client = shop.client(user_agent="myapp/1.2 (a; b)")
    assert shop.press(client, headers={"X-Tenant": "a b", "accept-language": "de"}).status == "settled"
    sent = [(request.headers["x-tenant"], request.headers["accept-language"]) for request in shop.portal.requests]
    assert len(sent) > 4
    assert set(sent) == {("a b", "de")}
    assert {request.headers["user-agent"].split(" nous-billing/")[0] for request in shop.portal.requests} == {
        "myapp/1.2 (a; b)"
    }
    read(client)
    assert "x-tenant" not in shop.portal.requests[-1].headers


@pytest.mark.parametrize(
    "headers",
    [
        *({name: "x"} for name in ("Authorization", "Idempotency-Key", "content-type", "ACCEPT", "Accept-Encoding")),
        *({name: "x"} for name in ("Host", "Content-Length", "Connection", "Transfer-Encoding", "User-Agent", "TE")),
        *({name: "x"} for name in ("Cookie", "Proxy-Authorization", "X-Nous-Refresh-Token", "Upgrade", "Expect")),
        *({name: "x"} for name in ("", "a b", "a\n", "ä", "a:b", "A: canary", 5)),
        *({"X-A": value} for value in ("", " a", "a\r\nHost: b", "ä", "\N{SNOWMAN}", "a\0", 5, None, b"a")),
        {"X-A": "1", "x-a": "2"},
        [("X-A", "1")],
        "X-A",
    ],
)
def test_headers_that_are_not_the_callers_or_cannot_be_sent_are_refused_before_anything_is_sent(
    headers, client, mock_portal
):
    for call in (read, charge, poll):
        error = failure(call, client, headers=headers)
        assert "canary" not in str(error)
        assert (error.error, error.outcome_unknown) == ("invalid_headers", False)
    assert failure(client.buy_credits, "50", idempotency_key=KEY, headers=headers).error == "invalid_headers"
    assert mock_portal.requests == []


def test_the_headers_of_a_trace_are_the_observers(shop):
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    read(shop.client(), headers=headers)
    assert shop.portal.requests[-1].headers["traceparent"] == headers["traceparent"]
    assert failure(read, shop.client(observer=Odd({})), headers=headers).error == "invalid_headers"
    observer, asked = Odd({}), []
    observer.request_headers = lambda event: asked.append(event) or {"tracestate": str(event.exchange)}
    read(shop.client(observer=observer))
    (event,) = asked
    assert (type(event), event.path) == (ExchangeBegun, "/api/billing/state")
    assert shop.portal.requests[-1].headers["tracestate"] == str(event.exchange)


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a/", "a/1/2", "a\r\nHost: b", "ä", "(a)", "a (b", "a (b(c))", "a  b", "a" * 300, 5, b"a"]
)
def test_a_name_that_cannot_be_sent_is_refused(name, client_kind):
    assert failure(client_kind.client, StaticToken("t"), user_agent=name).error == "invalid_user_agent"


def test_a_given_client_sends_them_too_and_says_whether_it_keeps_its_connection(client_kind, mock_portal):
    events = []
    client = client_kind.client(
        StaticToken(mock_portal.issue_token()),
        base_url=mock_portal.url,
        http_client=client_kind.http_client(headers={"User-Agent": "theirs"}),
        user_agent="myapp",
        observer=events.append,
    )
    for _ in range(2):
        poll(client, headers={"X-Tenant": "a"})
    assert {request.headers["x-tenant"] for request in mock_portal.requests} == {"a"}
    assert {request.headers["user-agent"].split("/")[0] for request in mock_portal.requests} == {"myapp nous-billing"}
    assert [each.connection for each in events if isinstance(each, ExchangeEnded)] == ["new", "kept"]


# --- What a client cannot do


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("client", [BillingClient, AsyncBillingClient])
def test_a_client_is_not_copied(make, client):
    assert failure(make, client(StaticToken("t"))).error == "invalid_copy"


@pytest.mark.parametrize("call", [read, charge, poll])
def test_a_client_for_asyncio_says_that_it_needs_it(call):
    client = AsyncBillingClient(StaticToken("t"))
    assert failure(lambda: call(client).send(None)).error == "no_event_loop"
