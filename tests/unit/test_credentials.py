"""Credentials: masked, checked, kept for 30 seconds and not when they must not be."""

import asyncio
import io
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import FrozenInstanceError

import pytest

from nous_billing import HermesLogin, StoredLogin, credentials
from nous_billing.clock import SystemClock
from nous_billing.credentials import MEMO_SECONDS, CredentialMemo, Credentials, StaticToken
from nous_billing.errors import BillingAuthError, BillingError, BillingNetworkError, BillingSessionRevoked

CANARY = "canary-secret-token"


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A machine under load is no file system that stalls."""
    monkeypatch.setattr(credentials, "_PATIENCE_SECONDS", 10.0)


class Source:
    """Gives the next of its answers with each question, the last one again and again; an exception is raised."""

    def __init__(self, *answers):
        self.answers = answers or ("token-1", "token-2", "token-3")
        self.asked = []

    def resolve(self, *, rejected=None):
        self.asked.append(rejected)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return Credentials(answer) if isinstance(answer, str) else answer


class PrintedSource(Source):
    printed = 1

    def fingerprint(self):
        return self.printed


@pytest.mark.parametrize("holder", [Credentials(CANARY), StaticToken(CANARY), Credentials(CANARY, "https://p.example")])
def test_the_token_is_masked_in_every_text(holder):
    for text in (repr(holder), str(holder), f"{holder}", f"{holder!r:>99}", ascii([holder])):
        assert CANARY not in text
        assert "***" in text


def test_the_repr_says_all_but_the_token():
    assert (
        repr(Credentials("t", "https://p.example"))
        == "Credentials(access_token='***', portal_base_url='https://p.example')"
    )
    assert repr(StaticToken("t")) == "StaticToken(access_token='***', portal_base_url=None)"


def test_the_repr_of_a_static_token_shows_its_address_as_it_is():
    assert "https://Credentials.example" in repr(StaticToken("t", portal_base_url="https://Credentials.example"))


def test_credentials_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Credentials("t").access_token = "u"


def test_white_space_around_a_token_is_dropped():
    assert Credentials(" token\n").access_token == "token"
    assert StaticToken("\ttoken ").resolve().access_token == "token"


@pytest.mark.parametrize(
    "token",
    ["", "  ", "\n", "to ken", "to\r\nX-Injected: 1", "to\x00ken", "t\u00f6ken"],
)
@pytest.mark.parametrize("kind", [Credentials, StaticToken])
def test_what_is_no_token_is_not_taken_for_a_login(kind, token):
    with pytest.raises(BillingAuthError) as caught:
        kind(token)
    assert str(caught.value) == "The access token is blank or has characters that a token cannot have. Log in again."
    assert caught.value.error == "invalid_token"


def test_a_bad_token_is_not_repeated_in_the_refusal():
    with pytest.raises(BillingAuthError) as caught:
        Credentials(f"{CANARY}\n{CANARY}")
    assert CANARY not in f"{caught.value!r} {caught.value.__dict__}"


def test_a_static_token_is_the_same_whether_or_not_it_was_rejected():
    source = StaticToken("t", portal_base_url="https://p.example")
    assert source.resolve() == source.resolve(rejected="t") == Credentials("t", "https://p.example")


def test_an_answer_is_kept_for_thirty_seconds_and_not_longer(clock):
    source = Source()
    memo = CredentialMemo(source, clock)
    assert memo.resolve().access_token == "token-1"
    clock.sleep(29.99)
    assert memo.fresh() == memo.resolve() == Credentials("token-1")
    assert source.asked == [None]
    clock.sleep(0.01)
    assert clock.passed == MEMO_SECONDS
    assert memo.fresh() is None
    assert memo.resolve().access_token == "token-2"


def test_using_an_answer_does_not_keep_it_longer(clock):
    source = Source()
    memo = CredentialMemo(source, clock)
    for _ in range(4):
        memo.resolve()
        clock.sleep(10)
    assert memo.resolve().access_token == "token-2"


def test_nothing_is_kept_before_the_source_was_asked(clock):
    source = Source()
    assert CredentialMemo(source, clock).fresh() is None
    assert source.asked == []


def test_the_answer_of_one_source_is_not_that_of_another(clock):
    first, second = CredentialMemo(Source("a"), clock), CredentialMemo(Source("b"), clock)
    assert (first.resolve().access_token, second.resolve().access_token) == ("a", "b")


def test_an_answer_is_dropped_when_the_fingerprint_changes(clock):
    source = PrintedSource()
    memo = CredentialMemo(source, clock)
    memo.resolve()
    assert memo.fresh() is not None
    source.printed = 2
    assert memo.fresh() is None
    assert memo.resolve().access_token == "token-2"
    assert memo.fresh() is not None


def test_a_change_while_the_source_reads_does_not_go_unnoticed(clock):
    class Changing(PrintedSource):
        def resolve(self, *, rejected=None):
            self.printed += 1
            return super().resolve(rejected=rejected)

    memo = CredentialMemo(Changing(), clock)
    assert memo.resolve().access_token == "token-1"
    assert memo.fresh() is None


def test_a_forgotten_answer_is_asked_for_again(clock):
    memo = CredentialMemo(Source(), clock)
    memo.resolve()
    memo.forget()
    assert memo.fresh() is None
    assert memo.resolve().access_token == "token-2"


def test_an_answer_that_was_on_its_way_when_all_was_forgotten_is_not_kept(clock):
    class ForgottenMeanwhile(Source):
        def resolve(self, *, rejected=None):
            memo.forget()
            return super().resolve(rejected=rejected)

    memo = CredentialMemo(ForgottenMeanwhile(), clock)
    for _ in range(3):
        memo.resolve()
        assert memo.fresh() is None


def test_a_rejected_token_makes_the_source_be_asked_again_by_its_name(clock):
    source = Source()
    memo = CredentialMemo(source, clock)
    memo.resolve()
    assert memo.resolve("token-1").access_token == "token-2"
    assert source.asked == [None, "token-1"]
    assert memo.fresh() == Credentials("token-2")


def test_a_token_that_was_replaced_meanwhile_is_not_asked_for_again(clock):
    source = Source()
    memo = CredentialMemo(source, clock)
    memo.resolve()
    memo.resolve("token-1")
    assert memo.resolve("token-1").access_token == "token-2"
    assert len(source.asked) == 2


def test_a_rejected_token_is_not_kept_and_not_handed_out_from_memory(clock):
    source = Source("token-1", "token-1", "token-2")
    memo = CredentialMemo(source, clock)
    memo.resolve()
    memo.resolve("token-1")
    assert memo.fresh() is None
    assert memo.resolve().access_token == "token-2"


def test_a_failure_to_replace_a_rejected_token_does_not_bring_it_back(clock):
    source = Source("token-1", BillingNetworkError("down"))
    memo = CredentialMemo(source, clock)
    memo.resolve()
    for _ in range(2):
        with pytest.raises(BillingNetworkError):
            memo.resolve("token-1")
        assert memo.fresh() is None


def threads_inside(function):
    """How many threads run the function now, those that wait in it included."""
    inside = 0
    for frame in sys._current_frames().values():
        while frame is not None and frame.f_code is not function.__code__:
            frame = frame.f_back
        inside += frame is not None
    return inside


def test_twenty_threads_ask_the_source_once(clock):
    asked = []

    class Slow:
        """Answers when all twenty want an answer, and not before."""

        def resolve(self, *, rejected=None):
            asked.append(rejected)
            give_up = time.monotonic() + 10
            while threads_inside(CredentialMemo.resolve) < 20:
                assert time.monotonic() < give_up
            return Credentials(f"token-{len(asked)}")

    memo = CredentialMemo(Slow(), clock)
    with ThreadPoolExecutor(20) as pool:
        assert [answer.access_token for answer in pool.map(memo.resolve, [None] * 20)] == ["token-1"] * 20
        assert asked == [None]
        assert [answer.access_token for answer in pool.map(memo.resolve, ["token-1"] * 20)] == ["token-2"] * 20
        assert asked == [None, "token-1"]


@pytest.mark.parametrize(
    "error",
    [OSError("disk"), ValueError("x"), KeyError("nous"), RuntimeError("x"), RecursionError(), asyncio.CancelledError()],
)
def test_whatever_a_source_raises_is_a_failed_login(clock, error):
    with pytest.raises(BillingAuthError) as caught:
        CredentialMemo(Source(error), clock).resolve()
    assert str(caught.value) == (f"The credential source failed ({type(error).__name__}). Log in again, or try later.")
    assert caught.value.error == "invalid_token"
    assert caught.value.__cause__ is error


def test_the_text_of_what_a_source_raised_is_not_repeated(clock):
    with pytest.raises(BillingAuthError) as caught:
        CredentialMemo(Source(ValueError(CANARY)), clock).resolve()
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("error", [BillingSessionRevoked("x"), BillingNetworkError("x"), BillingError("x")])
def test_the_billing_error_of_a_source_comes_through_as_it_is(clock, error):
    with pytest.raises(BillingError) as caught:
        CredentialMemo(Source(error), clock).resolve()
    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_an_interrupt_in_a_source_is_no_failed_login(clock, error):
    with pytest.raises(type(error)):
        CredentialMemo(Source(error), clock).resolve()


def test_after_a_failure_the_source_is_asked_again(clock):
    memo = CredentialMemo(Source(OSError(), "token-2"), clock)
    with pytest.raises(BillingAuthError):
        memo.resolve()
    assert memo.resolve().access_token == "token-2"


@pytest.mark.parametrize("answer", [None, {"access_token": "t"}, 5])
def test_a_source_that_gives_no_credentials_is_a_failed_login(clock, answer):
    with pytest.raises(BillingAuthError) as caught:
        CredentialMemo(Source(answer), clock).resolve()
    assert caught.value.error == "invalid_token"
    assert str(caught.value.__cause__) == f"resolve() returned a {type(answer).__name__}"


def test_a_fingerprint_that_cannot_be_had_keeps_nothing_and_does_not_escape(clock):
    class Unprintable(Source):
        broken = True

        def fingerprint(self):
            if self.broken:
                raise OSError("disk")
            return 1

    source = Unprintable()
    memo = CredentialMemo(source, clock)
    with suppress(BillingAuthError):
        memo.resolve()
        assert memo.fresh() is None
    source.broken = False
    assert memo.resolve() == memo.fresh()
    source.broken = True
    with suppress(BillingAuthError):
        assert memo.fresh() is None


def test_kept_credentials_are_had_without_opening_a_file(tmp_path, monkeypatch):
    login = {"access_token": "token", "expires_at": "2100-01-01T00:00:00+00:00"}
    portal = "https://portal.nousresearch.com"
    (tmp_path / "login.json").write_text(json.dumps({"active_portal": portal, "portals": {portal: login}}))
    (tmp_path / "auth.json").write_text(json.dumps({"providers": {"nous": login}}))
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))
    memos = [CredentialMemo(source, SystemClock()) for source in (StoredLogin(tmp_path / "login.json"), HermesLogin())]
    for memo in memos:
        assert memo.resolve().access_token == "token"
    for module in (os, io):
        monkeypatch.setattr(module, "open", None)
    monkeypatch.setattr("builtins.open", None)
    for memo in memos:
        assert memo.fresh().access_token == "token"


class Stalling(PrintedSource):
    """Its fingerprint is had when it is told to go on."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.looks = 0

    def fingerprint(self):
        self.looks += 1
        self.go.wait(10)
        return self.printed


