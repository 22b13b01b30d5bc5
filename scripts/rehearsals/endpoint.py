"""A made-up endpoint: gifts of credits. It has a body, a key, a query and a union in its reply; money moves."""

from .edits import Append, Change, Import, InContract, Method

PATH = "/api/billing/gifts"

CONTRACT_EDITS: tuple[Change, ...] = (
    InContract(
        ("paths",),
        f"""\
{PATH}:
  post:
    operationId: give
    tags: [billing]
    summary: Buy credits for somebody else.
    description: Needs the scope `billing:manage`.
    security:
      - bearer: ['billing:manage']
    parameters:
      - $ref: '#/components/parameters/IdempotencyKey'
      - {{name: quiet, in: query, description: Whether to tell nobody., schema: {{type: boolean}}, example: true}}
    requestBody:
      required: true
      content:
        application/json:
          schema: {{$ref: '#/components/schemas/GiftRequest'}}
    responses:
      '200':
        description: What became of the gift.
        content:
          application/json:
            schema:
              anyOf:
                - $ref: '#/components/schemas/GiftSent'
                - $ref: '#/components/schemas/GiftDeclined'
      '400':
        description: The key or the body is not what the contract asks for. Nothing was paid.
        content:
          application/json:
            schema:
              anyOf:
                - $ref: '#/components/schemas/ValidationFailed'
                - $ref: '#/components/schemas/IdempotencyKeyRequired'
      '401': {{$ref: '#/components/responses/Unauthorized'}}
      '403':
        description: Not allowed.
        content:
          application/json:
            schema:
              anyOf:
                - $ref: '#/components/schemas/InsufficientScope'
                - $ref: '#/components/schemas/RoleRequired'
""",
    ),
    InContract(
        ("components", "schemas"),
        """\
GiftRequest:
  type: object
  description: A gift of credits.
  required: [amountUsd, to]
  additionalProperties: false
  properties:
    amountUsd: {$ref: '#/components/schemas/AmountUsd'}
    to: {type: string}
  example: {amountUsd: 50, to: ada@example.com}
GiftSent:
  type: object
  description: The gift was paid and sent.
  required: [status, giftId, amountUsd]
  properties:
    status: {const: sent}
    giftId: {type: string}
    amountUsd: {$ref: '#/components/schemas/Money'}
  example: {status: sent, giftId: gift_1, amountUsd: '50'}
GiftDeclined:
  type: object
  description: The recipient takes no gifts; nothing was paid.
  required: [status, reason]
  properties:
    status: {const: declined}
    reason: {type: string}
  example: {status: declined, reason: not_wanted}
""",
    ),
)

_METHOD = '''\
{asynchronous}def give(
    self, *, amount_usd: Amount, to: str, idempotency_key: str, quiet: bool = False, timeout: float | None = None
) -> Gift:
    """Buy credits for somebody else. Needs the scope ``billing:manage``.

    Args:
        amount_usd: Dollars, as for ``post_charge``.
        to: The person's address.
        idempotency_key: One for each gift that a person confirmed.
        quiet: Whether to tell nobody.
        timeout: Seconds for this call, instead of the client's.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return {awaited}self._driver.run(self._exchange({call}, timeout))
'''
_CALL = "operations.give(amount_usd, to, idempotency_key, quiet)"

HANDWRITTEN: tuple[Change, ...] = (
    Append(
        "nous_billing/models.py",
        '''\
@dataclass(frozen=True, slots=True, kw_only=True)
class GiftSent(Result):
    """The gift was paid, ``amount_usd`` dollars, and sent."""

    gift_id: str
    amount_usd: Decimal
    status: Literal["sent"] = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftDeclined(Result):
    """The recipient takes no gifts; nothing was paid."""

    reason: str
    status: Literal["declined"] = "declined"


Gift = GiftSent | GiftDeclined
"""What became of a gift."""
''',
    ),
    Import(
        "nous_billing/protocol/operations.py",
        "from nous_portal_api.api.billing import give as gift_endpoint",
    ),
    Append(
        "nous_billing/protocol/operations.py",
        '''\
def give(amount_usd: Amount, to: str, idempotency_key: str, quiet: bool) -> Operation[models.Gift]:
    """``POST /api/billing/gifts``."""
    from nous_portal_api.models import GiftRequest

    body = GiftRequest(amount_usd=_number(check_amount(amount_usd, "amount_usd")), to=to)
    key = check_idempotency_key(idempotency_key)
    return _operation(gift_endpoint._get_kwargs(body=body, idempotency_key=key, quiet=quiet), "Gift")
''',
    ),
    Import("nous_billing/client.py", "from .models import Gift"),
    Import("nous_billing/async_client.py", "from .models import Gift"),
    Method("BillingClient", _METHOD.format(asynchronous="", awaited="", call=_CALL)),
    Method("AsyncBillingClient", _METHOD.format(asynchronous="async ", awaited="await ", call=_CALL)),
    Method(
        "Billing",
        '''\
@handler(gates.role)
def give(self, call: Call) -> Reply:
    """Send a gift; nobody takes one without being told. A replay of the key sends no second one."""
    if call.parameters.get("quiet"):
        return Reply(200, {"status": "declined", "reason": "not_wanted"})
    sent = {"status": "sent", "giftId": "gift_1", "amountUsd": usd(Decimal(call.body["amountUsd"]))}
    return call.once(lambda: Reply(200, sent))
''',
    ),
)

ASKED = (
    "AsyncBillingClient has no give. Add it.",
    "operations has no give. Add it.",
    "The mock has no handler give. Add it.",
    "There is no class GiftSent. Add it with status:",
    "There is no class GiftDeclined. Add it with status:",
)

PROOF = """
import asyncio
from decimal import Decimal
from nous_billing import AsyncBillingClient, BillingError, GiftDeclined, GiftSent
sent = client.give(amount_usd="12.50", to="ada@example.com", idempotency_key="k")
assert isinstance(sent, GiftSent)
assert (sent.amount_usd, sent.gift_id) == (Decimal("12.5"), "gift_1")
async def decline():
    async with AsyncBillingClient(StaticToken(portal.issue_token()), base_url=url) as other:
        return await other.give(amount_usd=5, to="bob@example.org", idempotency_key="k2", quiet=True)
declined = asyncio.run(decline())
assert isinstance(declined, GiftDeclined) and declined.reason == "not_wanted"
portal.inject(Fault.drop(acts=True), "give")
try:
    client.give(amount_usd=5, to="ada@example.com", idempotency_key="k3")
except BillingError as error:
    assert error.outcome_unknown, error
else:
    raise AssertionError("no error")
"""
