"""The loopback server, the records it keeps, and the clock."""

import gc
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

import nous_billing.mock
from nous_billing.mock import MockClock, MockPortal


def test_it_starts_and_stops_promptly_and_leaves_no_thread():
    portal = MockPortal()
    before = set(threading.enumerate())
    started = time.monotonic()
    url = portal.start()
    assert time.monotonic() - started < 5
    assert portal.url == url
    with httpx.Client() as client:
        assert client.get(f"{url}/openapi.json").status_code == 200
        started = time.monotonic()
        portal.stop()
        assert time.monotonic() - started < 5
    # Those of other tests may end meanwhile.
    assert set(threading.enumerate()) <= before
    portal.stop()
    with pytest.raises(RuntimeError, match="not being served"):
        portal.url  # noqa: B018


def test_it_starts_again_at_the_same_port_and_remembers():
    portal = MockPortal()
    with portal.serve() as url:
        assert httpx.get(f"{url}/x").status_code == 404
    with portal.serve(port=urlsplit(url).port) as again:
        assert again == url
        assert httpx.get(f"{url}/x").status_code == 404
        with pytest.raises(RuntimeError, match="already"), portal.serve():
            pass
        assert httpx.get(f"{url}/x").status_code == 404
    assert len(portal.requests) == 3


def test_a_port_that_is_taken_is_an_error_of_the_caller():
    with MockPortal().serve() as url, pytest.raises(OSError, match="address already in use"):
        MockPortal().start(port=urlsplit(url).port)


@pytest.mark.parametrize("place", [{"port": -1}, {"port": 70000}, {"port": []}, {"host": "x" * 70}])
def test_a_place_that_cannot_be_is_an_error_and_never_an_address(place):
    portal = MockPortal()
    with pytest.raises((OSError, OverflowError, TypeError, UnicodeError)):
        portal.start(**place)
    with pytest.raises(RuntimeError, match="not being served"):
        portal.url  # noqa: B018


def test_it_speaks_tls(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "cert.pem"
    certificate.private_key_pem.write_to_path(key_file)
    certificate.cert_chain_pems[0].write_to_path(certificate_file)
    context = httpx.create_ssl_context()
    authority.configure_trust(context)
    portal = MockPortal()
    with (
        portal.serve(ssl_certfile=str(certificate_file), ssl_keyfile=str(key_file)) as url,
        httpx.Client(base_url=url, verify=context, trust_env=False) as client,
    ):
        assert url.startswith("https://localhost:")
        device = client.post("/api/oauth/device/code", data={"client_id": "hermes-cli"}).json()
        assert device["verification_uri"] == f"{url}/device"


def test_a_connection_is_kept_alive_and_answers_without_delay(portal, api):
    with closing(HTTPConnection(urlsplit(portal.url).netloc, timeout=2)) as connection:
        connection.connect()
        kept = connection.sock
        started = time.monotonic()
        for _ in range(20):
            connection.request("GET", "/api/billing/state", headers={"Authorization": f"Bearer {api.token}"})
            assert b"Acme" in connection.getresponse().read()
        assert connection.sock is kept
        # Nagle's algorithm would make this 0.8 s.
        assert time.monotonic() - started < 0.75


def test_anything_but_http_is_refused_silently(portal, caplog):
    address = urlsplit(portal.url)
    with socket.create_connection((address.hostname, address.port), timeout=2) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
    assert caplog.records == []


def test_a_client_that_disconnects_during_its_request_is_no_violation(portal, api):
    address = urlsplit(portal.url)
    with socket.create_connection((address.hostname, address.port), timeout=2) as connection:
        connection.sendall(b"POST /api/billing/charge HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert api.state().status_code == 200
    assert [request.operation for request in portal.requests] == ["get_billing_state"]


def test_tests_may_change_the_portal_while_it_answers(portal, api):
    def buy(number):
        person = portal.add_person(f"P{number}", portal.add_organisation(f"O{number}"))
        token = portal.issue_token(person)
        assert api.charge("10", token=token).status_code == 202
        portal.clock.advance(0.1)
        return len(person.organisation.charges)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(buy, range(40))) == [1] * 40
    assert len(portal.requests) == 40
    assert len({charge.id for person in portal.people for charge in person.organisation.charges}) == 40


def test_one_key_sent_many_times_at_once_is_one_charge(portal, api):
    with ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(lambda _: api.charge(), range(5)))
    assert len({reply.json()["chargeId"] for reply in replies}) == 1
    assert len(portal.organisation.charges) == 1


def test_a_record_is_what_was_on_the_wire(portal, api):
    api.poll("a%2Fb")
    api.charge("50.10", key="k")
    poll, charge = portal.requests
    assert (poll.operation, poll.method, poll.path, poll.body) == (
        "get_charge_status",
        "GET",
        "/api/billing/charge/a%2Fb",
        b"",
    )
    assert charge.headers["idempotency-key"] == "k"
    assert charge.headers["authorization"] == f"Bearer {api.token}"
    assert (charge.body, charge.status) == (b'{"amountUsd": 50.10}', 202)


def test_neither_a_record_nor_the_log_nor_a_repr_shows_a_token(portal, api, caplog):
    login = portal.log_in()
    with caplog.at_level(0):
        api.state(login.access_token)
        refreshed = api.refresh(login.refresh_token).json()
        device = api.device_code().json()
        api.poll_device(device["device_code"])
    secrets = [login.access_token, login.refresh_token, refreshed["refresh_token"], device["device_code"]]
    shown = repr(portal.requests) + repr(login) + caplog.text + repr(portal.__dict__)
    assert not [secret for secret in secrets if secret in shown]
    assert "authorization" in repr(portal.requests)
    lines = [record.getMessage() for record in caplog.records if record.name == "nous_billing.mock"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET /api/billing/state 200",
        "POST /api/oauth/token 200",
        "POST /api/oauth/device/code 200",
        "POST /api/oauth/token 400",
    ]
    assert lines[0].endswith(" ms")


def test_the_clock_runs_stands_still_and_moves_forward():
    frozen, running = MockClock(frozen=True), MockClock()
    then = frozen.now(), running.now()
    assert abs(then[0] - time.time()) < 1
    time.sleep(0.01)
    assert frozen.now() == then[0]
    assert 0.01 <= running.now() - then[1] < 1
    frozen.advance(86400)
    assert frozen.now() == then[0] + 86400
    assert frozen.datetime().timestamp() == pytest.approx(frozen.now())
    with pytest.raises(ValueError, match="forward"):
        frozen.advance(-1)


def test_the_public_names_are_there_and_sorted():
    assert nous_billing.mock.__all__ == sorted(nous_billing.mock.__all__)
    for name in nous_billing.mock.__all__:
        assert getattr(nous_billing.mock, name).__name__ == name
    with pytest.raises(AttributeError, match="Portal"):
        nous_billing.mock.Portal  # noqa: B018


def test_a_connection_that_arrives_while_the_portal_stops_is_closed_too(monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    for _ in range(30):
        portal = MockPortal()
        port = int(portal.start().rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            portal.stop()
    gc.collect()
    assert unraisable == []
