"""A person who presses "Pay" again and again with one key, in processes that die, and what is true of that."""

import nous_billing as nb
from nous_billing.mock import Card
from nous_billing.mock.faults import FaultQueue
from tests.registry import KEY

AMOUNT = "50.25"
ENDED = ("settled", "failed")


class Killed(BaseException):
    """The process is dead by now."""


class Life(nb.PurchaseDirectory):
    """The steps of one process, until its last one. What it saves outlives it."""

    def __init__(self, folder, clock, steps):
        super().__init__(folder)
        self._clock, self._left = clock, steps

    def step(self, *_):
        self._left -= 1
        if self._left < 0:
            raise Killed

    def save(self, purchase):
        self.step()
        saved = super().save(purchase)
        self.step()
        return saved

    def sleep(self, seconds):
        self.step()
        return self._clock.sleep(seconds)

    def __getattr__(self, name):
        return getattr(self._clock, name)


class Scene:
    """A portal, and a person who presses "Pay" again and again with one key, each time in a new process."""

    def __init__(self, rig, kind, folder, last4="4242"):
        rig.renew()
        rig.organisation.card = Card("visa", last4)
        rig.portal.requests.clear()
        self.rig, self.kind, self.folder = rig, kind, folder
        self.clock = kind.clock(rig.portal.clock)

    def press(self, faults=(), steps=10**6, *, way="buy_credits", **arguments):
        """Buy, begin or check; an error, or the death of the process, is an outcome like another."""
        if way == "check_purchase":
            return self.outcome(way, faults, steps, KEY)
        return self.outcome(way, faults, steps, AMOUNT, idempotency_key=KEY, **arguments)

    def outcome(self, method, faults, steps, *arguments, **options):
        """What comes of a call in a new process that dies after so many steps."""
        self.rig.portal.faults = FaultQueue()
        for operation, fault in faults:
            self.rig.portal.inject(fault, operation)
        life = Life(self.folder, self.clock, steps)
        client = self.kind.client(nb.StaticToken(self.rig.token), base_url=self.rig.portal.url, clock=life)
        if method != "check_purchase":
            options["on_progress"] = life.step
        try:
            return getattr(client, method)(*arguments, store=life, **options)
        except (nb.BillingError, Killed) as outcome:
            return outcome
        finally:
            client.close()

    @property
    def charge(self):
        """The one charge that was made, or None."""
        charges = self.rig.organisation.charges
        assert [each.key for each in charges] in ([], [KEY])
        return charges[0] if charges else None

    @property
    def posts(self):
        return [request for request in self.rig.portal.requests if request.operation == "post_charge"]

    def kept(self):
        return next(iter(nb.PurchaseDirectory(self.folder).load(KEY)), None)

    def assert_true(self, outcome, way="buy_credits"):
        """What the person was told agrees with the ledger, and so does what is kept."""
        charge, kept = self.charge, self.kept()
        assert charge is None or kept is not None
        for told in [kept, outcome] if isinstance(outcome, nb.Purchase) else [kept]:
            if told is not None and told.status != "sending":
                assert (told.charge_id, told.status != "not_made") == (charge and charge.id, charge is not None)
            if told is not None and told.status in ENDED:
                assert (told.status, told.reason, told.added_usd or charge.amount) == (
                    charge.status, charge.reason, charge.amount,
                )  # fmt: skip
        if isinstance(outcome, nb.Purchase):
            open_too = {"buy_credits": (), "begin_purchase": ("pending",)}.get(way, ("sending", "pending", "not_made"))
            assert outcome.status in (*ENDED, *open_too)
            assert outcome == kept
            assert charge is None or "othing was charged" not in outcome.message
        elif isinstance(outcome, nb.BillingError):
            assert str(outcome).strip()
            assert charge is None or outcome.outcome_unknown
            assert getattr(outcome, "charge_id", None) in (None, charge and charge.id)
        assert {(post.headers["idempotency-key"], post.body) for post in self.posts} <= {(KEY, b'{"amountUsd":50.25}')}


def seen(outcome):
    """What a caller sees of an outcome, without what is another one for each client."""
    names = ("status", "reason", "error", "outcome_unknown", "amount_usd", "revision")
    return type(outcome), *(getattr(outcome, name, None) for name in names)
