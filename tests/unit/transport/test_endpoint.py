"""What a base URL says of where a request goes."""

import string

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nous_billing import BillingInvalidRequest
from nous_billing.portal import check_base_url
from nous_billing.transport.endpoint import Endpoint, is_address, target
from nous_billing.transport.proxies import Proxy

BASE = "https://portal.test"
PROXY = Proxy("http", "proxy.test", 3128, "HTTPS_PROXY")


@pytest.mark.parametrize(
    ("base_url", "endpoint", "host_header", "path"),
    [
        ("https://portal.test", Endpoint(True, "portal.test", 443), "portal.test", ""),
        ("https://Portal.test:443", Endpoint(True, "portal.test", 443), "portal.test", ""),
        ("https://portal.test:8443", Endpoint(True, "portal.test", 8443), "portal.test:8443", ""),
        ("http://localhost:3000", Endpoint(False, "localhost", 3000), "localhost:3000", ""),
        ("http://127.0.0.1", Endpoint(False, "127.0.0.1", 80), "127.0.0.1", ""),
        ("http://[::1]:80", Endpoint(False, "::1", 80), "[::1]", ""),
        ("http://[::1]:8080", Endpoint(False, "::1", 8080), "[::1]:8080", ""),
        ("https://portal.test//a/b%20c", Endpoint(True, "portal.test", 443), "portal.test", "//a/b%20c"),
    ],
)
def test_a_base_url_says_where_a_request_goes(base_url, endpoint, host_header, path):
    found = target(base_url, None)
    assert (found.endpoint, found.host_header, found.path) == (endpoint, host_header, path)


def test_two_base_urls_of_one_portal_share_connections_unless_a_proxy_stands_between():
    assert target(f"{BASE}:443/tenant", None).endpoint == target(BASE, None).endpoint
    assert target(BASE, PROXY).endpoint != target(BASE, None).endpoint


@given(st.text(string.printable, max_size=12))
def test_a_base_url_that_is_taken_arrives_as_it_is_written_and_as_another_library_writes_it(path):
    try:
        base_url = check_base_url(f"{BASE}/{path}", "base_url")
    except BillingInvalidRequest:
        return
    found = target(base_url, None).path
    assert found == base_url.removeprefix(BASE)
    assert f"{found}/x".encode() == httpx.URL(f"{base_url}/x").raw_path


@pytest.mark.parametrize(
    ("endpoint", "first_hop", "needs_tls", "shown"),
    [
        (Endpoint(False, "::1", 80), ("::1", 80), False, "[::1]:80"),
        (Endpoint(True, "portal.test", 443), ("portal.test", 443), True, "portal.test:443"),
        (
            Endpoint(False, "portal.test", 80, Proxy("https", "proxy.test", 443, "proxy=")),
            ("proxy.test", 443),
            True,
            "the proxy proxy.test:443 of proxy=",
        ),
        (
            Endpoint(True, "portal.test", 443, PROXY),
            ("proxy.test", 3128),
            True,
            "the proxy proxy.test:3128 of HTTPS_PROXY",
        ),
    ],
)
def test_an_endpoint_says_what_is_connected_to(endpoint, first_hop, needs_tls, shown):
    assert (endpoint.first_hop, endpoint.needs_tls, str(endpoint)) == (first_hop, needs_tls, shown)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("127.0.0.1", True), ("::1", True), ("localhost", False), ("1.2.3", False), ("fe80::1%eth0", False)],
)
def test_an_address_needs_no_look_up(host, is_one):
    assert is_address(host) is is_one
