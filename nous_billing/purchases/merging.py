"""Merges what two calls know of one purchase."""

from __future__ import annotations

from dataclasses import replace

from .purchase import Purchase, PurchaseStatus

# Settled outranks failed: if a paid purchase were reported as failed, the person would buy again.
_KNOWLEDGE: dict[PurchaseStatus, int] = {"not_made": 0, "sending": 1, "pending": 2, "failed": 3, "settled": 4}


def merged(stored: Purchase, ours: Purchase) -> Purchase:
    """Merge our state of a purchase with the one that another call has saved; keep the revision of the stored one."""
    best = max(stored, ours, key=lambda purchase: _KNOWLEDGE[purchase.status])
    known = (best.charge_id, stored.charge_id, ours.charge_id, *stored.other_charge_ids, *ours.other_charge_ids)
    charge_ids = tuple(dict.fromkeys(charge_id for charge_id in known if charge_id is not None))
    discrepancies = dict.fromkeys((*stored.discrepancies, *ours.discrepancies))
    if stored.charge_id == ours.charge_id and {stored.status, ours.status} == {"settled", "failed"}:
        discrepancies |= dict.fromkeys(["settled_and_failed"])
    return replace(
        best,
        other_charge_ids=charge_ids[1:],
        discrepancies=tuple(discrepancies),
        revision=stored.revision,
    )
