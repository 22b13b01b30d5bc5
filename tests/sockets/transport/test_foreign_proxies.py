"""Behind proxies that other people wrote: a login, a refresh, a purchase."""

import shutil
import sys
from itertools import product

import pytest
import trustme

import nous_billing as nb
from nous_billing import StoredLogin
from tests.registry import KEY
from tests.sockets.harness import MovedClock, failure, read

from .foreign_proxies import environment_of_mitmproxy, foreign_proxy

PROXIES = ["proxy.py", "mitmproxy"]
# Whether it wants a login, and whether it intercepts.
WAYS = {"plain": (False, False), "login": (True, False), "intercepts": (True, True)}


@pytest.fixture(scope="module")
def mitmdump(tmp_path_factory):
    # Before the tests' own environment: the installer goes by the machine's.
    return environment_of_mitmproxy(tmp_path_factory.mktemp("mitmproxy"))


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    """The file of the portal's authority, and that of its key and certificate."""
    folder, authority = tmp_path_factory.mktemp("portal"), trustme.CA()
    authority.cert_pem.write_to_path(folder / "portals.pem")
    authority.issue_cert("portal.test").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder / "portals.pem", folder / "both.pem"


@pytest.fixture
def portal(mock_portal, trusted):
    """The mock portal over TLS, at portal.test."""
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=str(trusted[1]), ssl_keyfile=str(trusted[1])):
        yield mock_portal


@pytest.fixture(scope="module", params=product(PROXIES, WAYS), ids="-".join)
def proxy(request, tmp_path_factory, trusted, mitmdump):
    """A proxy that runs, and its way."""
    name, way = request.param
    wants_login, intercepts = WAYS[way]
    if name == "proxy.py" and intercepts and shutil.which("openssl") is None:
        pytest.skip("proxy.py makes its certificates with openssl's command")
    if name == "proxy.py" and intercepts and sys.version_info >= (3, 13):
        pytest.skip("Python refuses the authority of proxy.py, which does not say what it may be used for")
    folder = tmp_path_factory.mktemp("proxy")
    with foreign_proxy(
        name, folder, trusted[0], wants_login=wants_login, intercepts=intercepts, mitmdump=mitmdump
    ) as running:
        yield running, wants_login, intercepts


def test_a_login_a_refresh_and_a_purchase(proxy, client_kind, portal, trusted, tmp_path, monkeypatch):
    running, wants_login, intercepts = proxy
    url = f"https://portal.test:{portal.url.rpartition(':')[2]}"
    monkeypatch.setenv("HTTPS_PROXY", running.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
    clock = client_kind.clock(portal.clock)
    login = StoredLogin(tmp_path / "login.json", portal_base_url=url, clock=MovedClock(portal.clock))
    login.login(lambda code: portal.approve_device(code.user_code))
    token = login.resolve().access_token
    assert login.resolve(rejected=token).access_token != token
    client = client_kind.client(login, clock=clock)
    assert client.buy_credits("50.25", idempotency_key=KEY).status == "settled"
    assert [str(charge.amount) for charge in portal.organisation.charges] == ["50.25"]
    login.close()
    if intercepts:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted[0]))
        refused = failure(read, client_kind.client(login))
        assert "the certificate of portal.test was refused" in str(refused)
    elif wants_login:
        monkeypatch.setenv("HTTPS_PROXY", running.url.replace("me:", "you:"))
        refused = failure(read, client_kind.client(login))
        assert (type(refused), refused.outcome_unknown) == (nb.BillingNetworkError, False)
        assert "407" in str(refused)
