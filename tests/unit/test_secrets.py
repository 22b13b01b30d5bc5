"""Secrets: no view of one shows its value, and only a revealed one can be used."""

import copy
import json
import pickle
from functools import partial
from typing import Any

import pytest

from nous_billing import AsyncBillingClient, BillingClient, StoredLogin
from nous_billing._secrets import RevealedText, Secret, SecretBytes, check_token, masked, reveal, reveal_in_json
from nous_billing.credentials import Credentials, StaticToken
from nous_billing.errors import BillingAuthError, BillingError
from nous_billing.portal import environment_base_url
from tests.tracers import views

_BASE_URLS = ("base_url", "base_url", "portal_base_url")
CANARY = "canary" + "-token" * 20
HOLDERS = [
    Secret(CANARY),
    Secret(Secret(CANARY)),
    Secret(f" {CANARY} ").strip(),
    Secret(f"a {CANARY}").split()[1],
    Secret(f"a.{CANARY}").split(".")[1],
    Secret(CANARY)[:80],
    SecretBytes(CANARY.encode()),
    SecretBytes(CANARY.encode())[:80],
    masked({"access_token": CANARY, "expires_in": 900}),
    masked({"agent_key": CANARY, "token": CANARY, "note": [CANARY, [[CANARY]]], "later": CANARY}),
    Credentials(CANARY),
    StaticToken(CANARY),
    StaticToken(Secret(CANARY)),
    check_token(CANARY),
    copy.copy(Secret(CANARY)),
    copy.deepcopy({"token": Secret(CANARY)}),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_no_view_of_a_secret_shows_any_of_it(holder):
    seen = list(views(holder))
    assert seen
    assert not [view for view in seen if "canary" in view]
    for text in (
        f"{holder!r:>9}",
        "%s %r %.9s" % (holder, holder, holder),  # noqa: UP031 - a tracer may write so
        f"{holder} {holder!r}",
        ascii(holder),
    ):
        assert "canary" not in text


LOGIN = "u:canary@"
PROXY = f"http://{LOGIN}proxy.example:3128"
ADDRESS = f"https://{LOGIN}portal.example"
CONSTRUCTORS: list[Any] = [
    partial(BillingClient, StaticToken("t")),
    partial(AsyncBillingClient, StaticToken("t")),
    StoredLogin,
]

TOKENS: list[Any] = [Credentials, StaticToken]


@pytest.mark.parametrize(
    "call",
    [
        *(partial(make, proxy=PROXY, **{name: 5}) for make in CONSTRUCTORS for name in ("clock", "ssl_context")),
        *(partial(make, proxy=f"{PROXY}?") for make in CONSTRUCTORS),
        *(partial(make, proxy=PROXY, timeout=0) for make in CONSTRUCTORS[:2]),
        *(partial(make, **{name: ADDRESS}) for make, name in zip(CONSTRUCTORS, _BASE_URLS, strict=True)),
        partial(CONSTRUCTORS[2], 5, proxy=PROXY),
        *(partial(make, CANARY.encode()) for make in TOKENS),
        *(partial(make, "t", portal_base_url=ADDRESS) for make in TOKENS),
        environment_base_url,
    ],
    ids=lambda call: f"{getattr(call, 'func', call).__name__} {sorted(getattr(call, 'keywords', {}))}",
)
def test_no_frame_of_a_refused_argument_shows_a_secret(call, monkeypatch):
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", ADDRESS)
    with pytest.raises(BillingError) as caught:
        call()
    frames = [entry.frame for entry in caught.traceback if "nous_billing" in str(entry.path)]
    assert frames
    shown = [view for frame in frames for value in frame.f_locals.values() for view in views(value)]
    assert not [view for view in (*shown, str(caught.value)) if "canary" in view]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_login_is_neither_copied_nor_pickled(make):
    with pytest.raises(BillingError, match="A StoredLogin cannot be copied or pickled") as caught:
        make(StoredLogin())
    assert caught.value.error == "invalid_copy"


def test_the_views_of_these_tests_find_what_is_no_secret():
    for plain in (CANARY, CANARY.encode(), [{"a": (CANARY,)}], Credentials(CANARY).access_token):
        assert [view for view in views(plain) if "canary" in view]


def test_a_secret_is_shown_as_stars():
    secret = Secret("token")
    assert (repr(secret), str(secret), f"{secret}", f"{secret:.2}", f"{secret!r}") == ("'***'", *["***"] * 3, "'***'")
    hidden = SecretBytes(b"token")
    assert (repr(hidden), str(hidden), f"{hidden:>9}") == ("b'***'",) * 3
    assert json.dumps([secret, hidden], default=repr) == """["'***'", "b'***'"]"""


def test_what_is_revealed_is_the_value_itself():
    assert Secret("token").reveal() == "token"
    assert f"{Secret('token').reveal()}" + str(Secret("token").reveal()) == "tokentoken"
    assert SecretBytes(b"token").reveal() == b"token"
    assert SecretBytes(SecretBytes(b"token")).reveal() == b"token"
    assert (reveal(Secret("a")), reveal(SecretBytes(b"a")), reveal("a"), reveal(None)) == ("a", b"a", "a", None)


def test_parts_of_a_secret_are_secrets():
    parts = [Secret(" a b ").strip(), Secret("a b")[:2], Secret("a b").split()[0], Secret("a.b").split(".")[1]]
    assert parts == ["a b", "a ", "a", "b"]
    assert {type(part) for part in parts} == {Secret}
    assert SecretBytes(b"abc")[1:] == SecretBytes(b"bc")


def test_the_head_of_a_revealed_text_is_not_shown_by_its_repr_either():
    token = Credentials("token").access_token
    assert (token, token[:2], token[-1], repr(token), f"{token[:2]!r}") == ("token", "to", "n", "'***'", "'***'")
    assert (token.encode(), f"Bearer {token}", token.split("k")) == (b"token", "Bearer token", ["to", "en"])
    assert isinstance(token, str)
    assert json.loads(json.dumps({"token": token})) == {"token": "token"}
    assert isinstance(token[:2], RevealedText)


def test_a_part_or_a_cut_of_a_revealed_text_is_not_shown_by_any_format():
    token = Credentials("token").access_token
    shown = [f"{token:.2}", f"{token:>9}", f"{token[:2]}", str(token[:2]), f"{token[1:]}", f"{token[:3][:2]:x}"]
    assert shown == ["***"] * len(shown)


class Shown(str):
    """As a member of an enumeration of strings is in Python 3.11."""

    def __str__(self):
        return "Stage.ONE"


def test_a_secret_is_the_text_and_not_what_a_class_of_strings_shows():
    assert [Secret(each).reveal() for each in (Shown("token"), Secret("token").reveal()[:])] == ["token", "token"]
    assert StaticToken(Shown("token")).resolve().access_token == "token"


def test_secrets_are_equal_by_value_and_equal_to_what_they_hold():
    assert Secret("a") == Secret("a") == "a" == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != SecretBytes(b"a")
    assert SecretBytes(b"a") == b"a"
    assert {Secret("a"): 1}["a"] == 1
    assert "a" in {Secret("a")}
    assert (bool(Secret("")), bool(Secret("a")), bool(SecretBytes(b""))) == (False, True, False)


@pytest.mark.parametrize("holder", [Secret("a"), SecretBytes(b"a"), Credentials("a"), StaticToken("a")])
def test_a_secret_is_copied_and_not_pickled(holder):
    assert copy.copy(holder) is not None
    assert copy.deepcopy(holder) is not None
    with pytest.raises(
        TypeError, match=r"^A secret cannot be pickled\. Reveal it where it has to be handed on\.(\n|$)"
    ):
        pickle.dumps(holder)


def test_a_copy_of_a_secret_is_the_secret():
    secret = Secret("a")
    assert copy.copy(secret) is copy.deepcopy(secret) is secret


def test_only_what_is_told_to_writes_a_secret_as_json():
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(Secret("a"))
    assert json.dumps({"refresh_token": Secret("a")}, default=reveal_in_json) == '{"refresh_token": "a"}'
    for other in (SecretBytes(b"a"), object()):
        with pytest.raises(TypeError, match=f"^A {type(other).__name__} cannot be written as JSON.$"):
            json.dumps(other, default=reveal_in_json)


def test_the_strings_of_a_login_are_masked_unless_they_are_known_to_be_harmless():
    login = masked({"access_token": "a", "refresh_token": "b", "id_token": None, "scope": "c", "tokens": "d"})
    assert login == {"access_token": "a", "refresh_token": "b", "id_token": None, "scope": "c", "tokens": "d"}
    assert {name for name, value in login.items() if isinstance(value, Secret)} == {
        "access_token",
        "refresh_token",
        "tokens",
    }


@pytest.mark.parametrize("token", ["token", Secret(" token\n"), "\ttoken ", "!~"])
def test_a_token_is_visible_ascii_and_white_space_around_it_is_dropped(token):
    assert check_token(token) == reveal(token).strip()


@pytest.mark.parametrize(
    "token", ["", " ", None, 5, b"token-1", "to ken", "to\nken", "to\x00ken", "to\x7fken", "t\u00f6ken"]
)
@pytest.mark.parametrize(("name", "said"), [((), "access token"), (("stored refresh token",), "stored refresh token")])
def test_what_is_no_token_is_refused_by_name(token, name, said):
    with pytest.raises(BillingAuthError) as caught:
        check_token(token, *name)
    kinds = {None: "None", 5: "int", b"token-1": "bytes"}
    what = (
        f"must be a string, not {kinds[token]}."
        if token in kinds
        else "is blank or has characters that a token cannot have. Log in again."
    )
    assert str(caught.value) == f"The {said} {what}"
    assert caught.value.error == "invalid_token"
