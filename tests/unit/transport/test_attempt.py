"""What a failure of a connection becomes: whether the request was sent, and why it failed."""

import errno
from types import SimpleNamespace

import h11
import pytest

from nous_billing.protocol.replies import Failure, Reply
from nous_billing.transport.base_sender import Attempt
from nous_billing.transport.endpoint import Endpoint, NotConnected
from nous_billing.transport.http1 import Disconnected
from nous_billing.transport.proxies import Proxy
from nous_billing.transport.sender import ReplyReader
from nous_billing.transport.tunnel import ProxyRefused

PORTAL = Endpoint(True, "portal.test", 443)
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class Idle:
    def __init__(self, connection=None):
        self.connection = connection
        self.taken = 0
        self.evicted = []
        self.given_back = []

    def take(self, endpoint):
        self.taken += 1
        return self.connection

    def give_back(self, connection):
        self.given_back.append(connection)

    def evict(self, endpoint):
        self.evicted.append(endpoint)


class Connection:
    closed = False

    def close(self):
        self.closed = True


def attempt(idle, *, sent=True, alone=False):
    return Attempt(idle, PORTAL, SimpleNamespace(sent=sent, reader=None), alone=alone)


@pytest.mark.parametrize(
    ("error", "reason", "timed_out"),
    [
        (
            TimeoutError(),
            "the time allowed for the call has passed before there was a connection to portal.test:443",
            True,
        ),
        (OSError(errno.ETIMEDOUT, "odd"), "no connection to portal.test:443 (Connection timed out)", False),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "odd"),
            "no connection to portal.test:443 (Connection refused)",
            False,
        ),
        (OSError("odd"), "no connection to portal.test:443 (odd)", False),
        (KeyError(), "no connection to portal.test:443 (KeyError)", False),
        (NotConnected("the host is gone."), "the host is gone", False),
        (ProxyRefused("the proxy refused"), "the proxy refused", False),
    ],
)
def test_without_a_connection_nothing_was_sent(error, reason, timed_out):
    failure = attempt(Idle(), sent=False).failure(error)
    assert (failure.reason, failure.sent, failure.timed_out, failure.stale) == (reason, False, timed_out, False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        # The proxy may have been reached, and the portal behind it not.
        (
            TimeoutError(),
            "the time allowed for the call has passed before there was a connection through the proxy p.test:1 of P",
        ),
        (RESET, "no connection through the proxy p.test:1 of P (Connection reset by peer)"),
    ],
)
def test_behind_a_proxy_nobody_is_told_that_the_proxy_was_not_reached(error, reason):
    to = Endpoint(True, "portal.test", 443, Proxy("http", "p.test", 1, "P"))
    request = SimpleNamespace(sent=False, reader=None)
    assert Attempt(Idle(), to, request, alone=True).failure(error).reason == reason


@pytest.mark.parametrize(
    ("error", "reason", "is_disconnect"),
    [
        (RESET, "the connection broke", True),
        (OSError(errno.ETIMEDOUT, "Timed out"), "the connection broke", True),
        (Disconnected("the portal closed"), "the portal closed", True),
        (h11.RemoteProtocolError("no HTTP."), "no HTTP", False),
        (h11.LocalProtocolError("Illegal header value b'secret'"), "the request could not be written", False),
        (KeyError("x"), "KeyError", False),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("sent", [True, False])
def test_a_connection_that_fails_says_why_and_whether_it_was_a_kept_one_that_died(
    error, reason, is_disconnect, kept, sent
):
    idle = Idle(Connection() if kept else None)
    tried = attempt(idle, sent=sent)
    tried.connection = tried.connection or Connection()
    failure = tried.failure(error)
    assert (failure.reason, failure.sent, failure.timed_out) == (reason, sent, False)
    assert failure.stale is (kept and is_disconnect)
    # Whatever lay idle beside one that failed may be dead as well.
    assert idle.evicted == ([PORTAL] if kept else [])


def test_a_deadline_that_passes_on_a_connection_is_no_dead_connection():
    tried = attempt(Idle(Connection()))
    failure = tried.failure(TimeoutError())
    assert (failure.reason, failure.timed_out, failure.stale) == (
        "the time allowed for the call has passed",
        True,
        False,
    )


def test_what_is_raised_is_handed_on_without_frames_and_without_what_came_before_it():
    try:
        try:
            raise KeyError("secret")
        except KeyError:
            raise RESET  # noqa: B904
    except ConnectionResetError as error:
        failure = attempt(Idle(), sent=False).failure(error)
    assert failure.cause is RESET
    assert (failure.cause.__traceback__, failure.cause.__context__) == (None, None)


def test_a_status_that_has_come_says_more_than_the_failure_to_read_on():
    tried = attempt(Idle(Connection()))
    tried.request.reader = ReplyReader(202, {}, 7.0)
    reply = tried.failure(RESET)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (202, b"")
    assert isinstance(reply.failure, Failure)


def test_where_money_moves_the_connection_is_neither_a_kept_one_nor_kept():
    idle = Idle(Connection())
    tried = attempt(idle, alone=True)
    assert (tried.connection, idle.taken) == (None, 0)
    tried.connection = Connection()
    tried.end()
    assert tried.connection.closed
    assert idle.given_back == []


def test_all_else_gives_its_connection_back_if_it_came_to_have_one():
    idle = Idle(Connection())
    attempt(idle).end()
    attempt(Idle()).end()
    assert idle.given_back == [idle.connection]
