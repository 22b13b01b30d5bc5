"""Which proxy a connection takes: variables, settings and exceptions, in tables."""

import sys
import traceback
import urllib.request

import pytest

from nous_billing import BillingInvalidRequest
from nous_billing.transport.proxies import Proxy, check_setting, proxy_for

PORTAL = "https://portal.test"
PASSWORD = "canary/1"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def environment(monkeypatch):
    return lambda variables: [monkeypatch.setenv(name, value) for name, value in variables.items()]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.test"}, "HTTPS_PROXY"),
        ({"https_proxy": "http://proxy.test", "HTTPS_PROXY": "http://other.test"}, "https_proxy"),
        ({"HTTPS_PROXY": "http://proxy.test", "ALL_PROXY": "socks://other.test"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.test", "all_proxy": "http://other.test"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "http://proxy.test"}, "ALL_PROXY"),
        ({"all_proxy": "http://proxy.test", "ALL_PROXY": "http://other.test"}, "all_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://other.test"}, None),
        ({"https_proxy": " ", "ALL_PROXY": "http://proxy.test"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "garbage://", "http_proxy": "garbage://"}, None),
        ({"HTTPS_PROXY": "garbage://", "NO_PROXY": "portal.test"}, None),
        ({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": "portal.test", "no_proxy": "x"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": "portal.test", "no_proxy": ""}, "HTTPS_PROXY"),
    ],
    ids=str,
)
def test_the_variables_that_have_a_say(variables, name, environment):
    environment(variables)
    proxy = proxy_for(PORTAL, None)
    assert (proxy and (proxy.name, proxy.host)) == (name and (name, "proxy.test"))


@pytest.mark.parametrize(
    "base_url",
    [
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "https://localhost",
        "https://LOCALHOST./",
        "https://127.8.9.1",
        "https://[0:0:0:0:0:0:0:1]:8443",
        "https://[::ffff:127.0.0.1]",
    ],
)
@pytest.mark.parametrize("setting", [None, "http://proxy.test"])
def test_loopback_is_never_proxied_and_no_setting_is_looked_at(base_url, setting, environment):
    environment({"HTTPS_PROXY": "garbage://", "HTTP_PROXY": "garbage://", "ALL_PROXY": "garbage://"})
    assert proxy_for(base_url, setting) is None


@pytest.mark.parametrize("base_url", ["https://localhost.test", "https://127.test", "https://127.0.0.1.test"])
def test_a_name_like_loopbacks_is_proxied(base_url, environment):
    environment({"HTTPS_PROXY": "http://proxy.test"})
    assert proxy_for(base_url, None) is not None


NAME, V4, V6 = "https://api.portal.test:8443", "https://10.1.2.3", "https://[fd00::1:2]:8443"