def test_a_look_that_stalls_is_waited_for_once_and_then_tells(clock, monkeypatch):
    source = Stalling()
    memo = CredentialMemo(source, clock)
    memo.resolve()
    assert (memo.fresh(), memo.stalled) == (Credentials("token-1"), None)
    source.go.clear()
    monkeypatch.setattr(credentials, "_PATIENCE_SECONDS", 0.01)
    begun = source.looks
    assert [memo.fresh() for _ in range(3)] == [None] * 3
    assert source.looks == begun + 1
    stalled = memo.stalled
    source.go.set()
    assert stalled.result(5) == 1
    monkeypatch.setattr(credentials, "_PATIENCE_SECONDS", 10.0)
    assert (memo.stalled, memo.fresh()) == (None, Credentials("token-1"))
    assert source.asked == [None]


def test_a_forked_child_does_not_wait_for_a_look_of_its_parent(clock, monkeypatch):
    source = Stalling()
    memo = CredentialMemo(source, clock)
    memo.resolve()
    source.go.clear()
    monkeypatch.setattr(credentials, "_PATIENCE_SECONDS", 0.01)
    assert memo.fresh() is None
    assert memo.stalled is not None
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert memo.stalled is None
    source.go.set()
    monkeypatch.setattr(credentials, "_PATIENCE_SECONDS", 10.0)
    assert memo.fresh() == Credentials("token-1")


def test_a_source_without_a_fingerprint_is_not_looked_at(clock, monkeypatch):
    memo = CredentialMemo(Source(), clock)
    memo.resolve()
    monkeypatch.setattr(memo._side, "begin", None)
    assert memo.fresh() == Credentials("token-1")
