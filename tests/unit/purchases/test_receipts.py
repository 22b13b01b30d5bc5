"""Receipts of purchases that have ended: where they lie, how they are listed and removed, and what they cost."""

import errno
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from filelock import FileLock

from nous_billing.errors import BillingInvalidRequest, BillingNetworkError, BillingPurchaseStoreError
from nous_billing.purchases import folder as purchase_folder
from nous_billing.purchases.document import encode
from tests.unit.purchases.kept import FIRST, OTHER, SECOND, THIRD, full, mode, only_file, save_all
from tests.unit.shop import KEY

DAY = timedelta(days=1)
NOT_MADE = replace(FIRST, status="not_made", revision=2)
ANEW = replace(FIRST, started_at=FIRST.started_at + 30 * DAY, revision=3)
ENDED = {"settled": "ch_1", "failed": "ch_1", "not_made": None}


def ended(number, status="settled"):
    """One that was begun so many days after the first."""
    return replace(
        FIRST,
        key=f"k{number}",
        status=status,
        charge_id=ENDED[status],
        started_at=FIRST.started_at + number * DAY,
    )


def receipt_of(store, purchase):
    return store.path / "receipts" / purchase_folder._file_name(purchase.key)


@pytest.mark.parametrize("status", ENDED)
def test_a_purchase_that_ends_is_moved_to_the_receipts_and_found_by_its_key(store, status):
    purchase = ended(1, status)
    save_all(store, purchase)
    assert only_file(store) == receipt_of(store, purchase)
    assert (mode(only_file(store)), mode(only_file(store).parent)) == (0o600, 0o700)
    assert (store.load("k1"), list(store.load()), list(store.receipts())) == ([purchase], [], [purchase])
    assert store.save(replace(purchase, revision=1)) is False


def test_looking_for_what_is_open_reads_no_receipt(store, monkeypatch):
    save_all(store, FIRST, *map(ended, range(20)))
    read = []
    monkeypatch.setattr(purchase_folder, "read_own_file", lambda file: read.append(file) or file.read_bytes())
    monkeypatch.setattr(Path, "iterdir", lambda self: map(self.joinpath, os.listdir(read.append(self) or self)))
    assert list(store.load()) == [FIRST]
    assert read == [store.path, store.path / purchase_folder._file_name(KEY)]


def test_a_purchase_that_is_begun_anew_is_open_and_no_receipt(store):
    save_all(store, FIRST, NOT_MADE, ANEW)
    assert (store.load(KEY), list(store.load()), list(store.receipts())) == ([ANEW], [ANEW], [])
    assert only_file(store).parent == store.path
    save_all(store, replace(NOT_MADE, revision=4))
    assert store.load(KEY) == list(store.receipts()) == [replace(NOT_MADE, revision=4)]


def test_a_purchase_that_is_begun_anew_between_two_looks_is_found(store, monkeypatch):
    save_all(store, FIRST, NOT_MADE)
    read = purchase_folder._read

    def begun_anew(file):
        found = read(file)
        if found is None and file.parent == store.path:
            monkeypatch.setattr(purchase_folder, "_read", read)
            save_all(store, ANEW)
        return found

    monkeypatch.setattr(purchase_folder, "_read", begun_anew)
    assert store.load(KEY) == [ANEW]


def test_a_receipt_that_cannot_be_moved_is_kept_where_it_is_until_it_can(store, monkeypatch):
    save_all(store, FIRST, SECOND)
    with monkeypatch.context() as patch:
        patch.setattr(purchase_folder, "make_folder", full)
        save_all(store, THIRD)
        assert (list(store.load()), list(store.receipts()), store.load(KEY)) == ([], [THIRD], [THIRD])
        assert only_file(store).parent == store.path
    assert list(store.load()) == []
    assert only_file(store) == receipt_of(store, THIRD)
    assert store.load(KEY) == [THIRD]


# Directories of the first version, which kept everything in one folder


def write_flat(store, *purchases):
    store.path.mkdir(parents=True, exist_ok=True)
    for purchase in purchases:
        old = {**json.loads(encode(purchase)), "format": 1}
        del old["other_charge_ids"], old["discrepancies"]
        (store.path / purchase_folder._file_name(purchase.key)).write_text(json.dumps(old))


def test_a_directory_of_the_first_version_goes_on_and_its_receipts_are_moved_as_they_are_met(store):
    old = [ended(number) for number in range(3)]
    write_flat(store, FIRST, OTHER, *old)
    assert (store.load("k1"), store.load(KEY)) == ([old[1]], [FIRST])
    assert list(store.receipts()) == old[::-1]
    assert list(store.load()) == [OTHER, FIRST]
    assert {file.name for file in (store.path / "receipts").iterdir()} == {
        receipt_of(store, purchase).name for purchase in old
    }
    assert len(list(store.path.glob("*.json"))) == 2
    assert (list(store.receipts()), store.load("k1")) == (old[::-1], [old[1]])
    save_all(store, SECOND, THIRD)
    assert store.load(KEY) == [THIRD]


def test_what_is_begun_anew_while_it_is_to_be_moved_stays(store, monkeypatch):
    write_flat(store, NOT_MADE)
    read_all = purchase_folder._read_all

    def begun_anew(files):
        found = read_all(files)
        monkeypatch.setattr(purchase_folder, "_read_all", read_all)
        save_all(store, ANEW)
        return found

    monkeypatch.setattr(purchase_folder, "_read_all", begun_anew)
    assert list(store.load()) == []
    assert list(store.load()) == [ANEW]


def test_what_is_forgotten_while_it_is_to_be_moved_is_gone(store, monkeypatch):
    write_flat(store, NOT_MADE)
    read_all = purchase_folder._read_all
    monkeypatch.setattr(purchase_folder, "_read_all", lambda files: (read_all(files), store.forget(KEY))[0])
    assert list(store.load()) == []
    assert store.load(KEY) == []


