"""Where the portal is, who may be given a token, and which links are safe to open."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nous_billing.errors import BillingInvalidRequest
from nous_billing.portal import (
    DEFAULT_PORTAL_BASE_URL,
    check_base_url,
    environment_base_url,
    environment_fingerprint,
    is_same_portal,
    portal_link,
    resolve_portal_base_url,
)
from tests.unit.drive import PREVIEW

STORED = {"portal_base_url": "http://localhost:3000"}

REFUSED = [
    "https://host.example/a/../b",
    "https://host.example/.",
    "https://host.example/./a",
    "https://host.example/a b",
    "https://host.example/%zz",
    "https://host.example/[a]",
    "",
    "   ",
    "/",
    "host",
    "//host",
    "https:",
    "https://",
    "https:///path",
    "https:/host",
    "https:host",
    "https://:443",
    "ftp://portal.nousresearch.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://portal.nousresearch.com",
    "http://preview.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.2",
    "http://0.0.0.0",
    "http://[::2]",
    "https://user@host.example",
    "https://user:secret@host.example",
    "https://@host.example",
    "https://:@host.example",
    "http://localhost@evil.example",
    "https://host.example?",
    "https://host.example?a=b",
    "https://host.example/?a=b",
    "https://host.example#",
    "https://host.example/#fragment",
    "https://host.example\\@evil.example",
    "https://host.example\\.evil.example",
    "https:\\\\host.example",
    "https://ho\tst.example",
    "https://ho\nst.example",
    "https://ho\rst.example",
    "ht\ntps://host.example",
    "https://host.example/a b",
    "https://host.example\x00",
    "https://h\u00f6st.example",
    "https://host\u3002example",
    "https://host.example:99999",
    "http://localhost:0",
    "https://host.example:000",
    "https://host.example:-1",
    "https://host.example:port",
    "https://host.example:8_0",
    "https://host.example:80:80",
    "https://[::1",
    "https://[evil]",
    "https://[::1%25eth0]",
    "https://ho%73t.example",
    "https://host.example;x",
    "https://<host>",
    "http://[::1]evil.example",
    "http://evil.example[::1]",
]


@pytest.fixture
def environment(monkeypatch):
    def set_variables(hermes, nous):
        for name, value in (("HERMES_PORTAL_BASE_URL", hermes), ("NOUS_PORTAL_BASE_URL", nous)):
            if value is not None:
                monkeypatch.setenv(name, value)

    return set_variables


@pytest.mark.parametrize(
    ("hermes", "nous", "state", "base_url"),
    [
        ("https://a.example", "https://b.example", STORED, "https://a.example"),
        (None, "https://b.example", STORED, "https://b.example"),
        ("", "https://b.example", STORED, "https://b.example"),
        ("  \t", "https://b.example", STORED, "https://b.example"),
        (None, None, STORED, "http://localhost:3000"),
        ("", " ", STORED, "http://localhost:3000"),
        (None, None, None, DEFAULT_PORTAL_BASE_URL),
        (None, None, {}, DEFAULT_PORTAL_BASE_URL),
        (None, None, {"portal_base_url": None}, DEFAULT_PORTAL_BASE_URL),
        (None, None, {"portal_base_url": "  "}, DEFAULT_PORTAL_BASE_URL),
        (None, None, {"portal_base_url": 5}, DEFAULT_PORTAL_BASE_URL),
        (" https://a.example/ ", None, None, "https://a.example"),
        ("https://a.example//", None, None, "https://a.example"),
        ("https://a.example/portal/", None, None, "https://a.example/portal"),
        ("http://localhost:3000/", None, None, "http://localhost:3000"),
        # The operator's word also outranks a stored value that would be refused.
        ("https://a.example", None, {"portal_base_url": "https://evil.example"}, "https://a.example"),
    ],
)
def test_the_environment_precedes_the_stored_login_which_precedes_the_default(
    environment, hermes, nous, state, base_url
):
    environment(hermes, nous)
    assert resolve_portal_base_url(state) == base_url


def test_the_default_is_the_production_portal():
    assert resolve_portal_base_url() == "https://portal.nousresearch.com"
    assert environment_base_url() is None


@pytest.mark.parametrize(
    "stored",
    [
        "https://portal.nousresearch.com",
        "https://portal.nousresearch.com/",
        "https://PORTAL.nousresearch.com:443",
        "https://localhost",
        "http://localhost:3000",
        "http://127.0.0.1:8080",
    ],
)
def test_a_stored_value_may_name_the_portal_or_this_machine(stored):
    assert resolve_portal_base_url({"portal_base_url": stored}) == stored.lower().removesuffix(":443").rstrip("/")


@pytest.mark.parametrize(
    "stored",
    [
        "https://evil.example",
        "https://preview.nousresearch.com",
        "https://portal.nousresearch.com.evil.example",
        "https://evilportal.nousresearch.com",
        "https://portal.nousresearch.com.",
        "https://nousresearch.com",
        "http://[::1]:3000",
        "http://portal.nousresearch.com",
        "https://portal.nousresearch.com@evil.example",
        "https://evil.example/portal.nousresearch.com",
        "not a url",
    ],
)
def test_a_stored_value_may_name_no_other_host(stored):
    with pytest.raises(BillingInvalidRequest, match="stored login") as caught:
        resolve_portal_base_url({"portal_base_url": stored})
    assert caught.value.error == "invalid_base_url"


@pytest.mark.parametrize("name", ["HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"])
def test_a_variable_that_cannot_be_used_is_named_and_not_passed_over(monkeypatch, name):
    monkeypatch.setenv(name, "http://evil.example")
    with pytest.raises(BillingInvalidRequest, match=name):
        resolve_portal_base_url(STORED)


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_may_not_be_given_a_token_is_refused(url):
    with pytest.raises(BillingInvalidRequest, match="base_url") as caught:
        check_base_url(url, "base_url")
    assert caught.value.error == "invalid_base_url"


@pytest.mark.parametrize("url", [None, 5, b"https://host.example", ["https://host.example"], True, object()])
def test_an_address_that_is_no_string_is_refused(url):
    with pytest.raises(BillingInvalidRequest, match=r"^base_url must be a string, not ") as caught:
        check_base_url(url, "base_url")
    assert caught.value.error == "invalid_base_url"


def test_a_refusal_of_user_info_does_not_repeat_the_password():
    with pytest.raises(BillingInvalidRequest) as caught:
        check_base_url("https://user:canary@host.example", "base_url")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://host.example", "https://host.example"),
        ("https://host.example/", "https://host.example"),
        ("\n https://host.example/// ", "https://host.example"),
        ("https://host.example:8443", "https://host.example:8443"),
        ("https://host.example/deep/path", "https://host.example/deep/path"),
        ("https://host.example//a%20b/...~c;d=e@f", "https://host.example//a%20b/...~c;d=e@f"),
        ("https://host.example/X/", "https://host.example/X"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:1", "http://localhost:1"),
        ("HTTPS://Host.EXAMPLE:443/X", "https://host.example/X"),
        ("https://host.example:", "https://host.example"),
        ("https://host.example:08443", "https://host.example:8443"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
        ("http://localhost:80/", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_https_or_http_on_this_machine_is_taken_without_its_trailing_slash(url, checked):
    assert check_base_url(url, "base_url") == checked


@pytest.mark.parametrize(
    "other",
    [
        "https://host.example.",
        "https://host.example:80",
        "http://host.example:443",
        "https://host.example/X",
        "https://host.example/x/y",
        "https://host.example/%78",
        "https://ho-st.example/x",
        "not an address",
        "",
    ],
)
def test_two_origins_are_never_one_portal(other):
    assert is_same_portal("https://HOST.example:443/x/", "https://host.example/x")
    assert not is_same_portal("https://host.example/x", other)
    assert is_same_portal(other, other)


@given(st.text() | st.from_regex(r"(https?|ftp)://[a-z@:\[\]\\.%?#0-9-]{0,20}(/.{0,5})?", fullmatch=True))
@settings(deadline=None)
def test_whatever_the_address_it_is_refused_or_safe(url):
    try:
        checked = check_base_url(url, "base_url")
    except BillingInvalidRequest:
        return
    parts = urlsplit(checked)
    assert parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
    assert parts.hostname
    assert (parts.query, parts.fragment, parts.username, parts.password) == ("", "", None, None)
    assert checked.isascii()
    assert not checked.endswith("/")


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("/billing?topup=open", f"{PREVIEW}/billing?topup=open"),
        ("  /billing  ", f"{PREVIEW}/billing"),
        ("billing", f"{PREVIEW}/billing"),
        ("?topup=open", f"{PREVIEW}/?topup=open"),
        ("#top", f"{PREVIEW}/#top"),
        ("/a/../b", f"{PREVIEW}/b"),
        ("/@somebody", f"{PREVIEW}/@somebody"),
        ("https://elsewhere.example/pay", "https://elsewhere.example/pay"),
        ("http://elsewhere.example/pay", "http://elsewhere.example/pay"),
        ("HTTPS://elsewhere.example/", "https://elsewhere.example/"),
        ("//elsewhere.example/pay", None),
        ("  //elsewhere.example", None),
        ("///elsewhere.example", None),
        ("/\\elsewhere.example", None),
        ("\\\\elsewhere.example", None),
        ("https:\\\\elsewhere.example", None),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b.example", None),
        ("file:///etc/passwd", None),
        ("vbscript:x", None),
        ("ftp://elsewhere.example", None),
        ("https://user@elsewhere.example", None),
        ("https://user:secret@elsewhere.example/", None),
        ("https://preview.example@elsewhere.example/", None),
        ("https://@elsewhere.example/", None),
        ("https://:443/", None),
        ("https://elsewhere.example:99999/", None),
        ("https://[::1", None),
        ("/bill\ning", None),
        ("/\t/elsewhere.example", None),
        ("/bill ing", None),
        ("/\x00", None),
        ("/\u202egnillib", None),
        ("/\u00fc", None),
        ("", None),
        ("   ", None),
        (None, None),
        (5, None),
        (b"/billing", None),
        (["/billing"], None),
        ({"href": "/billing"}, None),
        (True, None),
    ],
)
def test_a_portal_link_is_absolute_against_the_base_that_answered_or_there_is_none(link, absolute):
    assert portal_link(PREVIEW, link) == absolute


def test_a_portal_link_keeps_the_port_and_takes_the_root_of_a_base_with_a_path():
    assert portal_link("http://localhost:3000", "/billing") == "http://localhost:3000/billing"
    assert portal_link("https://host.example/portal", "/billing") == "https://host.example/billing"
    assert portal_link("https://host.example/portal", "billing") == "https://host.example/portal/billing"


HOSTILE = st.text(alphabet=st.sampled_from("htps:/\\@[]?#%.:\t\n a1-javcrdi;,&"), max_size=30)


@given(
    st.text()
    | HOSTILE
    | st.tuples(
        st.sampled_from(["http:", "https:", "javascript:", "data:", "//", "/", "https://", "http://"]), HOSTILE
    ).map("".join)
)
@settings(deadline=None, max_examples=300)
def test_whatever_the_link_it_is_none_or_http_without_user_info(link):
    absolute = portal_link(PREVIEW, link)
    if absolute is not None:
        parts = urlsplit(absolute)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert "@" not in parts.netloc
        assert not any(
            character.isspace() or character == "\\" or not character.isprintable() for character in absolute
        )
        assert parts.netloc == "preview.example" or "//" in link


@pytest.mark.parametrize(
    ("url", "shown", "remedy"),
    [
        ("https://user:canary@host.example", "", "it must not carry a user name or password"),
        ("host", " 'host'", "it must be like https://host, with no query or fragment"),
        pytest.param(
            "h" * 1000, f" {'h' * 1000!r}", "it must be like https://host, with no query or fragment", id="shown"
        ),
        pytest.param("h" * 1001, "", "it must be like https://host, with no query or fragment", id="long"),
        (
            "https://h.example/p?canary",
            " 'https://h.example/p'",
            "it must be like https://host, with no query or fragment",
        ),
        ("https://h.example#canary", " 'https://h.example'", "it must be like https://host, with no query or fragment"),
        ("user:canary@host.example", "", "it must be like https://host, with no query or fragment"),
        ("https://user:can\nary@host.example", "", "it must be like https://host, with no query or fragment"),
        ("https://user:canary@host.example:port", "", "it must be like https://host, with no query or fragment"),
        (
            "http://evil.example/",
            " 'http://evil.example/'",
            "it must be https, or http on localhost, 127.0.0.1 or [::1]",
        ),
    ],
)
def test_a_refused_address_is_shown_with_what_it_must_be(url, shown, remedy):
    with pytest.raises(BillingInvalidRequest) as caught:
        check_base_url(url, "base_url")
    assert str(caught.value) == f"base_url{shown} cannot be used as the portal's address: {remedy}."


@pytest.mark.parametrize(
    ("stored", "remedy"),
    [
        ("https://evil.example", "set HERMES_PORTAL_BASE_URL if you trust it, or log in again"),
        ("http://evil.example", "it must be https, or http on localhost, 127.0.0.1 or [::1]"),
    ],
)
def test_a_refused_address_of_a_stored_login_is_shown_as_such(stored, remedy):
    with pytest.raises(BillingInvalidRequest) as caught:
        resolve_portal_base_url({"portal_base_url": stored})
    assert str(caught.value) == (
        f"The portal URL of the stored login '{stored}' cannot be used as the portal's address: {remedy}."
    )


def test_what_is_kept_for_an_environment_is_not_kept_for_another(monkeypatch):
    seen = {environment_fingerprint()}
    for name in ("HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"):
        for value in ("https://a.example", "https://b.example"):
            monkeypatch.setenv(name, value)
            seen.add(environment_fingerprint())
    assert len(seen) == 5
