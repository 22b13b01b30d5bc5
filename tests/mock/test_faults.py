"""Faults on demand, as they look from the other end of a socket."""

import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from nous_billing.mock import Fault, MockPortal


def raw_exchange(portal, token, path="/api/billing/state", timeout=2.0):
    """The bytes that come back, and how long the last of them took."""
    address = urlsplit(portal.url)
    started = time.monotonic()
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received, time.monotonic() - started


def test_any_status_body_and_header(portal, api):
    portal.inject(Fault.reply(520, {"a": [1]}, {"X-Note": "hm"}), "get_billing_state")
    portal.inject(Fault.reply(200, b"\xff\xfe", {"Content-Type": "text/plain"}), "get_billing_state")
    portal.inject(Fault.reply(200, "null"), "get_billing_state")
    portal.inject(Fault.reply(302, headers={"Location": "/elsewhere"}), "get_billing_state")
    for status in (204, 460, 499):
        portal.inject(Fault.reply(status), "get_billing_state")
    replies = [api.state() for _ in range(8)]
    statuses = [520, 200, 200, 302, 204, 460, 499, 200]
    assert [reply.status_code for reply in replies] == statuses
    assert replies[0].json() == {"a": [1]}
    assert replies[0].headers["x-note"] == "hm"
    assert (replies[1].content, replies[1].headers["content-type"]) == (b"\xff\xfe", "text/plain")
    assert (replies[2].content, replies[2].headers["content-type"]) == (b"null", "application/json")
    assert replies[3].headers["location"] == "/elsewhere"
    assert replies[7].json()["org"]["name"] == "Acme"
    assert [request.status for request in portal.requests] == statuses


def test_a_page_and_an_outage(portal, api):
    portal.inject(Fault.html())
    page = api.state()
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>" in page.text
    portal.inject(Fault.unavailable())
    portal.inject(Fault.unavailable("stripe_unavailable", retry_after=7))
    assert (api.charge().json()["error"], api.charge().headers["retry-after"]) == ("temporarily_unavailable", "7")
    assert portal.organisation.charges == []


def test_faults_wait_for_their_operation_first_in_first_out(portal, api):
    portal.inject(Fault.reply(500), "post_charge", times=2)
    portal.inject(Fault.reply(502))
    portal.inject(Fault.reply(504), "post_charge")
    assert api.state().status_code == 502
    assert [api.charge().status_code for _ in range(4)] == [500, 500, 504, 202]


def test_the_token_endpoint_has_faults_too(portal, api):
    login = portal.log_in()
    portal.inject(Fault.reply(500, {}), "oauth_token")
    portal.inject(Fault.html(503), "oauth_device_code")
    assert api.state().status_code == 200
    assert api.refresh(login.refresh_token).status_code == 500
    assert api.device_code().status_code == 503
    portal.clock.advance(61)
    assert api.refresh(login.refresh_token).status_code == 200


def test_a_fault_for_an_operation_that_does_not_exist_is_an_error(portal):
    with pytest.raises(ValueError, match="post_charge"):
        portal.inject(Fault.drop(), "charge")


def test_what_http_cannot_say_is_left_to_raw_bytes():
    with pytest.raises(ValueError, match="raw"):
        Fault.reply(99)
    with pytest.raises(ValueError, match="raw"):
        Fault.reply(200, b"", {"Content-Length": "7"})


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize(
    "fault", [Fault.reply, Fault.html, Fault.drop, Fault.raw], ids=["reply", "html", "drop", "raw"]
)
def test_the_operation_takes_effect_only_if_the_fault_acts(portal, api, fault, acts):
    arguments = {"reply": [500], "raw": [b"garbage\r\n\r\n"]}.get(fault.__name__, [])
    portal.inject(fault(*arguments, acts=acts), "post_charge")
    try:
        assert api.charge().status_code in {200, 500}
    except httpx.RemoteProtocolError:
        assert portal.requests[-1].status is None
    assert len(portal.organisation.charges) == acts


def test_a_refresh_whose_reply_is_lost_has_used_the_token(portal, api):
    login = portal.log_in()
    portal.inject(Fault.drop(acts=True), "oauth_token")
    with pytest.raises(httpx.RemoteProtocolError):
        api.refresh(login.refresh_token)
    portal.clock.advance(61)
    assert api.refresh(login.refresh_token).json()["error"] == "refresh_token_reused"


def test_a_drop_ends_the_connection_without_a_byte(portal, api):
    portal.inject(Fault.drop())
    received, _ = raw_exchange(portal, api.token)
    assert received == b""


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"",
    ],
)
def test_raw_bytes_arrive_as_they_are(portal, api, data):
    portal.inject(Fault.raw(data))
    assert raw_exchange(portal, api.token)[0] == data
    assert api.state().status_code == 200


