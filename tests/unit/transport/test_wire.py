"""TLS over another layer, with no network: what is read, and what nobody has read."""

import ssl
from contextlib import suppress

import pytest
import trustme

from nous_billing.transport import wire
from nous_billing.transport.wire import Tcp, Tls

from .io_script import ran

HOST = "portal.test"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


class Peer:
    """The other side of TLS: takes what was written, and hands over what it answers."""

    def __init__(self, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def run(self, io):
        """Run the client's side; the peer shakes hands, and whatever else it is to say it says beforehand."""
        data = next(io)
        while True:
            try:
                if data is None:
                    data = io.send(self.outgoing.read())
                else:
                    self.incoming.write(data)
                    self.shake_hands()
                    data = io.send(b"")
            except StopIteration as end:
                return end.value

    def shake_hands(self):
        with suppress(ssl.SSLError):
            self.tls.do_handshake()


def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def peer(authority):
    return Peer(authority)


@pytest.fixture
def layer(authority, peer):
    layer = Tls(Tcp(), trusting(authority), HOST)
    peer.run(layer.handshake())
    return layer


def test_what_is_written_and_read_is_encrypted_between(layer, peer):
    written = ran(layer.write(b"question")).written
    assert b"question" not in written
    peer.incoming.write(written)
    assert peer.tls.read() == b"question"
    peer.tls.write(b"answer")
    assert peer.run(layer.read()) == b"answer"
    assert not layer.has_unread


def test_only_http_1_is_spoken(authority):
    context = trusting(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(HOST).configure_cert(server)
    peer = Peer(authority)
    peer.tls = server.wrap_bio(peer.incoming, peer.outgoing, server_side=True)
    peer.run(Tls(Tcp(), context, HOST).handshake())
    assert peer.tls.selected_alpn_protocol() == "http/1.1"


def test_a_record_behind_the_one_that_was_read_is_unread(layer, peer):
    peer.tls.write(b"answer")
    peer.tls.write(b"forged")
    assert peer.run(layer.read()) == b"answer"
    assert layer.has_unread
    assert ran(layer.read()).result == b"forged"
    assert not layer.has_unread


def test_the_rest_of_a_record_is_unread(layer, peer, monkeypatch):
    monkeypatch.setattr(wire, "READ_BYTES", 6)
    peer.tls.write(b"answerforged")
    assert peer.run(layer.read()) == b"answer"
    assert layer.has_unread


def test_what_a_layer_below_has_not_read_is_unread(layer):
    layer._below.has_unread = True
    assert layer.has_unread


@pytest.mark.parametrize("is_lenient", [True, False])
def test_who_closes_without_a_farewell_has_closed(is_lenient, authority, peer):
    context = trusting(authority)
    if not is_lenient:
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    layer = Tls(Tcp(), context, HOST)
    peer.run(layer.handshake())
    assert ran(layer.read(), b"", b"").result == b""


def test_who_is_not_trusted_is_refused(peer):
    layer = Tls(Tcp(), ssl.create_default_context(), HOST)
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.run(layer.handshake())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 no TLS here\r\n\r\n"])
def test_who_speaks_no_tls_is_refused(answer, authority):
    assert isinstance(ran(Tls(Tcp(), trusting(authority), HOST).handshake(), answer).error, ssl.SSLError)


def test_tls_goes_over_tls(authority, layer, peer):
    inner_peer, inner = Peer(authority), Tls(layer, trusting(authority), HOST)

    def through_the_outer(io):
        """Hand what the inner layer writes to the inner peer, and its answers back, through the outer one."""
        data = next(io)
        while True:
            try:
                if data is None:
                    peer.tls.write(inner_peer.outgoing.read())
                    data = io.send(peer.outgoing.read())
                else:
                    peer.incoming.write(data)
                    inner_peer.incoming.write(peer.tls.read(65536))
                    inner_peer.shake_hands()
                    data = io.send(b"")
            except StopIteration as end:
                return end.value

    through_the_outer(inner.handshake())
    inner_peer.tls.write(b"answer")
    assert through_the_outer(inner.read()) == b"answer"
    peer.tls.write(b"forged")
    layer._incoming.write(peer.outgoing.read())
    assert inner.has_unread
