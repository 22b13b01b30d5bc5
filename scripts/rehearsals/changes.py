"""Changes that a portal may make: what the contract says then, and what a person writes to follow."""

from dataclasses import dataclass
from pathlib import Path

CONTRACT = "openapi/nous-portal-billing.yaml"
ERRORS = "nous_billing/errors.py"
MODELS = "nous_billing/models.py"
OPERATIONS = "nous_billing/protocol/operations.py"
CLIENT = "nous_billing/client.py"
ASYNC_CLIENT = "nous_billing/async_client.py"


@dataclass(frozen=True)
class Edit:
    """Puts a text in the place of the first other one behind a mark, such as the head of a class."""

    path: str
    mark: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        file = root / self.path
        text = file.read_text(encoding="utf-8")
        place = text.index(self.old, text.index(self.mark))
        file.write_text(text[:place] + self.new + text[place + len(self.old) :], encoding="utf-8")


@dataclass(frozen=True)
class Rehearsal:
    """A change of the contract, and how it is followed.

    Attributes:
        proof: Statements that hold afterwards, with ``client``, ``portal`` and ``Fault`` at hand.
    """

    name: str
    contract: tuple[Edit, ...]
    by_hand: tuple[Edit, ...]
    proof: str


FIELD = Rehearsal(
    "a new optional field of the state",
    (Edit(CONTRACT, "\n    BillingState:", "      example:", "        loyaltyTier: {type: string}\n      example:"),),
    (Edit(MODELS, "class BillingState:", "    raw: dict", "    loyalty_tier: str | None = None\n    raw: dict"),),
    """
state = client.get_billing_state()
assert state.loyalty_tier is None
portal.inject(Fault.reply(200, {**state.raw, "loyaltyTier": "gold"}))
assert client.get_billing_state().loyalty_tier == "gold"
""",
)

ERROR = Rehearsal(
    "a new error code with a body of its own",
    (
        Edit(
            CONTRACT,
            "\n    ChargeForbidden:",
            "              - $ref: '#/components/schemas/ConsentRequired'\n",
            "              - $ref: '#/components/schemas/ConsentRequired'\n"
            "              - $ref: '#/components/schemas/CardBlocked'\n",
        ),
        Edit(
            CONTRACT,
            "",
            "    ValidationFailed:\n",
            """\
    CardBlocked:
      type: object
      description: The card is blocked after too many tries.
      required: [error, triesLeft, portalUrl]
      properties:
        error: {const: card_blocked}
        message: {type: string}
        triesLeft: {type: integer}
        portalUrl: {$ref: '#/components/schemas/PortalUrl'}
      example: {error: card_blocked, triesLeft: 0, portalUrl: '/billing?topup=open'}
    ValidationFailed:
""",
        ),
    ),
    (
        Edit(
            ERRORS,
            "",
            "class BillingRateLimited(",
            '''\
class BillingCardBlocked(BillingAccessDenied):
    """The card is blocked after too many tries (403 ``card_blocked``). ``tries_left`` may be None."""

    tries_left: int | None = None


class BillingRateLimited(''',
        ),
        Edit(
            "nous_billing/protocol/error_codes.py",
            "REFUSALS",
            '    "validation_failed"',
            '    "card_blocked": (403, errors.BillingCardBlocked, "The card is blocked. Unblock it on the portal."),\n'
            '    "validation_failed"',
        ),
    ),
    """
from nous_billing import BillingCardBlocked
portal.inject(Fault.reply(403, {"error": "card_blocked", "triesLeft": 2, "portalUrl": "/billing"}))
try:
    client.post_charge(amount_usd=50, idempotency_key="k")
except BillingCardBlocked as error:
    assert (error.tries_left, error.portal_url) == (2, portal.url + "/billing")
    assert str(error) == "The card is blocked. Unblock it on the portal."
else:
    raise AssertionError("no error")
""",
)

REASON = Rehearsal(
    "a new reason of a failed charge",
    (Edit(CONTRACT, "\n    ChargeFailed:", "processing_error]", "processing_error, card_stolen]"),),
    (Edit("nous_billing/mock/ledger.py", "FAILURES", "}\n", '    "9979": "card_stolen",\n}\n'),),
    """
from nous_billing.mock import Card
portal.organisation.card = Card("visa", "9979")
accepted = client.post_charge(amount_usd=50, idempotency_key="k")
portal.clock.advance(5)
assert client.wait_for_charge(accepted.charge_id).reason == "card_stolen"
""",
)

REMOVED = Rehearsal(
    "a removed field",
    (
        Edit(CONTRACT, "\n    Organisation:", "required: [id, slug, name, role]", "required: [id, name, role]"),
        Edit(CONTRACT, "\n    Organisation:", "        slug: {type: string}\n", ""),
        *(
            Edit(CONTRACT, f"\n    {holder}:", "{id: org_1, slug: acme, ", "{id: org_1, ")
            for holder in ("OwnerState", "MemberState", "Organisation", "BillingState")
        ),
    ),
    (Edit(MODELS, "class Organisation:", "    slug: str\n", ""),),
    """
state = client.get_billing_state()
assert not hasattr(state.org, "slug")
""",
)

