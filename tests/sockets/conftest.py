"""Fixtures of the socket tests."""

import ssl
from itertools import count

import pytest
import trustme

from nous_billing import StaticToken

from .harness import Kind
from .raw_server import RawServer

HOMES = count()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path_factory):
    """Keep the machine's proxies, certificates and logins out of the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in (
        "HERMES_PORTAL_BASE_URL",
        "NOUS_PORTAL_BASE_URL",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "HERMES_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
    # A login of the SDK's own lies under the first, one of Hermes under the second.
    # Few tests make it.
    home = tmp_path_factory.getbasetemp() / f"home-{next(HOMES)}"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HERMES_HOME", str(home / "hermes"))


@pytest.fixture(params=["sync", "async"])
def client_kind(request):
    kind = Kind(request.param)
    yield kind
    kind.close()


@pytest.fixture
def client(client_kind, mock_portal):
    """A client of the mock portal's owner."""
    return client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url)


@pytest.fixture
def server():
    with RawServer() as server:
        yield server


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def tls_server(authority, monkeypatch, tmp_path):
    """The same over TLS. The environment trusts its authority, and so does the context ``trusting``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with RawServer(tls=context) as server:
        server.trusting = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
        yield server


@pytest.fixture
def raw_client(client_kind, server):
    """A client of the scripted server. Its deadline only bounds a test that goes wrong."""
    return client_kind.client(StaticToken("token-1"), base_url=server.url, timeout=20)
