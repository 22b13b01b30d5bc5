"""`python -m nous_billing.mock`: a portal to try things with."""

import argparse
import logging
import signal
import sys
import threading
from types import FrameType

from .ledger import AMBIGUOUS, FAILURES

try:
    from . import Card, MockPortal
except ModuleNotFoundError as _missing:
    # It says what to install, without a traceback.
    sys.exit(str(_missing))

_TOKEN_LIFETIME = 8 * 3600.0
_CARDS = ", ".join(["4242 settles", *(f"{last4} {reason}" for last4, reason in FAILURES.items())])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nous_billing.mock",
        description="Serve a mock Nous Portal on a loopback port, and the contract as a page at its address.",
    )
    parser.add_argument("--host-port", type=int, default=0, metavar="PORT", help="the port; default: any free one")
    parser.add_argument(
        "--card",
        default="4242",
        metavar="LAST4",
        help=f"the saved card's last four digits decide how a charge ends: {_CARDS}, {AMBIGUOUS} settles, but the "
        "first reply is lost; 'none' means no card; default: 4242",
    )
    parser.add_argument("--role", default="OWNER", help="OWNER, ADMIN, MEMBER or any other; default: OWNER")
    parser.add_argument(
        "--settle-after", type=float, default=3.0, metavar="SECONDS", help="how long a charge is pending; default: 3"
    )
    return parser


def _introduction(portal: MockPortal, role: str) -> str:
    card = portal.organisation.card
    saved = f"card {card.brand} {card.last4}" if card else "no saved card"
    return f"""\
Mock Nous Portal at {portal.url}   (the contract as a page: open it in a browser; Ctrl-C ends the portal)
A token with the role {role} at {portal.organisation.name}, {saved}, balance $100, valid for 8 hours. In another shell:

  export NOUS_PORTAL_BASE_URL={portal.url}
  export NOUS_TOKEN={portal.issue_token(portal.owner, lifetime=_TOKEN_LIFETIME)}
  curl -sH "Authorization: Bearer $NOUS_TOKEN" $NOUS_PORTAL_BASE_URL/api/billing/state
  curl -sH "Authorization: Bearer $NOUS_TOKEN" -H "Idempotency-Key: first" \
-H "Content-Type: application/json" -d '{{"amountUsd": 50}}' $NOUS_PORTAL_BASE_URL/api/billing/charge
"""


def main() -> int:
    """Serve until Ctrl-C or SIGTERM."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    portal = MockPortal(settle_after=arguments.settle_after)
    portal.organisation.card = None if arguments.card == "none" else Card("visa", arguments.card)
    portal.owner.role = arguments.role
    try:
        portal.start(arguments.host_port)
    except (OSError, OverflowError) as error:
        print(f"Cannot use port {arguments.host_port}: {error}", file=sys.stderr)
        return 1
    print(_introduction(portal, arguments.role), flush=True)
    # Ctrl-C cannot interrupt a wait without a timeout on Windows.
    while not stopping.wait(0.2):
        pass
    portal.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
