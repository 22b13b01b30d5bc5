"""Buy credits over real HTTP from a mock portal, then show what can go wrong. Run by `make demo`."""

import sys
import time
from decimal import Decimal

from nous_billing import (
    BillingAccessDenied,
    BillingClient,
    BillingError,
    BillingRateLimited,
    ChargeFailed,
    Credentials,
    Purchase,
    StaticToken,
    format_usd,
    new_idempotency_key,
)
from nous_billing.mock import Card, Fault, MockPortal, Organisation

IS_TERMINAL = sys.stdout.isatty()


class RenewingLogin:
    """A login that gets a new token when the portal refuses the old one; then the reply to the charge is lost."""

    def __init__(self, portal: MockPortal) -> None:
        self._portal = portal
        self.token = portal.issue_token()

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        if rejected is not None:
            self.token = self._portal.issue_token()
            print("  The portal refused the token (401). A new one was fetched, and the same key is sent again.")
            self._portal.inject(Fault.drop(acts=True), "post_charge")
        return Credentials(self.token)


class Progress:
    """Print what happens to the purchase. On a terminal one line counts the seconds of waiting."""

    def __init__(self, portal: MockPortal, login: RenewingLogin) -> None:
        self._portal = portal
        self._login = login
        self._started = time.monotonic()
        self._accepted = False

    def __call__(self, progress: Purchase | BillingError) -> None:
        if isinstance(progress, BillingError):
            (charge,) = self._portal.organisation.charges
            print(f"  The reply was lost, but {charge.id} is in the ledger. The same key is sent again.")
        elif progress.status == "sending":
            self._portal.expire(self._login.token)
        elif not self._accepted:
            self._accepted = True
            print(f"  Accepted as {progress.charge_id}: the same charge. Accepted is not paid:")
        else:
            line = f"  {time.monotonic() - self._started:.0f} s: {progress.status}"
            print(f"\r{line}" if IS_TERMINAL else line, end="" if IS_TERMINAL else "\n", flush=True)


def main() -> None:
    portal = MockPortal(settle_after=3.0)
    with portal.serve() as url:
        print(f"A mock portal answers at {url}, built from openapi/nous-portal-billing.yaml.\n")
        buy_as_owner(portal, url)
        show_refusals(portal, url)
    prove(portal)


def buy_as_owner(portal: MockPortal, url: str) -> None:
    login = RenewingLogin(portal)
    with BillingClient(login, base_url=url) as client:
        print("1. Ada, the owner, reads the billing state.")
        state = client.get_billing_state()
        assert state.card is not None
        print(
            f"  {state.org.name}: balance {format_usd(state.balance_usd)}, card {state.card.brand} {state.card.last4}"
        )
        print(f"  One charge: {format_usd(state.bounds.min_usd)} to {format_usd(state.bounds.max_usd)}")

        print("\n2. She buys $50.00, just as her token runs out, and the reply to the charge is lost on the way.")
        purchase = client.buy_credits(
            "50", idempotency_key=new_idempotency_key(), interval=1, on_progress=Progress(portal, login)
        )
        assert purchase.status == "settled"
        assert purchase.settled_at is not None
        print("\n" * IS_TERMINAL + f"  Paid: {format_usd(purchase.amount_usd)} at {purchase.settled_at:%H:%M:%S} UTC.")
        print(f"  The balance is {format_usd(client.get_billing_state().balance_usd)}.")


def show_refusals(portal: MockPortal, url: str) -> None:
    print("\n3. What the others see.")

    declined = portal.add_organisation("Declined Inc", card=Card("visa", "9995"))
    with client_of(portal, declined, url) as client:
        accepted = client.post_charge(amount_usd="50", idempotency_key=new_idempotency_key())
        portal.clock.advance(5)
        charge = client.wait_for_charge(accepted.charge_id)
        assert isinstance(charge, ChargeFailed)
        print(f"  A declined card:         {charge.status} ({charge.reason}). Nothing was charged.")

    with client_of(portal, portal.organisation, url, role="MEMBER") as client:
        print(f"  A member:                {refusal(client)}")

    closed = portal.add_organisation("Closed Inc", cli_billing_enabled=False)
    with client_of(portal, closed, url) as client:
        print(f"  A closed kill-switch:    {refusal(client)}")

    busy = portal.add_organisation("Busy Inc")
    with client_of(portal, busy, url) as client:
        for _ in range(5):
            client.post_charge(amount_usd="10", idempotency_key=new_idempotency_key())
        try:
            client.post_charge(amount_usd="10", idempotency_key=new_idempotency_key())
        except BillingRateLimited as error:
            minutes = (error.retry_after or 0) // 60
            print(f"  The 6th charge an hour:  {error} Wait {minutes} min.")


def client_of(portal: MockPortal, organisation: Organisation, url: str, role: str = "OWNER") -> BillingClient:
    person = portal.add_person("Bob", organisation, role)
    return BillingClient(StaticToken(portal.issue_token(person)), base_url=url)


def refusal(client: BillingClient) -> str:
    try:
        client.post_charge(amount_usd="50", idempotency_key=new_idempotency_key())
    except BillingAccessDenied as error:
        return f"{error} ({error.error}; {error.portal_url})"
    raise AssertionError("the portal let a charge through")


def prove(portal: MockPortal) -> None:
    acme = portal.organisation
    charges = [f"{format_usd(charge.amount)} {charge.status}" for charge in acme.charges]
    posts = [request for request in portal.requests if request.operation == "post_charge"][:3]
    # Refused, lost, accepted: three times the same.
    assert [post.status for post in posts] == [401, None, 202]
    assert len({(post.headers["idempotency-key"], post.body) for post in posts}) == 1
    assert charges == ["$50.00 settled"]
    assert acme.balance == Decimal("150")
    print("\nThe portal's own ledger for Acme:")
    print(f"  charges: {len(charges)} ({', '.join(charges)})")
    print(f"  balance: $100.00 -> {format_usd(acme.balance)} (up by $50.00)")


if __name__ == "__main__":
    main()
