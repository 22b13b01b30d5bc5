"""The pages of the mock in a real browser without scripts: a person logs in, allows spending, sees a purchase."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from nous_billing import BillingClient, BillingNoPaymentMethod, BillingScopeRequired, StaticToken, StoredLogin
from nous_billing.mock import MockPortal
from scripts import chromium

PATH = chromium.find()
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
BUY, LOG_IN = "billing:manage", "inference:invoke"

pytestmark = pytest.mark.skipif(PATH is None, reason="There is no Chromium on this machine.")


@pytest.fixture(scope="module")
def browser():
    with chromium.chromium(PATH) as tab:
        yield tab


@pytest.fixture
def tab(browser):
    browser.look(1280)
    return browser


@pytest.fixture
def portal(monkeypatch):
    monkeypatch.setattr("nous_billing.mock.devices.INTERVAL", 0.05)
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield portal
    assert portal.violations == []


@pytest.fixture
def person():
    """Somebody who decides about a code in the browser while the login polls: `person(log_in, decide)`."""
    with ThreadPoolExecutor(1) as pool:

        def run(log_in, decide):
            deciding = []
            granted = log_in(lambda code: deciding.append(pool.submit(decide, code)))
            deciding[0].result(30)
            return granted

        yield run


def test_a_person_logs_in_steps_up_and_watches_a_purchase_arrive(portal, tab, person, tmp_path):
    seen = []

    def approve(code):
        tab.open(code.verification_uri_complete)
        seen.append(tab.text)
        if len(seen) > 1:
            tab.tick("Allow Remote Spending")
        tab.press("Approve")
        seen.append(tab.text)

    login = StoredLogin(tmp_path / "login.json", portal_base_url=portal.url)
    with closing(login), BillingClient(login) as client:
        assert person(login.login, approve) == {LOG_IN}
        with pytest.raises(BillingScopeRequired):
            client.post_charge(amount_usd=50, idempotency_key="order-1")
        purchase = client.buy_credits(
            50, idempotency_key="order-2", step_up=lambda: person(login.step_up, approve), interval=0.01
        )
        assert purchase.status == "settled"
        tab.open(client.get_billing_state().portal_url)
    asked, approved = seen[0], seen[-1]
    assert "Allow Remote Spending" in asked
    assert "Ada, OWNER of Acme" in asked
    assert LOG_IN in asked
    assert "Approved" in approved
    assert "$150.00" in tab.text
    assert "order-2" in tab.text
    assert "order-1" not in tab.text
    assert "settled" in tab.text


def test_a_person_denies_a_login_after_typing_its_code(portal, tab):
    device = portal.oauth.devices.start(LOG_IN, f"{portal.url}/device")
    tab.open(f"{portal.url}/device")
    typed = device["user_code"].lower().replace("-", " ")
    tab.run(f"document.querySelector('#code').value = '{typed}'")
    tab.press("Continue")
    assert device["user_code"] in tab.text
    assert "Allow Remote Spending" not in tab.text
    tab.press("Deny")
    assert "Denied" in tab.text
    assert portal.oauth.devices.waiting() == []


def test_a_person_fixes_on_the_page_what_a_refusal_names(portal, tab):
    portal.organisation.card = None
    with BillingClient(StaticToken(portal.issue_token()), base_url=portal.url) as client:
        with pytest.raises(BillingNoPaymentMethod) as refused:
            client.post_charge(amount_usd=50, idempotency_key="k")
        tab.open(refused.value.portal_url)
        tab.run("document.querySelector('#card').value = '4242'")
        tab.press("Save")
        assert "4242" in tab.text
        client.post_charge(amount_usd=50, idempotency_key="k")


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make node_modules/.stamp")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_fit_and_have_no_serious_fault_of_accessibility(portal, tab, width, dark):
    portal.add_organisation("Umbrella")
    with BillingClient(StaticToken(portal.issue_token()), base_url=portal.url) as client:
        client.post_charge(amount_usd=50, idempotency_key="0123456789" * 20)
    portal.organisation.consent_required = True
    device = portal.oauth.devices.start(f"{LOG_IN} {BUY}", f"{portal.url}/device")
    addresses = ["/billing", "/billing?organisation=no", "/device", "/device?user_code=no"]
    # Both are long, and take the check seconds.
    addresses += ["/", "/_mock/"] if width == 390 else []
    tab.look(width, dark=dark)
    for address in [*addresses, f"/device?user_code={device['user_code']}"]:
        tab.open(portal.url + address)
        assert tab.run("document.documentElement.scrollWidth <= innerWidth"), address
        tab.allow_scripts(True)
        tab.run(AXE.read_text(encoding="utf-8") + ";0")
        faults = tab.run("axe.run().then(found => found.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
        tab.allow_scripts(False)
        assert [fault for fault in faults if fault[0] in {"serious", "critical"}] == [], address