def test_a_truncated_body_is_a_broken_reply_to_a_client(portal, api):
    portal.inject(Fault.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
    with pytest.raises(httpx.RemoteProtocolError):
        api.state()


def test_a_stall_says_nothing_and_ends_with_the_client(portal, api):
    portal.inject(Fault.stall())
    with pytest.raises(httpx.ReadTimeout):
        api.client.get("/api/billing/state", timeout=0.05)
    assert portal.requests[0].status is None
    assert api.state().status_code == 200
    wait_until(lambda: portal._server.open_requests == 0)


def wait_until(condition):
    deadline = time.monotonic() + 2
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    "fault", [Fault.stall(), Fault.drip(30), Fault.drip(30, "headers")], ids=["stall", "body", "headers"]
)
def test_a_slow_reply_ends_with_the_server(fault):
    portal = MockPortal()
    portal.start()
    portal.inject(fault)
    ended = []

    def ask():
        try:
            ended.append(raw_exchange(portal, portal.issue_token(), timeout=10)[0])
        except ConnectionError as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: portal.requests)
    started = time.monotonic()
    portal.stop()
    assert time.monotonic() - started < 5
    asking.join(timeout=2)
    assert len(ended) == 1


def test_a_body_drips_byte_by_byte(portal, api):
    charge_id = api.charge().json()["chargeId"]
    portal.inject(Fault.drip(0.005))
    with api.client.stream(
        "GET", f"/api/billing/charge/{charge_id}", headers={"Authorization": f"Bearer {api.token}"}
    ) as reply:
        chunks = list(reply.iter_raw())
    assert b"".join(chunks) == b'{"status":"pending"}'
    assert len(chunks) > 10
    assert portal.requests[-1].status == 200


def test_headers_drip_byte_by_byte_and_the_body_comes_at_once(portal, api):
    portal.inject(Fault.drip(0.002, "headers"))
    received, seconds = raw_exchange(portal, api.token, "/api/billing/charge/x")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/json")
    assert body == b'{"status":"pending"}'
    assert seconds > 0.002 * len(head)


def test_a_drip_without_effect_is_an_outage(portal, api):
    portal.inject(Fault.drip(0.0, acts=False))
    reply = api.charge()
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert portal.organisation.charges == []


def test_a_drip_that_nobody_reads_ends(portal, api):
    portal.inject(Fault.drip(0.01))
    with api.client.stream("GET", "/api/billing/state", headers={"Authorization": f"Bearer {api.token}"}) as reply:
        next(reply.iter_raw())
    wait_until(lambda: portal._server.open_requests == 0)


@pytest.mark.parametrize(
    ("fault", "status", "charges"),
    [
        (Fault.late(0.1), 202, 1),
        (Fault.late(0.1, acts=False), 503, 0),
        (Fault.reply(499, delay=0.1), 499, 0),
        (Fault.reply(500, delay=0.1, acts=True), 500, 1),
    ],
    ids=["made", "not made", "foreign", "foreign but made"],
)
def test_a_reply_may_be_late(portal, api, fault, status, charges):
    portal.inject(fault, "post_charge")
    started = time.monotonic()
    assert api.charge().status_code == status
    assert time.monotonic() - started >= 0.1
    assert portal.requests[-1].status == status
    assert len(portal.organisation.charges) == charges


FORGED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n{"chargeId":"ch_xx"}'
PENDING = b'{"status":"pending"}'


@pytest.mark.parametrize(("second", "body"), [(b"", PENDING), (FORGED, b'{"chargeId":"ch_xx"}')])
def test_a_second_reply_lies_behind_the_first_on_a_connection_that_stays_open(portal, api, second, body):
    portal.inject(Fault.twice(second))
    address = urlsplit(portal.url)
    ask = f"GET /api/billing/charge/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode()
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=2) as connection:
        for replies in (2, 3):
            connection.sendall(ask)
            while received.count(b"}") < replies:
                received += connection.recv(65536)
    assert [part.rpartition(b"\r\n")[2] for part in received.split(b"HTTP/1.1 ")[1:]] == [PENDING, body, PENDING]
    assert [request.status for request in portal.requests] == [200, 200]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_a_server_a_drop_is_an_error_and_raw_bytes_ask_for_one():
    portal = MockPortal()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(portal.app), base_url="http://portal") as client:
        headers = {"Authorization": f"Bearer {portal.issue_token()}"}
        assert (await client.get("/api/billing/state", headers=headers)).json()["balanceUsd"] == "100"
        for fault in (Fault.reply(500), Fault.drip(0.0)):
            portal.inject(fault)
            assert (await client.get("/api/billing/state", headers=headers)).status_code in {200, 500}
        portal.inject(Fault.drop())
        with pytest.raises(ConnectionResetError):
            await client.get("/api/billing/state", headers=headers)
        for fault in (Fault.raw(b"x"), Fault.drip(0.0, "headers"), Fault.twice()):
            portal.inject(fault)
            with pytest.raises(RuntimeError, match="serve"):
                await client.get("/api/billing/state", headers=headers)
