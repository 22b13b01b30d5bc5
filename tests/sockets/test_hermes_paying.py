"""The drop-in pays once, although Hermes makes a new key for each confirmation."""

import functools
import json
import logging
import multiprocessing
import os
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

from nous_billing import hermes
from nous_billing.hermes import unresolved
from nous_billing.mock import Card, Fault

from .harness import MovedClock, failure
from .raw_server import answer

LOST = Fault.drop(acts=True)
GONE = Fault.drop()


class Terminal:
    """One process of Hermes, which makes a new key each time that a person confirms."""

    def __init__(self, clock, token, url):
        self.clock = clock
        self.login(token, url)
        self._keys = (f"key-{self}-{number}" for number in range(1000))
        self._client = functools.cache(lambda: hermes._HermesClient(clock=clock))

    def __str__(self):
        return str(id(self))

    def login(self, token, url):
        self.state = {"access_token": token, "portal_base_url": url}

    def use(self):
        hermes._client = self._client
        sys.modules["hermes_cli.auth"].terminal = self

    def pay(self, amount=50, key=None, timeout=15.0):
        self.use()
        return hermes.post_charge(amount_usd=amount, idempotency_key=key or next(self._keys), timeout=timeout)

    def close(self):
        self._client().close()


@pytest.fixture
def terminals(mock_portal, monkeypatch, tmp_path):
    monkeypatch.setenv("HERMES_HOME", str(tmp_path / "hermes"))
    auth = types.ModuleType("hermes_cli.auth")
    auth.AuthError = type("AuthError", (RuntimeError,), {})
    auth.get_provider_auth_state = lambda _: auth.terminal.state
    auth.resolve_nous_access_token = lambda: auth.terminal.state["access_token"]
    monkeypatch.setitem(sys.modules, "hermes_cli", types.ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", auth)
    monkeypatch.setattr(hermes, "_client", hermes._client)
    clock, made = MovedClock(), []

    def make():
        made.append(Terminal(clock, mock_portal.issue_token(), mock_portal.url))
        return made[-1]

    yield make
    for terminal in made:
        terminal.close()


@pytest.fixture
def terminal(terminals):
    return terminals()


@pytest.fixture
def charges(mock_portal):
    return lambda: mock_portal.organisation.charges


def keys(portal):
    return [request.headers["idempotency-key"] for request in portal.requests if request.operation == "post_charge"]


@pytest.mark.parametrize(
    "fault",
    [LOST, GONE, Fault.html(502, acts=True), Fault.html(200, acts=True), Fault.reply(202, "{", acts=True)],
    ids=["reply lost", "charge lost", "502", "page", "broken"],
)
def test_a_lost_reply_is_asked_for_again_with_the_same_key(fault, terminal, mock_portal, charges):
    mock_portal.inject(fault, "post_charge", times=2)
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert (len(charges()), len(set(keys(mock_portal))), terminal.clock.sleeps) == (1, 1, [1.0, 3.0])


@pytest.mark.parametrize(("seconds", "sleeps"), [(15.0, [1.0, 3.0, 9.0]), (5.0, [1.0, 3.0]), (1.0, [])])
def test_repetitions_end_with_the_time_of_the_call(seconds, sleeps, terminal, mock_portal):
    mock_portal.inject(GONE, "post_charge", times=9)
    error = failure(terminal.pay, timeout=seconds)
    assert (error.error, error.outcome_unknown, error.portal_url) == (
        "network_error",
        True,
        f"{mock_portal.url}/billing?topup=open",
    )
    assert str(error).startswith("It is not known whether $50.00 was paid. ")
    assert str(error).endswith(" Confirm the same again within ten minutes to find out: that is never paid twice.")
    assert "key" not in str(error)
    assert terminal.clock.sleeps == sleeps


def lose(terminal, portal, fault=LOST, **kwargs):
    """Confirm, and learn nothing."""
    portal.inject(fault, "post_charge")
    # What arrives counts towards the portal's limit.
    portal.inject(GONE, "post_charge", times=3)
    error = failure(terminal.pay, **kwargs)
    assert error.outcome_unknown
    terminal.clock.sleeps.clear()
    return error


@pytest.mark.parametrize("fault", [LOST, GONE])
@pytest.mark.parametrize("same_process", [True, False])
def test_confirming_again_pays_once_and_the_log_says_so(fault, same_process, terminals, mock_portal, charges, caplog):
    first = terminals()
    lose(first, mock_portal, fault)
    second = first if same_process else terminals()
    second.clock.advance(599 - 15)
    with caplog.at_level(logging.INFO, "nous_billing"):
        # The amount is the same, however it is written.
        assert second.pay("50.00") == {"chargeId": charges()[0].id}
    assert (len(charges()), len(set(keys(mock_portal)))) == (1, 1)
    assert "Payment of $50.00: an earlier one (key " in caplog.text
    assert first.state["access_token"] not in caplog.text


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_filter_of_the_log_that_raises_takes_no_answer_away(
    is_kept, terminal, mock_portal, charges, monkeypatch, caplog, tmp_path
):
    if not is_kept:
        (tmp_path / "hermes").write_text("a file where the folder should be")
    # It expects the arguments of another library's records.
    monkeypatch.setattr(logging.getLogger("nous_billing"), "filters", [lambda record: record.args["token"]])
    with caplog.at_level(logging.INFO, "nous_billing"):
        lose(terminal, mock_portal)
        assert terminal.pay() == {"chargeId": charges()[0].id}


def test_once_it_is_resolved_the_next_is_another_purchase(terminal, mock_portal, charges):
    lose(terminal, mock_portal)
    first = terminal.pay()
    assert terminal.pay() != first
    assert len(charges()) == 2


@pytest.mark.parametrize("last4", ["4242", "9995"])
def test_an_unresolved_charge_that_ended_meanwhile_is_returned_however_it_ended(last4, terminal, mock_portal, charges):
    mock_portal.organisation.card = Card("visa", last4)
    lose(terminal, mock_portal)
    mock_portal.clock.advance(60)
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert terminal.pay() == {"chargeId": charges()[1].id}


def test_the_key_of_a_confirmation_stays_the_same_purchase_for_ever(terminal, mock_portal, charges):
    lose(terminal, mock_portal, key="first")
    answers = [terminal.pay(key=key) for key in ("second", "second", "first", "second")]
    assert answers == [{"chargeId": charges()[0].id}] * 4
    assert set(keys(mock_portal)) == {"first"}


@pytest.mark.parametrize("change", ["amount", "ten minutes", "organisation", "profile"])
def test_another_purchase_has_its_own_key(change, terminal, mock_portal, charges, monkeypatch, tmp_path):
    lose(terminal, mock_portal)
    if change == "ten minutes":
        terminal.clock.advance(601)
    elif change == "organisation":
        other = mock_portal.add_organisation("Other")
        terminal.login(mock_portal.issue_token(mock_portal.add_person("Bob", other)), mock_portal.url)
        hermes.invalidate_cached_token()
        assert terminal.pay() == {"chargeId": other.charges[0].id}
        assert len(set(keys(mock_portal))) == 2
        return
    elif change == "profile":
        monkeypatch.setenv("HERMES_HOME", str(tmp_path / "another"))
    terminal.pay(51 if change == "amount" else 50)
    assert (len(charges()), len(set(keys(mock_portal)))) == (2, 2)


def test_an_unresolved_payment_waits_as_long_as_the_limit_lasts(terminal, mock_portal, charges):
    lose(terminal, mock_portal)
    mock_portal.inject(Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "3600"}), "post_charge")
    error = failure(terminal.pay)
    assert (error.retry_after, error.outcome_unknown) == (3600, True)
    assert str(error).endswith(" Confirm the same again in 60 minutes to find out: that is never paid twice.")
    terminal.clock.advance(3600 + 599)
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert len(charges()) == 1


