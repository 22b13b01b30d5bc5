"""Take the pictures of the mock's pages in docs/pictures/."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nous_billing import BillingClient, StaticToken
from nous_billing.mock import Card, MockClock, MockPortal
from scripts.chromium import chromium, find

PICTURES = Path(__file__).resolve().parent.parent / "docs/pictures"
START = datetime(2026, 6, 13, 10, tzinfo=UTC).timestamp()
# What the docs show of each page.
WIDTHS = {"device": 390, "billing": 1280}
SEED: dict[str, Any] = {
    "organisations": [{"name": "Acme", "balanceUsd": "142.5", "monthlyCapUsd": "500"}],
    "people": [{"name": "Ada"}, {"name": "Bob", "role": "MEMBER"}],
    "ids": {"charge": ["ch_8Zt1", "ch_4Qw7", "ch_2Lm9"], "userCode": ["BCDF-GHJK"]},
}


def buy(portal: MockPortal) -> None:
    """A ledger with one charge of each status."""
    with BillingClient(StaticToken(portal.issue_token(lifetime=86400)), base_url=portal.url) as client:
        for number, last4 in enumerate(("4242", "9995", "4242"), 1):
            portal.organisation.card = Card("visa", last4)
            portal.clock.advance(3600)
            client.post_charge(amount_usd=50 * number, idempotency_key=f"order-{number}")


def main() -> int:
    path = find()
    if path is None:
        print("The pictures need Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    portal = MockPortal(MockClock(frozen=True, start=START), seed=SEED)
    with portal.serve() as url, chromium(path) as tab:
        buy(portal)
        device = portal.oauth.devices.start("inference:invoke billing:manage", f"{url}/device")
        for page, address in (("device", device["verification_uri_complete"]), ("billing", f"{url}/billing")):
            for dark in (False, True):
                tab.look(WIDTHS[page], dark=dark)
                tab.open(address)
                picture = PICTURES / f"{page}-{'dark' if dark else 'light'}.png"
                picture.write_bytes(tab.picture())
                print(f"{picture.name}: {picture.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
