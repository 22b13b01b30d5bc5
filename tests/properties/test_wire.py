"""Whatever the wire does to a reply: a typed error in time, no second charge, and the truth about the first."""

import dataclasses
import socket
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import strategies as st

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing.mock import Fault, MockPortal
from tests.documented import CALLS, CHANGING, KEYED, OPERATIONS
from tests.registry import Rig
from tests.sockets.raw_server import Answer, RawServer

from .wires import MANGLED

TIMEOUT = 5
# A busy machine may hold up a call by so many seconds; what has lost its deadline takes longer.
SLACK = 3
# Of a call that is bound to run into it.
SHORT = 0.15


def forward(portal, request):
    """Return what the portal answers to a request."""
    address = urlsplit(portal.url)
    raw = request.raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    reply = b""
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT) as connection:
        connection.sendall(raw)
        while chunk := connection.recv(65536):
            reply += chunk
    return reply


class Scene:
    """A portal, and a wire to it that does what it likes."""

    def __init__(self, portal, wire, elsewhere, kinds):
        self.rig = Rig(portal)
        self._wire = wire
        self._elsewhere = elsewhere
        self._kinds = kinds

    def meet(self, operation, mangle, timeout=TIMEOUT):
        """Let each client make a call whose reply is mangled, and check what it makes of that."""
        self._wire.otherwise = lambda request: self._placed(mangle(forward(self.rig.portal, request)))
        for kind in self._kinds:
            self.check(kind, operation, self._wire.url, timeout)
        assert self._elsewhere.connections == 0

    def check(self, kind, operation, url, timeout):
        """Make a call; its result or its error must be true."""
        self.rig.renew()
        asked, arrived = len(self.rig.portal.requests), len(self._wire.requests)
        client = kind.client(StaticToken(self.rig.token), base_url=url, timeout=timeout)
        started = time.monotonic()
        try:
            CALLS[operation](client)
            error = None
        except nb.BillingError as caught:
            error = caught
        took = time.monotonic() - started
        client.close()
        assert took < timeout + SLACK
        assert len(self.rig.portal.requests) - asked <= 1
        charges = len(self.rig.organisation.charges)
        assert charges <= (operation in KEYED)
        if error is not None:
            assert str(error).strip()
            # What came too late even to be sent cannot have acted.
            has_left = len(self.rig.portal.requests) > asked or len(self._wire.requests) > arrived
            assert error.outcome_unknown is (operation in CHANGING) or not has_left
            assert charges == 0 or error.outcome_unknown
        return error

    def _placed(self, answer):
        host = f"127.0.0.1:{self._elsewhere.port}".encode()
        data = answer.data.replace(b"{elsewhere}", self._elsewhere.url.encode()).replace(b"{elsewhere_host}", host)
        return dataclasses.replace(answer, data=data.replace(b"{here}", self._wire.url.encode()))


@pytest.fixture
def scene(both_kinds):
    portal = MockPortal()
    with portal.serve(), RawServer() as wire, RawServer() as elsewhere:
        yield Scene(portal, wire, elsewhere, both_kinds)
    assert portal.violations == []


@pytest.mark.parametrize("mangling", MANGLED)
def test_a_mangled_reply_is_a_result_or_a_typed_error_that_tells_the_truth(mangling, scene, for_all):
    for_all(scene.meet, st.sampled_from(OPERATIONS), MANGLED[mangling], share=0.3)


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_charge_whose_reply_ends_at_any_byte_is_known_to_be_uncertain(then, scene):
    whole = []
    scene.meet("post_charge", lambda reply: whole.append(reply) or Answer(reply, "close"))
    for length in range(len(whole[0])):
        scene.meet("post_charge", lambda reply, length=length: Answer(reply[:length], then))


def test_a_reply_that_stops_at_any_byte_ends_with_the_deadline(scene, for_all):
    def stopped(operation, share):
        scene.meet(operation, lambda reply: Answer(reply[: int(share * (len(reply) - 1))], "hold"), SHORT)

    for_all(stopped, st.sampled_from(OPERATIONS), st.floats(0, 1), share=0.08)


def test_a_slow_reply_is_a_result_or_ends_with_the_deadline(scene, both_kinds, for_all):
    def slow(operation, fault):
        for kind in both_kinds:
            scene.rig.portal.inject(fault, operation)
            scene.check(kind, operation, scene.rig.portal.url, SHORT)

    faults = st.builds(
        Fault.drip, st.floats(0.02, 0.1), st.sampled_from(["headers", "body"]), acts=st.just(True)
    ) | st.builds(Fault.stall, acts=st.booleans())
    for_all(slow, st.sampled_from(OPERATIONS), faults, share=0.08)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_refused_connection_cannot_have_done_is_not_uncertain(operation, both_kinds):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for kind in both_kinds:
        client = kind.client(StaticToken("token-1"), base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT)
        with pytest.raises(nb.BillingNetworkError) as caught:
            CALLS[operation](client)
        assert (type(caught.value), caught.value.outcome_unknown) == (nb.BillingNetworkError, False)