def test_a_clock_that_was_set_back_does_not_make_an_unresolved_payment_old(terminal, mock_portal, charges):
    lose(terminal, mock_portal)
    terminal.clock.advance(-100_000)
    terminal.pay()
    assert len(charges()) == 1


def refuse(portal, reason):
    if reason == "kill-switch":
        portal.organisation.cli_billing_enabled = False
    else:
        portal.inject(Fault.reply(*reason), "post_charge")


REFUSALS = [
    "kill-switch",
    (429, {"error": "rate_limited"}, {"retry-after": "60"}),
    (503, {"error": "temporarily_unavailable"}),
    (401, {"error": "session_revoked"}),
    (403, {"error": "insufficient_scope"}),
]


@pytest.mark.parametrize("reason", REFUSALS, ids=str)
def test_a_refusal_does_not_make_an_unresolved_charge_not_made(reason, terminal, mock_portal, charges):
    lose(terminal, mock_portal)
    refuse(mock_portal, reason)
    error = failure(terminal.pay)
    assert (type(error).__name__, error.error, error.outcome_unknown) == ("BillingNetworkError", "network_error", True)
    assert (error.status, error.payload) == (None, {})
    assert "Nothing was charged" not in str(error)
    mock_portal.organisation.cli_billing_enabled = True
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert (len(charges()), terminal.clock.sleeps) == (1, [])


