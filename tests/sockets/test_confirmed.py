"""A change is made for the organisation that the person confirmed, also if the login has changed since."""

import pytest

import nous_billing as nb
from tests.auth.support import jwt
from tests.documented import call

from .harness import failure

CHANGES = (
    "upgrade_subscription",
    "set_pending_subscription_change",
    "delete_pending_subscription_change",
    "patch_auto_top_up",
)
EACH_CHANGE = pytest.mark.parametrize("change", CHANGES)
SHOWN_BY = {"get_billing_state": CHANGES, "get_subscription": CHANGES[:3]}


class Login:
    """A login that another terminal changes: first for Acme, then for Beta, each with a JWT or an opaque token."""

    def __init__(self, client_kind, portal):
        self._portal = portal
        self._people = portal.owner, portal.add_person("Bob", portal.add_organisation("Beta"))
        self.token = ""
        self.be(0)
        self.client = client_kind.client(self, base_url=portal.url)

    def be(self, number, opaque=None):
        if opaque is not None:
            self._portal.ids.fix_next("accessToken", opaque)
        self.token = self._portal.issue_token(self._people[number])

    def fingerprint(self):
        return self.token

    def resolve(self, *, rejected=None):
        return nb.Credentials(self.token)

    def sent(self, operation):
        return [request.operation for request in self._portal.requests].count(operation)


@pytest.fixture
def login(client_kind, mock_portal):
    return Login(client_kind, mock_portal)


@pytest.mark.parametrize(("shown", "change"), [(shown, each) for shown, all_ in SHOWN_BY.items() for each in all_])
def test_without_a_word_a_change_is_for_the_organisation_that_was_shown_last(login, shown, change):
    call(login.client, shown)
    login.be(1)
    error = failure(call, login.client, change)
    assert (type(error), error.error, login.sent(change)) == (nb.BillingInvalidRequest, "wrong_organisation", 0)
    read = {"get_billing_state": "billing state", "get_subscription": "subscription"}[shown]
    assert str(error) == (
        f"This client last read the {read} of Acme (org_1), but the login is now for Beta (org_2). Read the {read} "
        "again and let the person confirm, or pass the confirmed organisation as organisation_id. Nothing was sent."
    )
    call(login.client, change, organisation_id="org_2")
    call(login.client, shown)
    call(login.client, change)
    assert login.sent(change) == 2


@EACH_CHANGE
def test_a_subscription_shown_later_takes_the_place_of_the_state_but_where_a_state_is_confirmed(login, change):
    call(login.client, "get_billing_state")
    login.be(1)
    call(login.client, "get_subscription")
    if change == "patch_auto_top_up":
        assert failure(call, login.client, change).error == "wrong_organisation"
    else:
        call(login.client, change)
    assert login.sent("get_billing_state") == 1 + (change == "patch_auto_top_up")


@pytest.mark.parametrize("opaque", [None, "at_1"], ids=["JWT", "opaque"])
@EACH_CHANGE
def test_a_change_is_for_the_organisation_that_the_caller_names(login, change, opaque):
    login.be(1, opaque)
    error = failure(call, login.client, change, organisation_id="org_1")
    assert (error.error, login.sent(change)) == ("wrong_organisation", 0)
    what = "upgrade" if change == "upgrade_subscription" else "change"
    assert str(error) == (
        f"This {what} was confirmed for the organisation org_1, but the login is now for Beta (org_2). Log in for the "
        "confirmed organisation. Nothing was sent."
    )
    asked = login.sent("get_billing_state")
    call(login.client, change, organisation_id="org_2")
    # Whose it is takes a request only where the token does not say it.
    assert (login.sent(change), login.sent("get_billing_state") - asked) == (1, opaque is not None)
    assert failure(call, login.client, change, organisation_id=" ").error == "invalid_organisation_id"


@EACH_CHANGE
@pytest.mark.parametrize("claims", [{}, {"org": 5}, {"org": "acme"}], ids=repr)
def test_a_token_that_does_not_say_whose_it_is_by_the_same_name_prevents_no_change(login, change, claims):
    login.client.get_billing_state()
    login.be(0, jwt(**claims))
    call(login.client, change)
    assert login.sent("get_billing_state") == (2 if claims.get("org") == "acme" else 1)


@EACH_CHANGE
def test_each_token_of_a_change_is_verified(login, mock_portal, change):
    mock_portal.expire(login.token)
    resolve = login.resolve
    login.resolve = lambda *, rejected=None: (rejected and login.be(1), resolve())[1]
    assert failure(call, login.client, change, organisation_id="org_1").error == "wrong_organisation"
    # The portal refused the first, and was not asked with the other.
    assert login.sent(change) == 1
