"""A call ends at its deadline, whatever the other side does, and says whether a charge may have been made."""

import gc
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
import trustme

import nous_billing as nb
from nous_billing import Credentials, StaticToken
from nous_billing.mock import Fault
from tests.documented import CALLS, CHANGING, KEYED, OPERATIONS
from tests.sockets.harness import TOLERANCE, Source, charge, failure, poll, read
from tests.sockets.raw_server import Answer, answer

DEADLINE = 0.4
# One that only reads, and the one that may charge.
BOTH = pytest.mark.parametrize("operation", ["get_charge_status", "post_charge"])


@contextmanager
def on_time(deadline=DEADLINE):
    """The block lasts as long as the deadline, and not much longer."""
    started = time.monotonic()
    yield
    assert deadline - 0.02 <= time.monotonic() - started <= deadline + TOLERANCE


def assert_timed_out(error, operation, *, sent=True):
    assert (type(error), error.error) == (nb.BillingTimeout, "network_error")
    assert error.outcome_unknown is (sent and operation in CHANGING)
    if operation in KEYED:
        assert ("Nothing was charged" in str(error)) is not sent


# --- After the request was sent


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        (Fault.drip(0.03, "headers"), "post_charge"),
        (Fault.drip(0.03, "body"), "post_charge"),
        (Fault.drip(0.03, "headers", acts=False), "get_billing_state"),
        (Fault.stall(), "post_charge"),
        (Fault.stall(acts=True), "post_charge"),
        (Fault.stall(), "get_charge_status"),
        (Fault.stall(), "patch_auto_top_up"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.kind} {value.part} {value.acts}",
)
def test_a_slow_reply_ends_at_the_deadline(fault, operation, client, mock_portal):
    mock_portal.inject(fault, operation)
    with on_time():
        error = failure(CALLS[operation], client, timeout=DEADLINE)
    assert_timed_out(error, operation)


@BOTH
def test_a_reply_that_stalls_in_its_body_ends_at_the_deadline(operation, raw_client, server):
    server.script.append(Answer(answer(202, {"chargeId": "ch_1"}).data[:-4], "hold"))
    with on_time():
        error = failure(CALLS[operation], raw_client, timeout=DEADLINE)
    assert_timed_out(error, operation)
    assert server.hung_up(1)


def test_a_refusal_that_stalls_in_its_body_keeps_its_status(raw_client, server):
    for status, raises, unknown in [
        (429, nb.BillingRateLimited, False),
        (403, nb.BillingResponseError, True),
        (500, nb.BillingServerError, True),
    ]:
        server.script.append(Answer(answer(status, {"error": "x"}, {"Retry-After": "9"}).data[:-4], "hold"))
        with on_time():
            error = failure(charge, raw_client, timeout=DEADLINE)
        assert (type(error), error.status, error.outcome_unknown) == (raises, status, unknown)
        assert error.retry_after == 9


def test_endless_informational_replies_end_at_the_deadline(client_kind):
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            while not stop.wait(0.01):
                try:
                    connection.sendall(early)
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        client = client_kind.client(StaticToken("t"), base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with on_time():
            error = failure(charge, client, timeout=DEADLINE)
        assert_timed_out(error, "post_charge")
    finally:
        stop.set()
        thread.join()
        listener.close()


def test_a_401_and_then_a_stall_share_one_deadline(client_kind, mock_portal):
    source = Source(["refused", mock_portal.issue_token()])
    client = client_kind.client(source, base_url=mock_portal.url)
    mock_portal.inject(Fault.drip(0.002, "body"), "post_charge")
    mock_portal.inject(Fault.stall(), "post_charge")
    with on_time(1.0):
        error = failure(charge, client, timeout=1.0)
    assert_timed_out(error, "post_charge")
    assert source.rejected == [None, "refused"]
    assert [request.status for request in mock_portal.requests] == [401, None]


def test_the_clients_own_timeout_holds_where_a_call_has_none(client_kind, mock_portal):
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, timeout=DEADLINE)
    mock_portal.inject(Fault.stall(), times=2)
    with on_time():
        assert_timed_out(failure(charge, client), "post_charge")
    with on_time(0.3):
        assert_timed_out(failure(read, client, timeout=0.3), "get_billing_state")


def test_a_call_after_one_that_timed_out_is_answered_by_its_own_reply(client, mock_portal):
    mock_portal.inject(Fault.stall(acts=True), "post_charge")
    assert failure(charge, client, timeout=DEADLINE).outcome_unknown is True
    accepted = charge(client)
    assert [accepted.charge_id] == [entry.id for entry in mock_portal.organisation.charges]