@pytest.mark.parametrize("reason", REFUSALS, ids=str)
def test_a_refusal_of_a_first_attempt_is_final_and_forgotten(reason, terminal, mock_portal, charges):
    refuse(mock_portal, reason)
    assert not failure(terminal.pay).outcome_unknown
    mock_portal.organisation.cli_billing_enabled = True
    terminal.pay()
    assert (len(charges()), len(set(keys(mock_portal))), terminal.clock.sleeps) == (1, 2, [])


def test_what_was_never_sent_is_neither_repeated_nor_remembered(terminal, mock_portal, tmp_path):
    mock_portal.stop()
    error = failure(terminal.pay)
    assert (error.error, error.outcome_unknown, terminal.clock.sleeps) == ("network_error", False, [])
    assert json.loads((tmp_path / "hermes/nous-billing/unresolved.json").read_text())["payments"] == []


def test_a_success_without_an_id_is_returned_and_stays_unresolved(terminal, mock_portal, charges):
    mock_portal.inject(Fault.reply(202, {}, acts=True), "post_charge")
    assert terminal.pay() == {}
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert len(charges()) == 1


def test_two_confirmations_at_once_are_one_charge(terminal, mock_portal, charges):
    mock_portal.inject(Fault.late(0.3), "post_charge")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: terminal.pay(), range(2)))
    assert answers == [{"chargeId": charges()[0].id}] * 2
    assert len(charges()) == 1


def test_a_refusal_of_one_of_two_at_once_does_not_forget_what_the_other_sent(terminal, mock_portal, charges):
    mock_portal.inject(Fault.reply(403, {"error": "consent_required"}, delay=0.3), "post_charge")
    mock_portal.inject(LOST, "post_charge", times=4)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: failure(terminal.pay).error, range(2)))
    assert sorted(outcomes) == ["consent_required", "network_error"]
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert len(charges()) == 1


def _confirm_and_die(environment, url, token):
    os.environ.update(environment)
    sys.modules["hermes_cli"] = sys.modules["hermes_cli.auth"] = None
    with open(f"{environment['HERMES_HOME']}/auth.json", "w") as file:
        json.dump({"providers": {"nous": {"access_token": token, "portal_base_url": url}}}, file)
    hermes.post_charge(amount_usd=50, idempotency_key="of-the-dead", timeout=30)


