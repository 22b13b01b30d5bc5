"""What the drop-in remembers of payments whose outcome is unknown."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import pytest
from filelock import FileLock

from nous_billing.errors import BillingNetworkError
from nous_billing.hermes import unresolved
from nous_billing.hermes.unresolved import Payment, UnresolvedPayments


def payment(key, organisation="one", at=0.0, **more):
    return Payment(key=key, what="charge 100", portal="portal", organisation=organisation, sent_at=at, **more)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nous-billing/unresolved.json"
    path.parent.mkdir()
    return path


@pytest.fixture
def save(file):
    return lambda *payments: file.write_text(json.dumps({"version": 1, "payments": [*map(asdict, payments)]}))


class Window(UnresolvedPayments):
    """One process of a profile."""

    def __init__(self, home, monkeypatch):
        super().__init__()
        self.home = str(home)
        self._monkeypatch = monkeypatch

    def sends(self, confirmed, seconds=5.0):
        return self.claim(self.home, confirmed, seconds)[0]

    def with_full_disk(self, change, *args):
        def fails(*_):
            raise OSError("no space left")

        with self._monkeypatch.context() as full:
            full.setattr(unresolved, "replace_durably", fails)
            return change(*args)


@pytest.fixture
def windows(tmp_path, monkeypatch):
    return [Window(tmp_path, monkeypatch) for _ in range(2)]


@pytest.fixture
def claim(windows):
    return lambda confirmed: windows[0].sends(confirmed).key


@pytest.mark.parametrize(
    ("earlier", "now", "sent"),
    [
        ([""], "one", "0"),
        (["one"], "", "0"),
        ([""], "", "0"),
        (["one"], "two", "new"),
        (["", "one"], "one", "1"),
        (["one", "two"], "", "1"),
        (["two", ""], "one", "1"),
    ],
)
def test_only_two_known_organisations_are_different_ones(earlier, now, sent, save, claim):
    save(*(payment(str(number), organisation, float(number)) for number, organisation in enumerate(earlier)))
    assert claim(payment("new", now, 9.0)) == sent


def test_a_payment_belongs_to_the_organisation_that_is_known_once_it_is_sent_for_it(save, claim):
    save(payment("first", ""))
    # The state cannot be read the third time.
    assert [claim(payment("first", now)) for now in ("", "one", "")] == ["first"] * 3
    assert claim(payment("second", "two")) == "second"
    assert claim(payment("third", "one")) == "first"


def test_a_full_disk_lets_a_window_remember_only_what_it_sent_itself(windows):
    here, there = windows
    there.sends(payment("first"))
    here.with_full_disk(here.sends, payment("other", "two"))
    # Paid again after nine minutes, and lost again.
    there.sends(payment("second", at=540.0))
    assert here.sends(payment("third", at=660.0)).key == "first"


def test_what_two_windows_know_of_a_payment_is_put_together(windows, file):
    here, there = windows
    lost = there.sends(payment("first", ""))
    here.with_full_disk(here.sends, payment("here", at=9.0))
    there.sends(payment("there", "", at=5.0))
    there.resolve(there.home, lost, 5.0)
    here.sends(payment("another", "two"))
    expected = payment("first", "one", 9.0, sends=2, other_keys=["there", "here"], answered=True)
    assert json.loads(file.read_text())["payments"][0] == asdict(expected)


def test_a_later_time_takes_nothing_back_that_another_window_saved(windows, file):
    here, there = windows
    lost = here.sends(payment("first"))
    there.resolve(there.home, there.sends(payment("second", at=1.0)), 5.0)
    for until in (1800.0, 900.0):
        here.postpone(here.home, lost, until, 5.0)
    expected = payment("first", at=1800.0, sends=2, other_keys=["second"], answered=True)
    assert json.loads(file.read_text())["payments"] == [asdict(expected)]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_payment_that_another_call_sends_too_is_not_withdrawn(is_kept, windows):
    here, _ = windows

    def claims():
        first = here.sends(payment("first"))
        here.sends(payment("second", at=1.0))
        here.withdraw(here.home, first, 5.0)
        return here.sends(payment("third", at=2.0))

    assert (claims() if is_kept else here.with_full_disk(claims)).key == "first"


def test_a_thread_waits_no_longer_for_the_lock_than_its_call_has_time(windows, file):
    here, _ = windows
    with ThreadPoolExecutor(1) as pool:
        with FileLock(f"{file}.lock"):
            patient = pool.submit(here.sends, payment("patient"), 5.0)
            time.sleep(0.2)
            begun = time.monotonic()
            with pytest.raises(BillingNetworkError, match=r"for 0\.3 seconds\. Try again"):
                here.sends(payment("hasty"), 0.3)
            assert time.monotonic() - begun < 2.0
        assert patient.result().key == "patient"


def test_a_payment_that_waits_for_days_makes_no_other_one_old(windows):
    here, _ = windows
    here.sends(payment("other", "two"))
    here.postpone(here.home, here.sends(payment("first")), 100_000.0, 5.0)
    assert here.sends(payment("again", "two", 1.0)).key == "other"
