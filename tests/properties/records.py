"""Purchases of every kind, for whatever keeps them; without the tools that make requests."""

from datetime import timedelta, timezone

from hypothesis import strategies as st

import nous_billing as nb

MONEY = st.decimals("0.01", "1000000", places=2) | st.decimals("-0.99", "1e12", places=6)
MOMENTS = st.datetimes(timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RECORDS = st.builds(
    nb.Purchase,
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255),
    amount_usd=MONEY,
    started_at=MOMENTS,
    **dict.fromkeys(("portal_base_url", "organisation_id", "organisation_name"), TEXT),
    status=st.sampled_from(["sending", "pending", "settled", "failed", "not_made"]),
    **dict.fromkeys(("charge_id", "reason"), st.none() | TEXT),
    settled_at=st.none() | MOMENTS,
    added_usd=st.none() | MONEY,
    revision=st.just(1),
)
