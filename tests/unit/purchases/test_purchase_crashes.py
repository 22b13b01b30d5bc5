"""Crashes between any two calls of the system: each purchase is there once, as it was or as it was to be."""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nous_billing.purchases import folder as purchase_folder
from nous_billing.purchases.directory import PurchaseDirectory
from nous_billing.purchases.document import encode
from tests.unit.purchases.kept import FIRST, OTHER, SECOND, THIRD, save_all
from tests.unit.shop import KEY

NOT_MADE = replace(FIRST, status="not_made", revision=2)
ANEW = replace(FIRST, revision=3)
ENDED_ANEW = replace(THIRD, revision=4)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
CALLS = ("open", "fsync", "replace", "unlink", "mkdir")


class Crash(BaseException):
    """The process is gone."""


class Machine:
    """Counts what is asked of the system, and asks nothing more of it from a certain call on."""

    def __init__(self, patch, lives):
        self.calls = 0
        for name in CALLS:
            patch.setattr(os, name, self._counted(getattr(os, name), lives))

    def _counted(self, call, lives):
        def counted(*arguments, **more):
            self.calls += 1
            if self.calls > lives:
                raise Crash
            return call(*arguments, **more)

        return counted


def beside_its_receipt(store):
    """Begun anew, and crashed before the receipt of the attempt before was removed."""
    save_all(store, FIRST, NOT_MADE, ANEW)
    (store.path / "receipts" / purchase_folder._file_name(KEY)).write_bytes(encode(NOT_MADE))


def not_yet_filed_away(store):
    """Ended, and crashed before the receipt was moved, or left so by the first version."""
    save_all(store, FIRST, SECOND)
    (store.path / purchase_folder._file_name(KEY)).write_bytes(encode(THIRD))


def saved(*purchases):
    return lambda store: save_all(store, *purchases)


def look(store):
    list(store.load())


def forget(store):
    store.forget(KEY)


def prune(store):
    store.prune(before=LATER)


# What there is, what is done, and how the purchase is kept before and after.
STEPS = {
    "first": (saved(), saved(FIRST), None, FIRST),
    "next": (saved(FIRST), saved(SECOND), FIRST, SECOND),
    "end": (saved(FIRST, SECOND), saved(THIRD), SECOND, THIRD),
    "anew": (saved(FIRST, NOT_MADE), saved(ANEW), NOT_MADE, ANEW),
    "next-beside-receipt": (beside_its_receipt, saved(replace(ANEW, revision=4)), ANEW, replace(ANEW, revision=4)),
    "end-beside-receipt": (beside_its_receipt, saved(ENDED_ANEW), ANEW, ENDED_ANEW),
    "look": (not_yet_filed_away, look, THIRD, THIRD),
    "forget-open": (saved(FIRST), forget, FIRST, None),
    "forget-receipt": (saved(FIRST, SECOND, THIRD), forget, THIRD, None),
    "forget-both": (beside_its_receipt, forget, ANEW, None),
    "forget-not-filed": (not_yet_filed_away, forget, THIRD, None),
    "prune": (saved(FIRST, SECOND, THIRD), prune, THIRD, None),
    "prune-not-filed": (not_yet_filed_away, prune, THIRD, None),
    "prune-open": (beside_its_receipt, prune, ANEW, ANEW),
}


def crashes_after(calls, step, path, monkeypatch):
    """Do the step on a machine that crashes after so many calls, and say whether it did."""
    prepare, work, *_ = STEPS[step]
    save_all(PurchaseDirectory(path), OTHER)
    prepare(PurchaseDirectory(path))
    with monkeypatch.context() as patch:
        machine = Machine(patch, calls)
        with suppress(Crash):
            work(PurchaseDirectory(path))
        return machine.calls > calls


@pytest.mark.parametrize("step", STEPS)
def test_after_a_crash_a_purchase_is_there_once_as_it_was_or_as_it_was_to_be(step, tmp_path, monkeypatch):
    _, work, before, after = STEPS[step]
    seen = []
    crashed = True
    while crashed:
        store = PurchaseDirectory(tmp_path / str(len(seen)))
        crashed = crashes_after(len(seen), step, store.path, monkeypatch)
        found, opened, receipts = list(store.load(KEY)), list(store.load()), list(store.receipts())
        kept = found[0] if found else None
        assert opened == [OTHER, *(purchase for purchase in found if not purchase.has_ended)]
        assert receipts == [purchase for purchase in found if purchase.has_ended]
        seen.append(kept)
        if kept == before != after:
            work(store)
        assert list(store.load(KEY)) == ([after] if after else [])
    # From one call on it is kept as it was to be.
    assert len(seen) > 3
    turn = seen.index(after)
    assert seen == [before] * turn + [after] * (len(seen) - turn)
