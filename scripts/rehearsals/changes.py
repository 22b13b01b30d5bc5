"""Changes that a portal may make: what the contract says then, and what a person writes to follow.

The first adds a made-up endpoint. The others change what it added, so that none depends on what the portal has today.
"""

from dataclasses import dataclass

from . import endpoint
from .edits import CONTRACT, Append, Change, Edit, Field, InContract, Row

__all__ = ["CONTRACT", "ENDPOINT", "FIELD", "FOLLOWING", "Edit", "Rehearsal"]

MODELS = "nous_billing/models.py"


@dataclass(frozen=True)
class Rehearsal:
    """A change of the contract, and how it is followed.

    Attributes:
        impact: What the tools are to say of it: ``minor`` or ``major``.
        lines: How many lines it may take at most, by hand, in the facade and the mock.
        asked: What the tools are to ask for.
        proof: Statements that hold afterwards, with ``client``, ``portal``, ``url`` and ``Fault`` at hand.
    """

    name: str
    impact: str
    lines: int
    contract: tuple[Change, ...]
    by_hand: tuple[Change, ...]
    asked: tuple[str, ...]
    proof: str


ENDPOINT = Rehearsal(
    "an endpoint", "minor", 60, endpoint.CONTRACT_EDITS, endpoint.HANDWRITTEN, endpoint.ASKED, endpoint.PROOF
)

FIELD = Rehearsal(
    "an optional field of a reply",
    "minor",
    1,
    (InContract(("components", "schemas", "BillingState", "properties"), "rehearsedTier: {type: string}"),),
    (Field("BillingState", "rehearsed_tier: str | None = None"),),
    ("BillingState has no rehearsed_tier. Add: rehearsed_tier: str | None = None",),
    """
state = client.get_billing_state()
assert state.rehearsed_tier is None
portal.inject(Fault.reply(200, {**state.raw, "rehearsedTier": "gold"}))
assert client.get_billing_state().rehearsed_tier == "gold"
""",
)

ERROR = Rehearsal(
    "an error code",
    "minor",
    3,
    (
        InContract(
            ("paths", endpoint.PATH, "post", "responses", "403", "content", "application/json", "schema", "anyOf"),
            "- $ref: '#/components/schemas/GiftsPaused'",
        ),
        InContract(
            ("components", "schemas"),
            """\
GiftsPaused:
  type: object
  description: Gifts are paused.
  required: [error, portalUrl]
  properties:
    error: {const: gifts_paused}
    message: {type: string}
    portalUrl: {$ref: '#/components/schemas/PortalUrl'}
  example: {error: gifts_paused, portalUrl: '/billing?topup=open'}
""",
        ),
    ),
    (
        Append(
            "nous_billing/errors.py",
            'class BillingGiftsPaused(BillingAccessDenied):\n    """Gifts are paused (403 ``gifts_paused``)."""\n',
        ),
        Row("REFUSALS", '"gifts_paused": (403, errors.BillingGiftsPaused, "Gifts are paused. Try again tomorrow."),'),
    ),
    (
        "There is no class for gifts_paused. Add: class BillingGiftsPaused(BillingAccessDenied)",
        'Add: "gifts_paused": (403, errors.BillingGiftsPaused, "A sentence."),',
    ),
    """
from nous_billing import BillingGiftsPaused
portal.inject(Fault.reply(403, {"error": "gifts_paused", "portalUrl": "/billing"}))
try:
    client.give(amount_usd=5, to="ada@example.com", idempotency_key="k")
except BillingGiftsPaused as error:
    assert error.portal_url == portal.url + "/billing"
    assert str(error) == "Gifts are paused. Try again tomorrow."
else:
    raise AssertionError("no error")
""",
)

REASON = Rehearsal(
    "a reason of a failed charge",
    "minor",
    1,
    (
        InContract(
            ("components", "schemas", "ChargeFailed", "properties", "reason", "anyOf", "0", "enum"),
            "rehearsed_reason",
        ),
    ),
    (Row("FAILURES", '"9979": "rehearsed_reason",'),),
    ("The mock has no card that ends in rehearsed_reason. Add one.",),
    """
from nous_billing.mock import Card
portal.organisation.card = Card("visa", "9979")
accepted = client.post_charge(amount_usd=50, idempotency_key="k")
portal.clock.advance(5)
assert client.wait_for_charge(accepted.charge_id).reason == "rehearsed_reason"
""",
)

REMOVED = Rehearsal(
    "a removed field",
    "major",
    1,
    (
        Edit(CONTRACT, "\n    GiftSent:", "[status, giftId, amountUsd]", "[status, amountUsd]"),
        Edit(CONTRACT, "\n    GiftSent:", "        giftId: {type: string}\n", ""),
        Edit(CONTRACT, "\n    GiftSent:", "giftId: gift_1, ", ""),
    ),
    (Edit(MODELS, "class GiftSent(", "    gift_id: str\n", ""),),
    ("The contract has no GiftSent.gift_id. Take it out.",),
    """
sent = client.give(amount_usd=5, to="ada@example.com", idempotency_key="k")
assert not hasattr(sent, "gift_id")
""",
)

RETYPED = Rehearsal(
    "a changed type",
    "major",
    2,
    (
        Edit(CONTRACT, "\n    GiftDeclined:", "reason: {type: string}", "reason: {type: integer}"),
        Edit(CONTRACT, "\n    GiftDeclined:", "reason: not_wanted", "reason: 7"),
    ),
    (
        Edit(MODELS, "class GiftDeclined(", "reason: str", "reason: int"),
        Edit("nous_billing/mock/billing.py", "def give", '"reason": "not_wanted"', '"reason": 7'),
    ),
    ("GiftDeclined.reason is str. The contract says int.",),
    """
declined = client.give(amount_usd=5, to="bob@example.org", idempotency_key="k", quiet=True)
assert declined.reason == 7
""",
)

FOLLOWING = [FIELD, ERROR, REASON, REMOVED, RETYPED]