def test_what_is_removed_between_the_listing_and_the_reading_is_not_there(store, monkeypatch):
    save_all(store, FIRST, OTHER)
    files = purchase_folder._files
    monkeypatch.setattr(purchase_folder, "_files", lambda folder: (files(folder), store.forget(KEY))[0])
    assert list(store.load()) == [OTHER]


def test_looking_moves_nothing_that_somebody_else_holds(store, monkeypatch):
    write_flat(store, NOT_MADE)
    monkeypatch.setattr(purchase_folder, "_LOCK_SECONDS", 0.05)
    monkeypatch.setattr(purchase_folder, "_STRIPES", 1)
    (store.path / ".locks").mkdir()
    with FileLock(store.path / ".locks/00", thread_local=False):
        assert list(store.load()) == []
    assert only_file(store).parent == store.path


# Listing


def test_receipts_are_listed_newest_first(store):
    save_all(store, FIRST, ended(2), ended(3, "failed"), ended(1, "not_made"))
    assert [receipt.key for receipt in store.receipts()] == ["k3", "k2", "k1"]


def test_a_directory_that_is_not_there_has_no_receipts_and_is_not_made_by_looking(store):
    assert (list(store.receipts()), store.prune(before=datetime.now(UTC)), store.forget(KEY)) == ([], 0, None)
    assert not store.path.exists()


def break_receipts(store):
    """One that is kept, and one of which not even the key can be read."""
    save_all(store, ended(1), ended(2))
    broken = receipt_of(store, FIRST)
    broken.write_bytes(b"{")
    return broken


def test_the_good_receipts_come_before_it_is_said_that_others_are_broken(store):
    broken = break_receipts(store)
    listed = store.receipts()
    assert [next(listed).key, next(listed).key] == ["k2", "k1"]
    with pytest.raises(BillingPurchaseStoreError) as caught:
        next(listed)
    assert str(broken) in str(caught.value)


# Pruning


def test_receipts_from_before_a_moment_are_pruned_and_what_is_open_never_is(store):
    save_all(store, OTHER, *map(ended, range(4)))
    write_flat(store, ended(-1))
    assert store.prune(before=FIRST.started_at + 2 * DAY) == 3
    assert [receipt.key for receipt in store.receipts()] == ["k3", "k2"]
    assert list(store.load()) == [OTHER]
    assert store.prune(before=FIRST.started_at + 2 * DAY) == 0
    assert store.load("k0") == []


def test_what_is_begun_anew_while_receipts_are_pruned_stays(store, monkeypatch):
    save_all(store, FIRST, NOT_MADE)
    listed = list(store.receipts())
    save_all(store, ANEW)
    monkeypatch.setattr(store, "receipts", lambda: listed)
    assert store.prune(before=datetime.now(UTC)) == 0
    assert list(store.load()) == [ANEW]


def test_broken_receipts_stay_and_are_said_once_the_others_are_pruned(store):
    broken = break_receipts(store)
    with pytest.raises(BillingPurchaseStoreError):
        store.prune(before=datetime.now(UTC))
    assert [*store.path.rglob("*.json")] == [broken]


class WithoutOffset(tzinfo):
    def utcoffset(self, moment):
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize("zone", [None, WithoutOffset()])
def test_a_moment_without_a_zone_prunes_nothing(store, zone):
    save_all(store, ended(1))
    with pytest.raises(BillingInvalidRequest) as caught:
        store.prune(before=datetime(2030, 1, 1, tzinfo=zone))
    assert (caught.value.error, str(caught.value)) == (
        "invalid_moment",
        "before must have a time zone. Nothing was removed.",
    )
    assert len(list(store.receipts())) == 1


# Forgetting


@pytest.mark.parametrize("history", [[FIRST], [FIRST, SECOND, THIRD], [FIRST, NOT_MADE, ANEW]])
def test_what_is_forgotten_is_gone_and_the_others_stay(store, history):
    save_all(store, *history, OTHER)
    store.forget(KEY)
    assert (store.load(KEY), list(store.load())) == ([], [OTHER])
    assert store.save(FIRST)


def test_all_that_there_is_of_a_purchase_is_forgotten(store):
    save_all(store, FIRST, NOT_MADE, ANEW)
    receipt_of(store, FIRST).write_bytes(encode(NOT_MADE))
    (store.path / f"{receipt_of(store, FIRST).name}.new").write_bytes(b"{")
    assert (store.load(KEY), list(store.receipts())) == ([ANEW], [])
    store.forget(KEY)
    assert [path for path in store.path.rglob("*") if path.is_file() and path.parent.name != ".locks"] == []


def test_what_is_broken_can_be_forgotten(store):
    store.save(FIRST)
    only_file(store).write_bytes(b"")
    store.forget(KEY)
    assert list(store.load()) == []


def test_what_was_never_kept_may_be_forgotten(store):
    store.save(FIRST)
    store.forget("another")
    assert store.load(KEY) == [FIRST]


def test_nothing_is_forgotten_while_another_program_holds_the_purchase(store, monkeypatch):
    store.save(FIRST)
    monkeypatch.setattr(purchase_folder, "_LOCK_SECONDS", 0.05)
    (held,) = (store.path / ".locks").iterdir()
    with FileLock(held, thread_local=False), pytest.raises(BillingNetworkError):
        store.forget(KEY)
    assert store.load(KEY) == [FIRST]


def test_a_disk_that_fails_while_it_forgets_is_said_to(store, monkeypatch):
    save_all(store, FIRST)

    def failed(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failed)
    with pytest.raises(OSError, match="Input/output error"):
        store.forget(KEY)