@pytest.mark.parametrize(
    ("entry", "excepted"),
    [
        ("*", {NAME, V4, V6}),
        ("api.portal.test", {NAME}),
        ("API.Portal.Test.", {NAME}),
        ("portal.test", {NAME}),
        (".portal.test", {NAME}),
        ("*.portal.test", {NAME}),
        ("rtal.test", set()),
        ("x.api.portal.test", set()),
        ("portal.test:8443", {NAME}),
        ("portal.test:443", set()),
        ("portal.test:08443", set()),
        ("10.1.2.3", {V4}),
        ("10.1.2.3:443", {V4}),
        ("10.1.2.3:80", set()),
        ("10.0.0.0/8", {V4}),
        ("10.1.2.9/8", {V4}),
        ("11.0.0.0/8", set()),
        ("0.0.0.0/0", {V4}),
        ("fd00::1:2", {V6}),
        ("[fd00::1:2]", {V6}),
        ("FD00:0:0::1:2", {V6}),
        ("[fd00::1:2]:8443", {V6}),
        ("[fd00::1:2]:443", set()),
        ("fd00::/8", {V6}),
        ("[fd00::]/8", {V6}),
        ("fe80::/10", set()),
        ("a, 10.1.2.3 ,b", {V4}),
        ("a portal.test", {NAME}),
        ("[::1],::1,,.,*.,portal.test:x,[,],:,::,10.0.0.0/99,%,\u0661", set()),
        ("portal.test:" + "4" * 5000, set()),
    ],
)
def test_the_hosts_that_no_proxy_lists(entry, excepted, environment):
    environment({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": entry})
    assert {base_url for base_url in (NAME, V4, V6) if proxy_for(base_url, None) is None} == excepted


def test_an_address_of_ipv4_is_the_same_inside_ipv6(environment):
    environment({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": "10.0.0.0/8"})
    assert proxy_for("https://[::ffff:10.1.2.3]", None) is None


def test_a_host_of_digits_that_is_no_address_is_a_name(environment):
    environment({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": "10.0.0.0/8,1.2"})
    assert proxy_for("https://10.1.2.3.4", None) is not None
    assert proxy_for("https://0.1.2", None) is None


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "username", "password"),
    [
        ("http://proxy.test", "http", "proxy.test", 80, None, None),
        (" HTTP://proxy.test:3128/ ", "http", "proxy.test", 3128, None, None),
        ("proxy.test:3128", "http", "proxy.test", 3128, None, None),
        ("localhost", "http", "localhost", 80, None, None),
        ("https://proxy.test", "https", "proxy.test", 443, None, None),
        ("socks5://[fd00::1]", "socks5", "fd00::1", 1080, None, None),
        ("socks5h://u:p@127.0.0.1:7891/", "socks5h", "127.0.0.1", 7891, b"u", b"p"),
        ("u:p@proxy.test:1", "http", "proxy.test", 1, b"u", b"p"),
        ("http://u@proxy.test:65535", "http", "proxy.test", 65535, b"u", b""),
        ("http://@proxy.test", "http", "proxy.test", 80, None, None),
        ("http://d%5Cu%40x:p%3A%2F%C3%A9:@@proxy.test", "http", "proxy.test", 80, b"d\\u@x", b"p:/\xc3\xa9:@"),
    ],
)
def test_a_url_is_read(url, scheme, host, port, username, password, environment):
    environment({"HTTPS_PROXY": url})
    expected = Proxy(scheme, host, port, "HTTPS_PROXY", username, password)
    assert proxy_for(PORTAL, None) == expected
    assert proxy_for(PORTAL, url.strip()) == Proxy(scheme, host, port, "proxy=", username, password)


def test_a_user_is_sent_as_basic_authentication():
    proxy = proxy_for(PORTAL, "http://Aladdin:open%20sesame@proxy.test")
    assert proxy is not None
    assert proxy.authorization == b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Proxy("http", "proxy.test", 80, "proxy=").authorization is None


MALFORMED = "write it like http://host:port, with special characters of a password percent-encoded"


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("socks://proxy.test", "socks:// is not supported; write socks5:// instead of socks://"),
        ("socks4a://proxy.test", "socks4a:// is not supported; write socks5:// instead of socks4a://"),
        ("ftp://proxy.test", "ftp:// is not supported; write http://host:port"),
        ("http://", MALFORMED),
        ("http://proxy.test:0", MALFORMED),
        ("http://proxy.test:65536", MALFORMED),
        ("http://proxy.test:\u0661", MALFORMED),
        ("http://proxy.test/proxy.pac", MALFORMED),
        ("http://proxy .test", MALFORMED),
        (f"http://u:{PASSWORD}@proxy.test:80", MALFORMED),
        (f"http://u:1/{PASSWORD}@proxy.test:80", MALFORMED),
        (f"socks://u:{PASSWORD.replace('/', '')}@proxy.test", "write socks5://"),
        (f"socks5://u:{PASSWORD.replace('/', '') * 40}@proxy.test", "may have at most 255 bytes each"),
        (f"socks5://{PASSWORD.replace('/', '') * 40}@proxy.test", "may have at most 255 bytes each"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url, remedy, environment):
    environment({"all_proxy": url})
    for name, call in (
        ("all_proxy", lambda: proxy_for(PORTAL, None)),
        ("proxy=", lambda: proxy_for(PORTAL, url)),
        ("proxy=", lambda: check_setting(url)),
    ):
        with pytest.raises(BillingInvalidRequest) as caught:
            call()
        assert caught.value.error == "invalid_proxy"
        assert str(caught.value).startswith(f"{name} cannot be used as a proxy: ")
        assert str(caught.value).endswith(". Nothing was sent.")
        assert remedy in str(caught.value)
        ours = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        shown = [
            line for frame in ours.stack if "nous_billing" in frame.filename for line in (frame.locals or {}).values()
        ]
        assert shown
        assert not [line for line in (*shown, str(caught.value)) if "canary" in line]


def test_a_proxy_does_not_show_its_password():
    proxy = proxy_for(PORTAL, "http://canary-user:canary@proxy.test")
    assert repr(proxy) == "Proxy(scheme='http', host='proxy.test', port=80, name='proxy=')"
    assert proxy is not None
    for secret in (proxy.username, proxy.password, proxy.authorization):
        assert f"{secret!r}{secret!s}{[secret]}" == "b'***'b'***'[b'***']"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_needs_an_extra(scheme, environment, monkeypatch):
    environment({"ALL_PROXY": f"{scheme}://127.0.0.1:7891"})
    assert proxy_for(PORTAL, None) is not None
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(BillingInvalidRequest) as caught:
        proxy_for(PORTAL, None)
    assert str(caught.value) == (
        f"ALL_PROXY cannot be used as a proxy: {scheme}:// needs an extra: "
        "install nous-billing[socks] from the index of nous-billing. Nothing was sent."
    )


@pytest.mark.parametrize("setting", [None, False, "http://proxy.test"])
def test_a_setting_that_can_be_used_is_returned(setting):
    assert check_setting(setting) == setting


def test_a_setting_is_returned_as_a_secret():
    assert repr(check_setting("http://u:canary@proxy.test")) == "'***'"


@pytest.mark.parametrize("setting", [True, 0, b"http://proxy.test", {}])
def test_a_setting_of_another_type_is_refused(setting):
    with pytest.raises(BillingInvalidRequest, match=r"proxy must be a URL like") as caught:
        check_setting(setting)
    assert caught.value.error == "invalid_proxy"


def test_what_is_given_goes_before_the_environment(environment):
    environment({"HTTPS_PROXY": "http://other.test"})
    assert proxy_for(PORTAL, False) is None
    environment({"HTTPS_PROXY": "garbage://", "NO_PROXY": "*"})
    proxy = proxy_for(PORTAL, "http://proxy.test")
    assert proxy is not None
    assert proxy.name == "proxy="


@pytest.mark.parametrize("platform", ["darwin", "win32"])
@pytest.mark.parametrize(
    ("proxies", "bypassed", "host"),
    [
        ({"https": "http://proxy.test:3128"}, False, "proxy.test"),
        ({"https": "http://proxy.test:3128"}, True, None),
        ({"http": "http://proxy.test:3128"}, False, None),
        ({}, False, None),
    ],
)
def test_what_the_system_keeps_is_used_where_no_variable_says_so(
    platform, proxies, bypassed, host, environment, monkeypatch
):
    asked = []
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: proxies)
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: asked.append(host) or bypassed)
    proxy = proxy_for("https://portal.test:8443", None)
    assert (proxy and (proxy.name, proxy.host)) == (host and ("The proxy in the system's settings", host))
    assert asked in ([], ["portal.test"])
    environment({"ALL_PROXY": "http://other.test"})
    other = proxy_for(PORTAL, None)
    assert other is not None
    assert other.host == "other.test"


def test_a_proxy_of_the_system_that_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "socks4://proxy.test"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: False)
    with pytest.raises(BillingInvalidRequest, match=r"^The proxy in the system's settings cannot be used as a proxy"):
        proxy_for(PORTAL, None)