def test_a_process_that_died_while_it_paid_leaves_its_key(terminal, mock_portal, charges, tmp_path):
    home = tmp_path / "hermes"
    home.mkdir()
    mock_portal.inject(Fault.stall(acts=True), "post_charge")
    arguments = {"HERMES_HOME": str(home)}, mock_portal.url, mock_portal.issue_token()
    process = multiprocessing.get_context("spawn").Process(target=_confirm_and_die, args=arguments)
    process.start()
    while not charges():
        process.join(0.05)
        assert process.is_alive()
    process.kill()
    process.join()
    assert terminal.pay() == {"chargeId": charges()[0].id}
    assert (len(charges()), set(keys(mock_portal))) == (1, {"of-the-dead"})


@pytest.mark.parametrize("organisation", [{"id": "org_1"}, {"id": None}, "odd", None])
@pytest.mark.parametrize("status", [200, 500])
def test_a_token_without_a_claim_pays_for_the_organisation_of_the_state(
    organisation, status, terminal, server, tmp_path
):
    replies = {"GET": answer(status, {"org": organisation}), "POST": answer(202, {"chargeId": "ch_1"})}
    server.otherwise = lambda request: replies[request.method]
    terminal.login("opaque", server.url)
    assert terminal.pay() == {"chargeId": "ch_1"}
    (payment,) = json.loads((tmp_path / "hermes/nous-billing/unresolved.json").read_text())["payments"]
    known = status == 200 and isinstance(organisation, dict) and organisation["id"]
    assert payment["organisation"] == (known or "")


@pytest.mark.parametrize("unread", [0, 1], ids=["first", "second"])
def test_a_state_that_cannot_be_read_once_does_not_make_it_another_purchase(unread, terminal, server):
    states = [answer(200, {"org": {"id": "org_1"}})] * 3
    states[unread] = answer(503, {"error": "temporarily_unavailable"})
    made = [answer(500), answer(202, {"chargeId": "ch_1"})]
    server.otherwise = lambda request: (states if request.method == "GET" else made).pop(0)
    terminal.login("opaque", server.url)
    assert failure(terminal.pay, timeout=0.5).outcome_unknown
    assert terminal.pay() == {"chargeId": "ch_1"}
    sent = [request.headers["idempotency-key"] for request in server.requests if request.method == "POST"]
    assert len(sent) == 2
    assert len(set(sent)) == 1


def upgrade(terminal, key):
    terminal.use()
    return hermes.post_subscription_upgrade(subscription_type_id="tier_super", idempotency_key=key)


def test_an_upgrade_is_paid_once_too(terminal, mock_portal):
    for fault in (LOST, GONE, GONE, GONE):
        mock_portal.inject(fault, "upgrade_subscription")
    error = failure(upgrade, terminal, "one")
    assert str(error).startswith("It is not known whether the upgrade was paid. ")
    mock_portal.inject(Fault.reply(200, {"status": "later"}), "upgrade_subscription")
    assert upgrade(terminal, "two") == {"status": "later"}
    assert upgrade(terminal, "three")["status"] == "upgraded"
    assert [made.key for made in mock_portal.organisation.plan.upgrades] == ["one"]
    assert upgrade(terminal, "four")["status"] == "already_on_tier"


@pytest.mark.parametrize(("last4", "status"), [("9995", "payment_failed"), ("3155", "requires_action")])
def test_an_upgrade_that_failed_for_good_can_be_tried_with_another_key(last4, status, terminal, mock_portal):
    mock_portal.organisation.card = Card("visa", last4)
    ended = upgrade(terminal, "one")
    assert (ended["status"], ended["recoveryUrl"]) == (status, f"{mock_portal.url}/billing?topup=open")
    mock_portal.organisation.card = Card("visa", "4242")
    assert upgrade(terminal, "two")["status"] == "upgraded"


# --- The file


