"""The mock portal: its organisations and people, and what tests change."""

from decimal import Decimal
from typing import Literal

from .billing import Billing
from .clock import MockClock
from .faults import Fault
from .oauth import LOGIN_SCOPE, ROUTES, Login, OAuth, without_billing
from .openapi import portal_interface
from .organisations import Card, Organisation, Person
from .subscriptions import Subscriptions
from .tokens import ACCESS_LIFETIME, BILLING_SCOPE, AccessToken, Session
from .traffic import Traffic

FULL_SCOPE = f"{LOGIN_SCOPE} {BILLING_SCOPE}"


class Portal(Billing, Subscriptions, Traffic):
    """A portal without its server: its organisations and people, and what tests change."""

    def __init__(self, clock: MockClock | None = None, settle_after: float = 3.0) -> None:
        Traffic.__init__(self)
        self._start_over(clock or MockClock(), settle_after)

    def _start_over(self, clock: MockClock, settle_after: float) -> None:
        self.forget()
        Billing.__init__(self, clock, settle_after)
        Subscriptions.__init__(self, self.clock)
        self.oauth: OAuth = OAuth(self.clock, self._tokens, self.ids)
        self.organisations: list[Organisation] = []
        self.people: list[Person] = []
        self.organisation: Organisation = self.add_organisation("Acme", balance="100")
        self.owner: Person = self.add_person("Ada", self.organisation)
        self._operation_names: set[str] = {operation.id for operation in portal_interface().operations} | ROUTES.keys()

    # Organisations and people

    def add_organisation(
        self,
        name: str,
        *,
        balance: Decimal | str = "0",
        card: Card | None = Card("visa", "4242"),  # noqa: B008
        cli_billing_enabled: bool = True,
        monthly_cap: Decimal | str | None = None,
    ) -> Organisation:
        """Add an organisation. Amounts are dollars; without a monthly cap the default ceiling applies."""
        with self.lock:
            organisation = Organisation(
                name,
                self.clock,
                number=len(self.organisations) + 1,
                balance=balance,
                card=card,
                cli_billing_enabled=cli_billing_enabled,
                monthly_cap=monthly_cap,
            )
            self.organisations.append(organisation)
            return organisation

    def add_person(
        self, name: str, organisation: Organisation, role: str = "OWNER", can_change_plan: bool | None = None
    ) -> Person:
        """Add a person to an organisation. `can_change_plan` outranks the role if it is set."""
        with self.lock:
            person = Person(f"usr_{len(self.people) + 1}", name, organisation, role, can_change_plan)
            self.people.append(person)
            return person

    def finish_upgrade(self, organisation: Organisation | None = None) -> None:
        """Finish the last upgrade that needs a person, as somebody does at its `recoveryUrl`: it is charged.

        Of Acme by default. Raises LookupError without such an upgrade. A replay of its key is answered as before.
        """
        with self.lock:
            (organisation or self.organisation).plan.finish_upgrade()

    # Tokens and logins

    def issue_token(
        self, person: Person | None = None, *, scope: str = FULL_SCOPE, lifetime: float = ACCESS_LIFETIME
    ) -> str:
        """An access token with no login behind it, of the owner by default. The lifetime is in seconds."""
        with self.lock:
            return self._tokens.issue(self.oauth.new_session(person or self.owner, scope), scope, lifetime)

    def log_in(
        self, person: Person | None = None, *, scope: str = FULL_SCOPE, lifetime: float = ACCESS_LIFETIME
    ) -> Login:
        """A login with exactly this scope, of the owner by default. The lifetime of its first token is in seconds."""
        with self.lock:
            return self.oauth.log_in(self.oauth.new_session(person or self.owner, scope), lifetime)

    def expire(self, token: str) -> None:
        """Expire the token: 401 `invalid_token`."""
        with self.lock:
            self._issued(token).expires_at = self.clock.now()

    def revoke_session(self, token: str) -> None:
        """Revoke the session of the token: 401 `session_revoked`."""
        with self.lock:
            self._session(token).revoked = True

    def stop_spending(self, token: str, actor: Literal["self", "admin"] = "self") -> None:
        """Stop the spending of the token's terminal: 403 `remote_spending_revoked`."""
        with self.lock:
            self._session(token).spending_stopped_by = actor

    def deny_organisation(self, token: str) -> None:
        """Deny the token access to its organisation: 403 `org_access_denied`."""
        with self.lock:
            self._session(token).organisation_denied = True

    def approve_device(self, user_code: str, person: Person | None = None, allow_spending: bool = True) -> None:
        """Approve a device login.

        `billing:manage` is silently left out of the scope without `allow_spending`, and for a person who is no admin.
        """
        with self.lock:
            person = person or self.owner
            scope = self.oauth.devices.requested_scope(user_code)
            if not (allow_spending and person.may_manage):
                scope = without_billing(scope)
            self.oauth.devices.answer(user_code, self.oauth.new_session(person, scope))

    def deny_device(self, user_code: str) -> None:
        """Decline a device login: `access_denied`."""
        with self.lock:
            self.oauth.devices.answer(user_code, "denied")

    def has_issued(self, token: str) -> bool:
        """Whether this is an access token or a refresh token of this portal."""
        return self._tokens.find(token) is not None or self.oauth.has_issued(token)

    def _issued(self, token: str) -> AccessToken:
        issued = self._tokens.find(token)
        if issued is None:
            raise LookupError("This portal has not issued that token.")
        return issued

    def _session(self, token: str) -> Session:
        return self._issued(token).session

    # Faults

    def inject(self, fault: Fault, operation: str | None = None, times: int = 1) -> None:
        """Show the fault at the next calls of the operation (`post_charge`, `oauth_token` …), or of any."""
        if operation is not None and operation not in self._operation_names:
            raise ValueError(f"There is no operation {operation!r}, only {', '.join(sorted(self._operation_names))}.")
        with self.lock:
            self.faults.put(fault, operation, times)
