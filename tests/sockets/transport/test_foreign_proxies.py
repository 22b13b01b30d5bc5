"""Behind proxies that other people wrote: a login, a refresh, a purchase."""

import shutil
import sys

import pytest
import trustme

import nous_billing as nb
from nous_billing import StoredLogin
from tests.registry import KEY
from tests.sockets.harness import MovedClock, failure, read

from .foreign_proxies import environment_of_mitmproxy, foreign_proxy

PROXIES = ["proxy.py", "mitmproxy"]


@pytest.fixture(scope="module")
def mitmdump(tmp_path_factory):
    # Before the tests' own environment: the installer goes by the machine's.
    return environment_of_mitmproxy(tmp_path_factory.mktemp("mitmproxy"))


@pytest.fixture
def portal(mock_portal, tmp_path):
    """The mock portal over TLS, at portal.test, and the file of its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "portals.pem")
    authority.issue_cert("portal.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=str(tmp_path / "both.pem"), ssl_keyfile=str(tmp_path / "both.pem")):
        yield mock_portal


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize(
    ("wants_login", "intercepts"), [(False, False), (True, False), (True, True)], ids=["plain", "login", "intercepts"]
)
def test_a_login_a_refresh_and_a_purchase(
    name, wants_login, intercepts, client_kind, portal, tmp_path, monkeypatch, mitmdump
):
    if name == "proxy.py" and intercepts and shutil.which("openssl") is None:
        pytest.skip("proxy.py makes its certificates with openssl's command")
    if name == "proxy.py" and intercepts and sys.version_info >= (3, 13):
        pytest.skip("Python refuses the authority of proxy.py, which does not say what it may be used for")
    folder = tmp_path / "proxy"
    folder.mkdir()
    url = f"https://portal.test:{portal.url.rpartition(':')[2]}"
    trusted = tmp_path / "portals.pem"
    with foreign_proxy(
        name, folder, trusted, wants_login=wants_login, intercepts=intercepts, mitmdump=mitmdump
    ) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.authority))
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
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            refused = failure(read, client_kind.client(login))
            assert "the certificate of portal.test was refused" in str(refused)
        elif wants_login:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("me:", "you:"))
            refused = failure(read, client_kind.client(login))
            assert (type(refused), refused.outcome_unknown) == (nb.BillingNetworkError, False)
            assert "407" in str(refused)