@pytest.mark.parametrize("content", ['{"version": 2, "payments": []}', None], ids=["another version", "no folder"])
def test_a_file_that_cannot_be_used_stays_and_the_process_remembers(
    content, terminals, mock_portal, charges, tmp_path, caplog
):
    folder = tmp_path / "hermes" / "nous-billing"
    if content is None:
        folder.parent.mkdir()
        folder.write_text("a file where the folder should be")
    else:
        folder.mkdir(parents=True)
        (folder / "unresolved.json").write_text(content)
    # Two threads that make their first call at the same time may each make a client.
    error = lose(terminals(), mock_portal)
    assert "never paid twice" not in str(error)
    assert str(error).endswith(" anywhere else, or after a restart, it might be paid twice.")
    assert terminals().pay() == {"chargeId": charges()[0].id}
    assert len(charges()) == 1
    assert "cannot be kept" in caplog.text
    if content is not None:
        assert (folder / "unresolved.json").read_text() == content


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"version": 1, "payments": [{"key": "x"}]}',
        '{"version": 1, "payments": [5]}',
        "[" * 100_000,
        *(
            json.dumps(
                {
                    "version": 1,
                    "payments": [
                        {**dict.fromkeys(("key", "what", "portal", "organisation"), "x"), "sent_at": 1.0, **wrong}
                    ],
                }
            )
            for wrong in (
                {"sent_at": "soon"},
                {"sent_at": 10**400},
                {"sent_at": float("nan")},
                {"sends": None},
                {"key": 5},
                {"other_keys": [None]},
                {"answered": "no"},
            )
        ),
    ],
    ids=lambda content: content[-30:],
)
def test_a_broken_file_is_renamed_and_the_next_payment_saved(content, terminal, mock_portal, tmp_path, caplog):
    file = tmp_path / "hermes/nous-billing/unresolved.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    file.with_name("unresolved.json.broken-1").touch()
    # A process that starts now sends the same.
    assert str(lose(terminal, mock_portal, GONE)).endswith(" that is never paid twice.")
    (payment,) = json.loads(file.read_text())["payments"]
    assert payment["key"] == keys(mock_portal)[0]
    assert file.with_name("unresolved.json.broken-2").read_text() == content
    assert "are no longer known. The file was renamed to" in caplog.text


def test_what_could_not_be_saved_is_saved_with_the_next_payment(terminal, terminals, mock_portal, charges, monkeypatch):
    lose(terminal, mock_portal)
    with monkeypatch.context() as full:
        full.setattr(unresolved, "replace_durably", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        lose(terminal, mock_portal, amount=70)
        # The earlier one is still known.
        lose(terminal, mock_portal, GONE)
    terminal.pay(90)
    other = terminals()
    other.pay(70)
    other.pay(50)
    assert sorted(charge.amount for charge in charges()) == [50, 70, 90]


@pytest.mark.parametrize("answered", [True, False])
def test_an_answer_is_not_lost_to_a_lock(answered, terminal, mock_portal, charges, monkeypatch, tmp_path, caplog):
    folder = tmp_path / "hermes/nous-billing"
    folder.mkdir(parents=True)
    lock = FileLock(folder / "unresolved.json.lock")
    begun = time.monotonic()
    with lock:
        assert "Another program has locked" in str(failure(terminal.pay, timeout=0.5))
    if not answered:
        mock_portal.inject(Fault.reply(403, {"error": "consent_required"}), "post_charge")
    claim = unresolved.UnresolvedPayments.claim
    with monkeypatch.context() as held:
        held.setattr(unresolved.UnresolvedPayments, "claim", lambda *args: (claim(*args), lock.acquire())[0])
        if answered:
            assert terminal.pay(timeout=0.5) == {"chargeId": charges()[0].id}
        else:
            assert failure(terminal.pay, timeout=0.5).error == "consent_required"
    # Not the five seconds that a call with more time would wait, twice.
    assert time.monotonic() - begun < 4.0
    lock.release()
    assert "cannot be kept (BillingNetworkError: Another program has locked" in caplog.text
    assert terminal.pay() == {"chargeId": charges()[-1].id}
    assert len(charges()) == 1 + answered


def test_old_payments_are_forgotten(terminal, mock_portal, tmp_path):
    terminal.pay()
    terminal.clock.advance(86401)
    terminal.pay()
    (payment,) = json.loads((tmp_path / "hermes/nous-billing/unresolved.json").read_text())["payments"]
    assert payment["key"].endswith("-1")