RETYPED = Rehearsal(
    "a changed type",
    (
        Edit(CONTRACT, "\n    MonthlyCap:", "isDefaultCeiling: {type: boolean}", "isDefaultCeiling: {type: string}"),
        *(
            Edit(CONTRACT, f"\n    {holder}:", "isDefaultCeiling: true}", "isDefaultCeiling: 'yes'}")
            for holder in ("OwnerState", "MonthlyCap", "BillingState")
        ),
    ),
    (
        Edit(MODELS, "class MonthlyCap:", "is_default_ceiling: bool", "is_default_ceiling: str"),
        Edit(
            "nous_billing/mock/organisations.py",
            "def for_managers",
            '"isDefaultCeiling": self.monthly_cap is None,',
            '"isDefaultCeiling": "yes" if self.monthly_cap is None else "no",',
        ),
    ),
    """
assert client.get_billing_state().monthly_cap.is_default_ceiling == "yes"
""",
)

_METHOD = '''\
    {asynchronous}def list_invoices(self, *, timeout: float | None = None) -> InvoiceList:
        """{says}"""
        return {awaited}self._driver.run(self._exchange(operations.list_invoices(), timeout))

'''

ENDPOINT = Rehearsal(
    "a new endpoint",
    (
        Edit(
            CONTRACT,
            "",
            "\ncomponents:\n",
            """
  /api/billing/invoices:
    get:
      operationId: list_invoices
      tags: [billing]
      summary: List the invoices.
      description: Needs a valid token and no scope.
      responses:
        '200':
          description: The invoices, newest first.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/InvoiceList'}
        '401': {$ref: '#/components/responses/Unauthorized'}

components:
""",
        ),
        Edit(
            CONTRACT,
            "",
            "    AutoTopUpRequest:\n",
            """\
    Invoice:
      type: object
      description: One invoice.
      required: [id, totalUsd]
      properties:
        id: {type: string}
        totalUsd: {$ref: '#/components/schemas/Money'}
      example: {id: in_1, totalUsd: '50'}
    InvoiceList:
      type: object
      description: The invoices, newest first.
      required: [invoices]
      properties:
        invoices:
          type: array
          items: {$ref: '#/components/schemas/Invoice'}
      example: {invoices: [{id: in_1, totalUsd: '50'}]}
    AutoTopUpRequest:
""",
        ),
    ),
    (
        Edit(
            OPERATIONS,
            "",
            "from nous_portal_api.api.billing import patch",
            "from nous_portal_api.api.billing import list_invoices as invoices_endpoint\n"
            "from nous_portal_api.api.billing import patch",
        ),
        Edit(
            OPERATIONS,
            "",
            "def patch_auto_top_up(",
            '''\
def list_invoices() -> Operation[models.InvoiceList]:
    """``GET /api/billing/invoices``."""
    return _operation(invoices_endpoint._get_kwargs(), models.InvoiceList)


def patch_auto_top_up(''',
        ),
        Edit(
            MODELS,
            "",
            "@dataclass(frozen=True, slots=True, kw_only=True)\nclass ChargeAccepted:",
            '''\
@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice, in dollars."""

    id: str
    total_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceList:
    """The invoices, newest first."""

    invoices: tuple[Invoice, ...]
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAccepted:''',
        ),
        *(Edit(file, "", "ChargeStatus\n", "ChargeStatus, InvoiceList\n") for file in (CLIENT, ASYNC_CLIENT)),
        Edit(
            CLIENT,
            "class BillingClient(",
            "    def patch_auto_top_up(",
            _METHOD.format(asynchronous="", awaited="", says="List the invoices, newest first. Needs no scope.")
            + "    def patch_auto_top_up(",
        ),
        Edit(
            ASYNC_CLIENT,
            "class AsyncBillingClient(",
            "    async def patch_auto_top_up(",
            _METHOD.format(asynchronous="async ", awaited="await ", says="As ``BillingClient.list_invoices``.")
            + "    async def patch_auto_top_up(",
        ),
        Edit(
            "nous_billing/mock/billing.py",
            "",
            "    @handler(*gates.MANAGE)\n    def patch_auto_top_up(",
            '''\
    @handler(gates.organisation)
    def list_invoices(self, call: Call) -> Reply:
        """One invoice for each settled charge."""
        settled = [charge for charge in reversed(call.organisation.charges) if charge.status == "settled"]
        return Reply(200, {"invoices": [{"id": c.id, "totalUsd": usd(c.amount)} for c in settled]})

    @handler(*gates.MANAGE)
    def patch_auto_top_up(''',
        ),
    ),
    """
from decimal import Decimal
client.post_charge(amount_usd=50, idempotency_key="k")
portal.clock.advance(5)
assert [invoice.total_usd for invoice in client.list_invoices().invoices] == [Decimal(50)]
""",
)

REHEARSALS = [FIELD, ERROR, REASON, REMOVED, RETYPED, ENDPOINT]
