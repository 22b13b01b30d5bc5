"""What is kept of a purchase comes back as it was, and whatever has become of it is no new purchase."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import strategies as st

import nous_billing as nb
from nous_billing.mock.ledger import Charge
from tests.registry import KEY

from .bodies import MUTATIONS
from .pressing import AMOUNT
from .records import RECORDS


def test_what_is_kept_of_a_purchase_comes_back_digit_for_digit(tmp_path_factory, for_all):
    def kept(purchase):
        folder = tmp_path_factory.mktemp("purchases")
        assert nb.PurchaseDirectory(folder).save(purchase)
        (read,) = nb.PurchaseDirectory(folder).load(purchase.key)
        for field in fields(purchase):
            assert str(getattr(read, field.name)) == str(getattr(purchase, field.name))

    for_all(kept, RECORDS)


BEGUN = datetime(2020, 1, 1, tzinfo=UTC)
FOUND = nb.Purchase(key=KEY, amount_usd=Decimal(AMOUNT), started_at=BEGUN, revision=3)
PLACE = {"portal_base_url": "http://begun.example", "organisation_id": "org_begun", "organisation_name": "Acme"}
PAID = {"settled_at": BEGUN, "added_usd": Decimal(AMOUNT)}
STAGES = {
    "not_made": {},
    "sending": {},
    "pending": {"charge_id": "ch_1"},
    "settled": {"charge_id": "ch_1", **PAID},
    "failed": {"charge_id": "ch_1", "reason": "card_declined"},
}


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_a_record_has_become_it_is_no_new_purchase(stage, begin, for_all, tmp_path):
    nb.PurchaseDirectory(tmp_path).save(replace(FOUND, **PLACE, status=stage, **STAGES[stage], revision=1))
    (file,) = tmp_path.rglob("*.json")
    text = file.read_text()

    def story(scene, content):
        organisation, clock = scene.rig.organisation, scene.rig.portal.clock
        if stage != "not_made":
            charge = Charge(KEY, FOUND.amount_usd, organisation.card.last4, clock, 0)
            charge.id = "ch_1"
            organisation.add_charge(charge)
        now = datetime.fromtimestamp(scene.clock.time(), UTC).isoformat()
        for name, value in (
            (BEGUN.isoformat(), now),
            (PLACE["portal_base_url"], scene.rig.portal.url),
            (PLACE["organisation_id"], organisation.id),
        ):
            content = content.replace(name.encode(), value.encode())
        record = scene.folder / file.name
        record.write_bytes(content)
        try:
            kept = scene.kept()
        except nb.BillingPurchaseStoreError:
            kept = None
        resumed = scene.outcome("resume_purchases", (), 10**6, cap=4)
        assert isinstance(resumed, list)
        assert kept is not None or isinstance(resumed[-1], nb.BillingPurchaseStoreError)
        assert scene.posts == []
        if kept is None:
            assert record.read_bytes() == content
        outcome = scene.press(cap=4)
        assert isinstance(outcome, nb.Purchase | nb.BillingError)
        assert bool(scene.posts) <= (kept is not None and kept.key == KEY and kept.status in ("sending", "not_made"))
        if kept is None:
            assert type(outcome) is nb.BillingPurchaseUncertain
            assert type(outcome.last_error) is nb.BillingPurchaseStoreError
            assert record.read_bytes() == content
        # Of a record with another amount it is known that the key is another purchase's; and of one of another
        # organisation or portal that has ended, that it is nobody's here.
        is_elsewhere = kept is not None and kept.has_ended and getattr(outcome, "error", "") == "wrong_organisation"
        if isinstance(outcome, nb.BillingError) and not isinstance(outcome, nb.BillingIdempotencyConflict):
            assert outcome.outcome_unknown or scene.charge is None or is_elsewhere
        yield outcome

    # Of a size that a failure could print.
    names = st.sampled_from(sorted(MUTATIONS.keys() - {"2 MiB"})) | st.sampled_from(["an odd value", "a duplicate key"])
    contents = names.flatmap(lambda name: MUTATIONS[name](text))
    for_all(lambda content: begin(story, content, last4="9995" if stage == "failed" else "4242"), contents, share=0.5)
