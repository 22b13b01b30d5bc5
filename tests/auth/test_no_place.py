"""Files and folders, real ones, in which a renewed login cannot be saved, or only in place."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from nous_billing.mock import Fault, MockPortal
from tests.auth.support import WORKER, House, child_environment, iso


@pytest.fixture
def live(tmp_path):
    """A portal on real time, as processes of their own have no other."""
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield House(portal, tmp_path / "config" / "login.json")


def put(house, left):
    """A login that is due, with so many seconds left."""
    login, now = house.portal.log_in(), house.portal.clock.now()
    if left <= 0:
        house.portal.expire(login.access_token)
    house.write({house.url: house.entry_for(login, obtained_at=iso(now + left - 900), expires_at=iso(now + left))})
    return login


def mounted(*commands):
    """Prepare the folder in a mount namespace of the worker's own."""

    @contextmanager
    def prepare(house):
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
            pytest.skip("This user may not mount anything.")
        script = " && ".join(commands).format(folder=house.path.parent, path=house.path, aside=house.path.parent.parent)
        yield ["unshare", "-m", "sh", "-ec", f'{script}\n"$@"\ncat {house.path}', "sh"]

    return prepare


@contextmanager
def immutable(house):
    if subprocess.run(["chattr", "+i", house.path], capture_output=True).returncode:
        pytest.skip("This file system knows no immutable files, or this user may not make one.")
    yield ["sh", "-c", f'"$@"; cat {house.path}', "sh"]
    subprocess.run(["chattr", "-i", house.path], check=True)


_TMPFS = (
    "cp {path} {aside}/copy",
    "mount -t tmpfs -o mode=700,size=SIZE none {folder}",
    "cp -p {aside}/copy {path}",
    "touch {path}.lock",
)
_FULL = mounted(*(line.replace("SIZE", "12k") for line in _TMPFS), "cat /dev/zero > {folder}/fill 2>/dev/null || true")
_READ_ONLY = mounted(*(line.replace("SIZE", "1m") for line in _TMPFS), "mount -o remount,ro {folder}")
_MOUNTED_FILE = mounted("cp -p {path} {aside}/real", "mount --bind {aside}/real {path}")

NO_PLACE = {
    "a full disk": (_FULL, "No space left on device"),
    "a read-only file system": (_READ_ONLY, "the lock {path}.lock cannot be used: Read-only file system"),
    "an immutable file": (immutable, "Operation not permitted"),
}


def run(house, prepare):
    """How a process in that place answers, and the login in its file afterwards."""
    with prepare(house) as prefix:
        done = subprocess.run(
            [*prefix, sys.executable, str(WORKER), "state", str(house.path)],
            capture_output=True,
            text=True,
            timeout=60,
            env=child_environment(),
        )
    assert done.stderr == ""
    answer, _, content = done.stdout.partition("\n")
    return answer, json.loads(content)["portals"][house.url]


@pytest.mark.parametrize("row", NO_PLACE)
def test_without_a_place_for_the_new_pair_the_token_at_hand_is_used_and_no_refresh_token_is_spent(live, row):
    login = put(live, left=60)
    answer, entry = run(live, NO_PLACE[row][0])
    assert (answer, entry["access_token"], entry["refresh_token"]) == ("100", login.access_token, login.refresh_token)
    assert live.refreshes() == []


@pytest.mark.parametrize("row", NO_PLACE)
def test_without_a_place_an_expired_login_is_an_error_that_names_the_file_and_leaves_the_login(live, row):
    login = put(live, left=-5)
    prepare, reason = NO_PLACE[row]
    answer, entry = run(live, prepare)
    reason = reason.format(path=live.path)
    assert answer == (
        f"BillingLoginNotSaved: The login cannot be saved to {live.path}: {reason}. Free disk space, or fix the cause. "
        "The login was not renewed, and is unchanged."
    )
    assert (live.refreshes(), entry["refresh_token"]) == ([], login.refresh_token)


def test_a_file_that_was_mounted_by_itself_is_written_in_place(live):
    login = put(live, left=60)
    answer, entry = run(live, _MOUNTED_FILE)
    assert answer == "100"
    assert live.refreshes() == [login.refresh_token]
    assert entry["refresh_token"] not in (login.refresh_token, None)


def test_a_failed_renewal_is_remembered_in_a_file_that_was_mounted_by_itself(live):
    login = put(live, left=60)
    live.portal.inject(Fault.reply(503, {}), "oauth_token", times=9)
    answer, entry = run(live, _MOUNTED_FILE)
    assert (answer, entry["refresh_token"], entry["failed_renewal"]["pause"]) == ("100", login.refresh_token, 5)
    assert live.refreshes() == [login.refresh_token]


def test_who_is_not_logged_in_is_told_so_where_nothing_can_be_saved_either(live):
    live.write({live.url: {}})
    answer, _ = run(live, _READ_ONLY)
    assert answer == "BillingAuthError: Not logged in to the Nous Portal. Log in first."