# --- Before the connection stood


@BOTH
def test_who_accepts_and_never_answers_is_left_at_the_deadline(operation, client_kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = client_kind.client(StaticToken("t"), base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with on_time():
            error = failure(CALLS[operation], client, timeout=DEADLINE)
        assert_timed_out(error, operation)


@pytest.fixture
def collected():
    """Have a connection that was left open reported here, and not in whichever test comes next."""
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
def test_a_tls_handshake_that_is_cut_leaves_no_connection_open(client_kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = client_kind.client(StaticToken("t"), base_url=f"https://localhost:{listener.getsockname()[1]}")
        failure(read, client, timeout=DEADLINE)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(1)
            while connection.recv(65536):
                pass


@pytest.mark.usefixtures("collected")
@BOTH
def test_a_tls_handshake_that_stalls_has_sent_nothing(operation, client_kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = client_kind.client(StaticToken("t"), base_url=f"https://localhost:{listener.getsockname()[1]}")
        with on_time():
            error = failure(CALLS[operation], client, timeout=DEADLINE)
        assert_timed_out(error, operation, sent=False)


ADDRESSES = [f"127.0.0.{number}" for number in range(1, 8)]


@pytest.fixture
def full_port():
    """A port, at seven addresses, whose queue of connections is full: one more attempt to connect hangs."""
    with ExitStack() as sockets:
        port = 0
        for address in ADDRESSES:
            listener = sockets.enter_context(socket.socket())
            listener.bind((address, port))
            listener.listen(0)
            port = listener.getsockname()[1]
            for _ in range(4):
                connection = sockets.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex((address, port))
        yield port


def test_a_connection_that_never_stands_has_sent_nothing(client_kind, full_port):
    client = client_kind.client(StaticToken("t"), base_url=f"http://127.0.0.1:{full_port}")
    with on_time():
        error = failure(charge, client, timeout=DEADLINE)
    assert_timed_out(error, "post_charge", sent=False)


def test_several_addresses_of_one_host_share_one_deadline(client_kind, full_port, monkeypatch):
    look_up = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        names = ADDRESSES if host in ("portal.test", b"portal.test") else [host]
        return [info for name in names for info in look_up(name, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    client = client_kind.client(StaticToken("t"), base_url=f"https://portal.test:{full_port}")
    with on_time():
        error = failure(charge, client, timeout=DEADLINE)
    assert_timed_out(error, "post_charge", sent=False)


def test_a_name_that_resolves_slowly_is_given_up_at_the_deadline(client_kind, monkeypatch):
    resolved = threading.Event()

    def resolve(*args, **kwargs):
        resolved.wait(2)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = client_kind.client(StaticToken("t"), base_url="https://portal.test")
    try:
        with on_time():
            error = failure(charge, client, timeout=DEADLINE)
    finally:
        resolved.set()
    assert_timed_out(error, "post_charge", sent=False)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("address", ["http://localhost:{port}", "https://localhost:{port}", "https://nowhere.invalid"])
def test_who_cannot_be_reached_was_sent_nothing(address, operation, client_kind):
    client = client_kind.client(StaticToken("t"), base_url=address.format(port=closed_port()))
    error = failure(CALLS[operation], client)
    assert (type(error), error.error, error.status) == (nb.BillingNetworkError, "network_error", None)
    assert error.outcome_unknown is False
    assert ("Nothing was charged." in str(error)) is (operation in KEYED)


# --- TLS


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(path / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(path / "cert.pem", append=True)
    authority.cert_pem.write_to_path(path / "ca.pem")
    return path


@pytest.fixture
def tls_portal(mock_portal, certificate):
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=str(certificate / "cert.pem"), ssl_keyfile=str(certificate / "key.pem")):
        yield mock_portal


@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_is_not_trusted_is_sent_nothing(operation, client_kind, tls_portal):
    client = client_kind.client(StaticToken(tls_portal.issue_token()), base_url=tls_portal.url)
    error = failure(CALLS[operation], client)
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingNetworkError, "network_error", False)
    assert "certificate" in str(error).lower()
    assert tls_portal.requests == []


def test_a_certificate_for_another_name_is_not_trusted(client_kind, tls_portal, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "ca.pem"))
    url = tls_portal.url.replace("localhost", "127.0.0.1")
    client = client_kind.client(StaticToken(tls_portal.issue_token()), base_url=url)
    assert failure(charge, client).outcome_unknown is False
    assert tls_portal.requests == []


def test_the_environment_says_which_authority_is_trusted(client_kind, tls_portal, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "ca.pem"))
    client = client_kind.client(StaticToken(tls_portal.issue_token()), base_url=tls_portal.url)
    assert read(client).portal_url == f"{tls_portal.url}/billing?topup=open"
    assert tls_portal.url.startswith("https://localhost:")
    accepted = charge(client)
    assert accepted.charge_id == tls_portal.organisation.charges[0].id


def test_the_deadline_holds_over_tls(client_kind, tls_portal, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "ca.pem"))
    client = client_kind.client(StaticToken(tls_portal.issue_token()), base_url=tls_portal.url)
    read(client)
    for part in ("headers", "body"):
        tls_portal.inject(Fault.drip(0.03, part), "post_charge")
        with on_time():
            assert_timed_out(failure(charge, client, timeout=DEADLINE), "post_charge")


def test_no_certificate_store_is_a_typed_error(client_kind, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    client = client_kind.client(StaticToken("t"), base_url=f"https://localhost:{closed_port()}")
    assert failure(charge, client).outcome_unknown is False


# --- Credentials


class Slow:
    """A source whose first answer takes until it is released."""

    def __init__(self, token, url, first_fails=False):
        self.released = threading.Event()
        self.finished = threading.Event()
        self.questions = []
        self._credentials = Credentials(token, url)

    def resolve(self, *, rejected=None):
        self.questions.append(rejected)
        self.released.wait(5)
        self.finished.set()
        return self._credentials


@BOTH
def test_a_refresh_outlives_the_call_that_began_it(operation, client_kind, mock_portal):
    source = Slow(mock_portal.issue_token(), mock_portal.url)
    client = client_kind.client(source)
    try:
        with on_time():
            error = failure(CALLS[operation], client, timeout=DEADLINE)
    finally:
        source.released.set()
    assert_timed_out(error, operation, sent=False)
    assert mock_portal.requests == []
    assert source.finished.wait(1)
    assert read(client).org.name == "Acme"
    assert source.questions == [None]


def test_calls_beside_a_slow_refresh_end_at_their_own_deadline(client_kind, mock_portal):
    source = Slow(mock_portal.issue_token(), mock_portal.url)
    client = client_kind.client(source)
    try:
        for _ in range(2):
            with on_time():
                assert_timed_out(failure(poll, client, timeout=DEADLINE), "get_charge_status")
    finally:
        source.released.set()
    assert read(client).org.name == "Acme"
    assert source.questions == [None]


def test_a_refresh_after_a_401_outlives_the_call_too(client_kind, mock_portal):
    good = mock_portal.issue_token()

    class SlowAfter401(Slow):
        def resolve(self, *, rejected=None):
            if rejected is None and not self.questions:
                self.questions.append(None)
                return Credentials("refused")
            return super().resolve(rejected=rejected)

    source = SlowAfter401(good, None)
    client = client_kind.client(source, base_url=mock_portal.url)
    try:
        with on_time():
            error = failure(charge, client, timeout=DEADLINE)
    finally:
        source.released.set()
    # The 401 came before any look at the charge.
    assert_timed_out(error, "post_charge", sent=False)
    assert source.finished.wait(1)
    assert charge(client).charge_id
    assert source.questions == [None, "refused"]


def test_a_source_that_takes_too_long_leaves_no_time_to_send(client_kind, server):
    class Tired:
        def resolve(self, *, rejected=None):
            return Credentials("token")

    clock = client_kind.clock()

    class TakesTheTime(Tired):
        def resolve(self, *, rejected=None):
            clock.advance(60)
            return super().resolve()

    client = client_kind.client(TakesTheTime(), base_url=server.url, clock=clock, timeout=15)
    error = failure(charge, client)
    assert_timed_out(error, "post_charge", sent=False)
    assert server.connections == 0


def test_the_deadline_of_one_call_does_not_cut_the_next(raw_client, server):
    poll(raw_client, timeout=0.4)
    time.sleep(0.4)
    poll(raw_client, timeout=5)
    assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.parametrize("seconds", [2_200_000, 31_536_000])
def test_a_time_that_no_system_call_can_wait_for_is_no_failure(seconds, raw_client):
    assert poll(raw_client, timeout=seconds).status == "pending"
