"""An HTTP client that is given: what is taken, and what of its own goes along."""

import httpx
import httpx2
import pytest

import nous_billing as nb
from nous_billing import AsyncBillingClient, BillingClient, StaticToken, StoredLogin
from tests.registry import KEY
from tests.sockets.harness import MovedClock, charge, failure, poll
from tests.sockets.raw_server import answer

from .given import both_libraries, given

ACCEPTED = answer(202, {"chargeId": "ch_1"})
SYNC = {
    "a client": lambda http: BillingClient(StaticToken("t"), http_client=http),
    "a login": lambda http: StoredLogin("login.json", http_client=http),
}
ASYNC = {"a client for tasks": lambda http: AsyncBillingClient(StaticToken("t"), http_client=http)}


class Derived(httpx.Client):
    """As the SDKs of others hand theirs around."""


@pytest.mark.parametrize("made", [*SYNC, *ASYNC])
@pytest.mark.parametrize(
    "http",
    [httpx.Client, httpx2.Client, Derived, httpx.AsyncClient, httpx2.AsyncClient, object, lambda: "http://proxy"],
    ids=["httpx", "httpx2", "derived", "httpx-async", "httpx2-async", "object", "str"],
)
def test_a_client_that_cannot_be_used_is_refused_when_it_is_given(made, http):
    http = http()
    fits = isinstance(http, (httpx.AsyncClient, httpx2.AsyncClient) if made in ASYNC else (httpx.Client, httpx2.Client))
    if fits:
        (SYNC | ASYNC)[made](http)
        return
    with pytest.raises(nb.BillingInvalidRequest) as caught:
        (SYNC | ASYNC)[made](http)
    needed = "AsyncClient" if made in ASYNC else "Client"
    assert caught.value.error == "invalid_http_client"
    assert str(caught.value).startswith(f"http_client must be an httpx.{needed} or an httpx2.{needed} here, not ")


@both_libraries
def test_what_is_the_clients_own_goes_along_and_what_is_ours_stays(library, client_kind, server):
    client = given(
        client_kind,
        library,
        server.url,
        auth=("user", "password"),
        follow_redirects=True,
        cookies={"session": "theirs"},
        headers={
            "X-Tenant": "acme",
            "Accept-Language": "de",
            **dict.fromkeys(("Authorization", "Accept", "Accept-Encoding", "Content-Type", "Content-Length"), "7"),
            **dict.fromkeys(("Content-MD5", "User-Agent", "Idempotency-Key", "Cookie", "Connection", "Expect"), "7"),
            **dict.fromkeys(("Host", "TE", "Transfer-Encoding"), "7"),
        },
        params={"env": "prod", "q": "a b"},
        base_url="http://localhost:1/elsewhere",
    )
    server.script.append(answer(202, {"chargeId": "ch_1"}, {"Set-Cookie": "a=b"}))
    charge(client, key="my-key")
    server.script.append(answer(302, b"", {"Location": "/elsewhere"}))
    assert failure(poll, client).status == 302
    posted, polled = server.requests
    # Libraries write a blank in two ways.
    assert posted.target == f"/api/billing/charge?{library.QueryParams({'env': 'prod', 'q': 'a b'})}"
    assert posted.body == b'{"amountUsd":50.25}'
    common = {
        "host": server.url.removeprefix("http://"),
        "x-tenant": "acme",
        "accept-language": "de",
        "authorization": "Bearer token-1",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"nous-billing/{nb.__version__}",
    }
    written = {"content-type": "application/json", "content-length": "19", "idempotency-key": "my-key"}
    assert posted.headers == {**common, **written, "connection": "close"}
    assert {name: value for name, value in polled.headers.items() if name != "connection"} == common


@both_libraries
def test_a_cookie_of_the_client_is_not_sent(library, client_kind, server):
    client = given(client_kind, library, server.url, cookies={"session": "theirs"})
    server.script.append(answer(200, {"status": "pending"}))
    poll(client)
    assert "cookie" not in server.requests[0].headers


@both_libraries
def test_parameters_of_the_client_leave_the_operations_own_alone(library):
    from nous_billing.transport.given_client import _with_parameters

    url = library.URL("https://portal.test/api/a%2Fb?scope=x%20y&n=1")
    for parameters, query in (
        ({}, b"scope=x%20y&n=1"),
        ({"env": "prod"}, b"scope=x%20y&n=1&env=prod"),
        ({"n": "2"}, b"scope=x%20y&n=1"),
    ):
        extended = _with_parameters(url, library.QueryParams(parameters))
        assert (extended.raw_path, extended.query) == (b"/api/a%2Fb?" + query, query)


@both_libraries
def test_a_purchase_goes_through_a_given_client(library, client_kind, mock_portal):
    client = given(client_kind, library, mock_portal.url, token=mock_portal.issue_token(), headers={"X-Tenant": "acme"})
    accepted = charge(client, key=KEY)
    mock_portal.clock.advance(5)
    assert client.wait_for_charge(accepted.charge_id).status == "settled"
    assert {request.headers["x-tenant"] for request in mock_portal.requests} == {"acme"}


@both_libraries
def test_a_login_goes_through_a_given_client(library, mock_portal, tmp_path):
    with library.Client(headers={"X-Tenant": "acme", "Authorization": "Bearer theirs"}) as http:
        clock = MovedClock(mock_portal.clock)
        login = StoredLogin(tmp_path / "login.json", portal_base_url=mock_portal.url, http_client=http, clock=clock)
        login.login(lambda code: mock_portal.approve_device(code.user_code))
        assert login.is_logged_in
        login.close()
        assert not http.is_closed
    asked = [request.headers for request in mock_portal.requests]
    assert {headers["x-tenant"] for headers in asked} == {"acme"}
    assert not any("authorization" in headers for headers in asked)
