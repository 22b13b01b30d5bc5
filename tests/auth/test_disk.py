"""The file of a login: its modes, its replacement, what is kept in it, and disks that fail."""

import errno
import json
import os
import stat
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from nous_billing import (
    BillingAuthError,
    BillingClient,
    BillingError,
    BillingLoginNotSaved,
    BillingNetworkError,
    StoredLogin,
)
from nous_billing._files import replacing as files
from nous_billing.auth import login_keeper
from nous_billing.auth.login_file import LoginFile
from nous_billing.mock import Fault, MockPortal
from tests.auth.support import ASKS, asked, end_worker, start_worker, state_status

pytestmark = pytest.mark.usefixtures("looks_again_at_once")

OTHER = "https://portal.nousresearch.com"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def disk(monkeypatch, house):
    """A disk that can be made to fail at one of the steps of writing the file."""
    opened = os.open

    def refuse_new(path, *arguments, **more):
        if str(path).endswith(".new"):
            full()
        return opened(path, *arguments, **more)

    class FullFile:
        """A file on a full disk: it can be opened, and what is written does not fit."""

        def __init__(self, descriptor, how):
            self._descriptor = descriptor

        def __enter__(self):
            return self

        def __exit__(self, *_):
            os.close(self._descriptor)

        def seek(self, at):
            pass

        write = full

    steps = {
        "open": (os, "open", refuse_new),
        "write": (files, "open", FullFile),
        "fsync": (os, "fsync", full),
        "replace": (Path, "replace", full),
    }

    @contextmanager
    def failing(step):
        with monkeypatch.context() as patch:
            place, name, replacement = steps[step]
            patch.setattr(place, name, replacement, raising=False)
            yield

    return failing


STEPS = ["open", "write", "fsync", "replace"]


# A disk that fails after the portal has rotated


def test_a_disk_that_fails_after_the_rotation_is_a_typed_error_and_the_pair_lives_on(house, disk):
    login = house.put(left=0)
    before = house.path.read_bytes()
    source = house.source()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved) as caught:
            source.resolve()
        assert caught.value.error == "login_not_saved"
        assert str(caught.value) == (
            f"The login cannot be saved to {house.path}: No space left on device. Free disk space, or fix the cause. "
            "Until then only this program has the login."
        )
        token = source.resolve().access_token
        assert state_status(house.portal, token) == 200
        assert source.is_logged_in
        assert source.resolve().access_token == token
        assert house.path.read_bytes() == before
        assert "login.json.new" not in house.files()
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert house.refreshes() == [login.refresh_token]
    assert state_status(house.portal, house.source().resolve(rejected=token).access_token) == 200


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_call_after_the_one_that_could_not_save_goes_on(house, disk, kind):
    call = ASKS["client" if kind == "sync" else "async client"]
    house.put(left=0)
    source = house.source()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved):
            call(source)
        call(source)
        call(source)
    call(source)
    assert house.entry()["access_token"] == source.resolve().access_token
    assert len(house.refreshes()) == 1


def test_a_disk_that_is_full_for_two_refreshes_loses_neither_pair(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved):
            source.resolve()
        house.portal.clock.advance(900)
        try:
            token = source.resolve().access_token
        except BillingLoginNotSaved:
            token = source.resolve().access_token
        assert state_status(house.portal, token) == 200
        assert source.resolve().access_token == token
    assert source.resolve().access_token == token == house.entry()["access_token"]
    house.portal.clock.advance(900)
    assert state_status(house.portal, source.resolve().access_token) == 200
    assert len(house.refreshes()) == len(set(house.refreshes())) == 3


def test_a_new_login_that_could_not_be_saved_outlives_its_first_refresh(house, disk):
    source = house.source(portal_base_url=house.url)
    house.path.parent.mkdir()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved):
            source.login(lambda code: house.portal.approve_device(code.user_code))
        house.portal.clock.advance(900)
        try:
            token = source.resolve().access_token
        except BillingLoginNotSaved:
            token = source.resolve().access_token
    assert source.resolve().access_token == token == house.entry()["access_token"]


def test_a_login_that_is_in_memory_only_is_renewed_there_although_the_disk_has_no_place(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    house.portal.clock.advance(900)
    with disk("fsync"):
        with pytest.raises(BillingLoginNotSaved, match="only this program"):
            source.resolve()
        token = source.resolve().access_token
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert len(house.refreshes()) == len(set(house.refreshes())) == 2


def test_a_pair_that_could_not_be_saved_is_not_written_over_a_newer_login(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    newer = house.portal.log_in()
    house.write({house.url: house.entry_for(newer)})
    before = house.path.read_bytes()
    assert source.resolve().access_token == newer.access_token
    assert house.path.read_bytes() == before


def test_a_pair_that_could_not_be_saved_does_not_bring_back_a_login_that_was_ended_elsewhere(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    house.source().logout()
    with pytest.raises(BillingAuthError):
        source.resolve()
    assert house.document()["portals"] == {}


def test_a_new_login_that_could_not_be_saved_is_not_written_over_a_newer_one(house, disk):
    source = house.source(portal_base_url=house.url)
    house.path.parent.mkdir()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.login(lambda code: house.portal.approve_device(code.user_code))
    house.portal.clock.advance(60)
    newer = house.portal.log_in()
    house.write({house.url: {**house.entry_for(newer), "login_id": "another login"}})
    source.resolve()
    assert house.entry()["access_token"] == newer.access_token


def test_a_new_login_that_could_not_be_saved_is_not_written_over_one_made_meanwhile(house, disk):
    house.path.parent.mkdir()
    late, early = house.source(portal_base_url=house.url), house.source(portal_base_url=house.url)
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        late.login(lambda code: house.portal.approve_device(code.user_code))
    early.login(lambda code: house.portal.approve_device(code.user_code))
    made = house.entry()
    late.resolve()
    assert house.entry() == made


def test_a_step_up_that_could_not_be_saved_outlives_a_renewal_of_the_old_login(house, disk):
    house.put(left=0, scope="inference:invoke")
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.step_up(lambda code: house.portal.approve_device(code.user_code))
    house.source().resolve()
    token = source.resolve().access_token
    assert house.entry()["access_token"] == token
    assert "billing:manage" in house.entry()["scope"]


def test_unsaved_logins_of_two_portals_do_not_overwrite_each_other(house, disk, monkeypatch):
    other = MockPortal(clock=house.portal.clock)
    with other.serve():
        login = other.log_in()
        expired = "2020-01-01T00:00:00+00:00"
        house.put(left=0)
        house.write(
            {
                house.url: {**house.entry(), "expires_at": expired},
                other.url: {**house.entry_for(login), "expires_at": expired},
            }
        )
        source = StoredLogin(house.path, clock=house.clock)
        tokens = {}
        with disk("replace"):
            for url in (house.url, other.url):
                monkeypatch.setenv("NOUS_PORTAL_BASE_URL", url)
                with pytest.raises(BillingLoginNotSaved):
                    source.resolve()
                tokens[url] = source.resolve().access_token
        for url, token in tokens.items():
            monkeypatch.setenv("NOUS_PORTAL_BASE_URL", url)
            assert source.resolve().access_token == token
            assert house.document()["portals"][url]["access_token"] == token
        source.close()


def test_a_new_login_that_could_not_be_saved_is_used_and_saved_later(house, disk):
    source = house.source(portal_base_url=house.url)
    house.path.parent.mkdir()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved):
            source.login(lambda code: house.portal.approve_device(code.user_code))
        token = source.resolve().access_token
        assert not house.path.exists()
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert (house.document()["active_portal"], house.document()["version"]) == (house.url, 1)
    assert house.source().resolve().access_token == token


def test_another_process_may_take_the_pair_that_one_could_not_save_within_the_grace(house, disk):
    house.put(left=0)
    source, other = house.source(), house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    token = other.resolve().access_token
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert state_status(house.portal, token) == 200


def test_a_login_that_the_portal_ended_says_so_although_the_disk_is_full(house, disk):
    house.put(left=0)
    house.portal.inject(Fault.reply(400, {"error": "invalid_grant"}), "oauth_token", times=2)
    with disk("replace"), pytest.raises(BillingAuthError, match="Log in again"):
        house.source().resolve()


def test_a_logout_of_a_login_that_only_this_program_has_writes_nothing(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    house.source().logout()
    before = house.path.read_bytes()
    source.logout()
    assert (source.is_logged_in, house.path.read_bytes()) == (False, before)


def test_a_logout_that_cannot_be_saved_is_a_typed_error(house, disk):
    house.put()
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved) as caught:
        source.logout()
    assert str(caught.value) == (
        f"The login cannot be saved to {house.path}: No space left on device. Free disk space, or fix the cause."
    )
    source.logout()
    assert not source.is_logged_in


def test_a_logout_forgets_a_pair_that_could_not_be_saved_too(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"), pytest.raises(BillingLoginNotSaved):
        source.resolve()
    source.logout()
    assert not source.is_logged_in
    with pytest.raises(BillingAuthError, match="Not logged in"):
        source.resolve()


def test_a_pair_that_could_not_be_saved_and_that_the_portal_ends_is_not_tried_again(house, disk):
    house.put(left=0)
    source = house.source()
    with disk("replace"):
        with pytest.raises(BillingLoginNotSaved):
            source.resolve()
        house.portal.clock.advance(900)
        spent = house.refreshes()
        house.portal.inject(Fault.reply(400, {"error": "invalid_grant"}), "oauth_token", times=2)
        for _ in range(2):
            with suppress(BillingNetworkError, BillingAuthError):
                source.resolve()
        # The second time it is the login of the file.
        assert house.refreshes()[-1] == spent[0] != house.refreshes()[-2]


def test_what_is_kept_of_a_login_is_not_kept_once_a_newer_pair_could_not_be_saved(house, disk):
    house.put(left=0)
    source = house.source()
    seen = [source.fingerprint()]
    with disk("replace"):
        for _ in range(2):
            with pytest.raises(BillingLoginNotSaved):
                source.resolve()
            seen.append(source.fingerprint())
            house.portal.clock.advance(900)
    source.resolve()
    seen.append(source.fingerprint())
    assert len(set(seen)) == 4
    assert source.fingerprint() == seen[-1]


def full_for_new_files(monkeypatch):
    opened = os.open

    def open_old(path, flags, *arguments, **more):
        return full() if flags & os.O_CREAT else opened(path, flags, *arguments, **more)

    monkeypatch.setattr(os, "open", open_old)


def test_a_full_disk_before_the_refresh_leaves_the_token_at_hand(house, monkeypatch):
    login = house.put(left=100)
    with monkeypatch.context() as patch:
        full_for_new_files(patch)
        assert house.source().resolve().access_token == login.access_token
    assert house.refreshes() == []


def test_a_full_disk_before_the_refresh_of_an_expired_token_costs_no_refresh_token(house, monkeypatch):
    login = house.put(left=0)
    source = house.source()
    with monkeypatch.context() as patch:
        full_for_new_files(patch)
        with pytest.raises(BillingLoginNotSaved, match="No space left on device"):
            source.resolve()
    assert house.refreshes() == []
    source.resolve()
    assert house.refreshes() == [login.refresh_token]


@pytest.mark.parametrize("mode", [0o400, 0o600], ids=["read-only", "writable"])
def test_in_a_read_only_folder_a_login_is_saved_in_place_or_costs_no_refresh_token(house, mode):
    """A folder that an ordinary user may read and not write; root writes everywhere."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house.path = folder.resolve() / "login.json"
        house.put()
        if user != os.geteuid():
            os.chown(house.path, user, user)
        house.path.chmod(mode)
        folder.chmod(0o555)
        entry, number = house.entry(), house.path.stat().st_ino
        worker = start_worker("without-rights", house.path, user)
        try:
            output, errors = worker.communicate(timeout=20)
        finally:
            end_worker(worker)
            folder.chmod(0o755)
        assert errors == ""
        assert (house.files(), house.path.stat().st_ino) == (["login.json"], number)
        if mode == 0o600:
            assert output == "100\nanswered\n"
            assert (len(house.refreshes()), house.entry() == entry) == (1, False)
            # No spaces are left of those that reserved the room.
            assert house.path.read_bytes().endswith(b"}")
        else:
            assert output.startswith("100\nBillingLoginNotSaved: ")
            assert "Permission denied" in output
            assert house.entry() == entry


# Durable, whole, and for the owner only


@pytest.fixture
def open_mask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_mask")
def test_file_and_lock_and_folder_are_the_owners_from_the_moment_they_are_made(house, monkeypatch):
    made = []
    opened = os.open

    def note(path, flags, *arguments, **more):
        descriptor = opened(path, flags, *arguments, **more)
        if flags & os.O_CREAT:
            made.append((Path(path).name, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    monkeypatch.setattr(os, "open", note)
    house.source(portal_base_url=house.url).login(lambda code: house.portal.approve_device(code.user_code))
    # The lock's file has no secret in it, and its library sets the mode right after it made it.
    assert ("login.json.new", 0o600) in made
    assert {name for name, _ in made} == {"login.json.new", "login.json.lock"}
    assert house.files() == ["login.json", "login.json.lock"]
    assert [mode(house.path), mode(house.path.with_name("login.json.lock"))] == [0o600, 0o600]
    assert mode(house.path.parent) == 0o700


@pytest.mark.usefixtures("open_mask")
def test_a_file_that_others_could_read_is_the_owners_after_a_refresh(house):
    house.put(left=0)
    house.path.chmod(0o644)
    house.source().resolve()
    assert mode(house.path) == 0o600


def test_a_reader_never_sees_anything_but_a_whole_file(house):
    house.put(left=0)
    source = house.source()
    done = threading.Event()
    broken = []

    def read():
        while not done.is_set():
            try:
                assert house.entry()["refresh_token"]
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    token = None
    try:
        for _ in range(20):
            token = source.resolve(rejected=token).access_token
            house.portal.clock.advance(30)
    finally:
        done.set()
        reader.join()
    assert broken == []


def test_file_and_folder_are_on_disk_before_the_token_is_used(house, monkeypatch):
    house.put(left=0)
    steps = []
    synced, replaced = os.fsync, Path.replace

    def note_sync(descriptor):
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            steps.append("sync folder")
            assert os.path.samestat(os.fstat(descriptor), house.path.parent.stat())
        else:
            content = house.path.with_name("login.json.new").read_bytes()
            # What is reserved is random, and may begin as a document does.
            steps.append("sync file" if len(content) <= 2**16 else "reserve")
            if steps[-1] == "sync file":
                # What is synced is the whole new file.
                assert json.loads(content)["portals"][house.url]["access_token"] != house.entry()["access_token"]
        synced(descriptor)

    def note_replace(self, target):
        steps.append("replace")
        return replaced(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    with BillingClient(house.source()) as client:
        steps += [f"{request.operation}" for request in house.portal.requests]
        client.get_billing_state()
    assert steps == ["reserve", "sync file", "replace", "sync folder"]
    assert [request.operation for request in house.portal.requests] == ["oauth_token", "get_billing_state"]


def test_the_token_is_not_used_while_the_pair_is_not_durable(house, monkeypatch):
    house.put(left=0)
    at_sync = []
    synced = os.fsync

    def note(descriptor):
        at_sync.append(len(asked(house.portal, "get_billing_state")))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with BillingClient(house.source()) as client:
        client.get_billing_state()
    assert at_sync == [0, 0, 0]


def test_a_file_system_that_cannot_sync_a_folder_is_good_enough(house, monkeypatch):
    house.put(left=0)
    synced = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    assert house.source().resolve().access_token == house.entry()["access_token"]


def test_a_file_that_is_a_link_stays_one(house, tmp_path):
    house.put(left=0)
    link = tmp_path / "link.json"
    link.symlink_to(house.path)
    source = house.source(link)
    token = source.resolve().access_token
    assert link.is_symlink()
    assert house.entry()["access_token"] == token
    assert source.path == house.path.resolve()


def test_a_link_and_its_target_share_one_lock(house, tmp_path):
    house.put(left=0)
    link = tmp_path / "link.json"
    link.symlink_to(house.path)
    house.source(link).resolve()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["config", "link.json"]


def test_a_link_that_is_laid_under_the_temporary_name_is_not_followed(house, tmp_path):
    house.put(left=0)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    house.path.with_name("login.json.new").symlink_to(victim)
    house.source().resolve()
    assert victim.read_text() == "precious"
    assert not house.path.is_symlink()


# Large files


def test_a_file_that_indented_would_be_too_large_to_be_read_is_written_compactly(house):
    house.put(left=0, note=[1] * 250_000)
    token = house.source().resolve().access_token
    assert house.path.read_bytes().startswith(b'{"version":1,"active_portal":')
    assert house.source().resolve().access_token == token
    assert house.entry()["note"] == [1] * 250_000


def test_no_refresh_token_is_spent_where_the_file_would_be_too_large(house):
    house.put(left=0, note="x" * (2**20 - 2**16))
    before, source = house.path.read_bytes(), house.source()
    with pytest.raises(BillingLoginNotSaved) as caught:
        source.resolve()
    assert str(caught.value) == (
        f"The login cannot be saved to {house.path}: with a new login it would be larger than 1 MiB, and could not be "
        "read again. Free disk space, or fix the cause. The login was not renewed, and is unchanged."
    )
    with pytest.raises(BillingLoginNotSaved, match="Nobody was asked"):
        source.login(lambda code: pytest.fail("Somebody was asked."))
    assert (house.path.read_bytes(), house.portal.requests) == (before, [])
    source.logout()
    assert house.document()["portals"] == {}


# Files that are not what they should be

TORN = b'{"version": 1, "portals": {"http'
BROKEN = {
    "cut off after the first keys": b'{\n "version": 1,\n "portals":',
    "truncated": TORN,
    "zeros at its end after a power cut": TORN + bytes(512),
    "bad UTF-8": b'{"version": 1, "portals": {"\xff\xfe": {}}}',
}
MISSHAPEN = {
    "portals a list": {"version": 1, "portals": []},
    "portals a string": {"version": 1, "portals": "x"},
    "portals null": {"version": 1, "portals": None},
}


def check_put_aside(house, ask, content):
    house.put(left=0)
    names = []
    for number in (1, 2):
        kept = content + b" " * number
        house.path.write_bytes(kept)
        with pytest.raises(BillingAuthError) as caught:
            ask(house.source(portal_base_url=house.url))
        assert caught.value.error == "invalid_token"
        name = f"{house.path}.broken-{number}"
        assert str(caught.value) == f"The login file {house.path} is broken. It was renamed to {name}. Log in again."
        assert Path(name).read_bytes() == kept
        assert not house.path.exists()
        names.append(name)
    assert len(set(names)) == 2
    assert house.portal.requests == []


@pytest.mark.parametrize("row", BROKEN)
def test_a_broken_file_is_put_aside_under_the_name_that_the_error_tells(house, ask, row):
    check_put_aside(house, ask, BROKEN[row])


@pytest.mark.parametrize("row", MISSHAPEN)
def test_a_file_of_another_shape_is_put_aside_like_a_broken_one(house, row):
    content = json.dumps(MISSHAPEN[row]).encode()
    check_put_aside(house, ASKS["resolve"], content)


def test_what_is_no_login_of_one_portal_leaves_the_others_alone(house):
    login = house.put(left=0)
    later = {OTHER: "later-format", "https://list.example": [1], "https://null.example": None}
    house.write({**later, house.url: house.entry()})
    other = house.source(portal_base_url=OTHER)
    assert not other.is_logged_in
    with pytest.raises(BillingAuthError, match="Not logged in"):
        other.resolve()
    assert house.source().resolve().access_token == house.entry()["access_token"] != login.access_token
    assert later.items() <= house.document()["portals"].items()
    assert {name for name in house.files() if "broken" in name} == set()


def test_a_file_that_names_no_portals_is_whole_and_has_no_login(house):
    house.path.parent.mkdir()
    house.path.write_text('{"version": 1, "note": 1}')
    source = house.source(portal_base_url=house.url)
    assert not source.is_logged_in
    assert house.files() == ["login.json"]
    source.login(lambda code: house.portal.approve_device(code.user_code))
    assert house.document()["note"] == 1


@pytest.mark.parametrize("where", ["logout", "is_logged_in", "step_up"])
def test_a_broken_file_is_a_typed_error_wherever_it_is_met(house, where):
    house.put()
    house.path.write_bytes(TORN)
    source = house.source()
    with pytest.raises(BillingAuthError, match="broken-1"):
        _ = {
            "logout": source.logout,
            "is_logged_in": lambda: source.is_logged_in,
            "step_up": lambda: source.step_up(lambda code: None),
        }[where]()


def test_a_broken_file_does_not_cost_the_person_an_approval(house):
    """It is told before a person is asked, or the new login is saved all the same."""
    house.put()
    house.path.write_bytes(TORN)
    source = house.source(portal_base_url=house.url)
    approved = []

    def approve(code):
        approved.append(code)
        house.portal.approve_device(code.user_code)

    with suppress(BillingAuthError):
        source.login(approve)
    assert not approved or source.is_logged_in
    assert house.path.with_name("login.json.broken-1").read_bytes() == TORN


def test_a_file_that_breaks_while_a_person_approves_costs_no_login(house):
    source = house.source(portal_base_url=house.url)

    def approve(code):
        house.path.parent.mkdir(exist_ok=True)
        house.path.write_bytes(TORN)
        house.portal.approve_device(code.user_code)

    with pytest.raises(BillingError) as caught:
        source.login(approve)
    assert caught.value.error == "login_not_saved"
    token = source.resolve().access_token
    assert house.entry()["access_token"] == token


def test_a_folder_in_the_place_of_the_file_while_a_person_approves_costs_no_login(house):
    source = house.source(portal_base_url=house.url)

    def approve(code):
        house.path.mkdir(parents=True)
        house.portal.approve_device(code.user_code)

    with pytest.raises(BillingLoginNotSaved, match="cannot be read: Is a directory"):
        source.login(approve)
    house.path.rmdir()
    assert source.resolve().access_token == house.entry()["access_token"]


def test_a_broken_file_that_cannot_be_moved_is_not_said_to_have_been_put_aside(house, monkeypatch):
    house.put()
    house.path.write_bytes(TORN)
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(BillingAuthError) as caught:
        house.source().resolve()
    assert str(caught.value) == (
        f"The login file {house.path} is broken. It could not be renamed (No space left on device): remove it, and "
        "log in again."
    )
    assert house.path.read_bytes() == TORN


def test_a_file_that_cannot_be_read_is_a_typed_error_and_stays(house):
    house.path.mkdir(parents=True)
    with pytest.raises(BillingAuthError) as caught:
        house.source().resolve()
    assert str(caught.value) == f"The login file {house.path} cannot be read: Is a directory. Give the path of a file."
    assert caught.value.error == "invalid_token"
    assert house.files() == ["login.json"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a\0b", ".*null.*"),
        ("~nobody-of-this-name/login.json", "Could not determine home directory"),
        ("\ud800", ".*surrogates not allowed"),
        ("n" * 3_000_000, "File name too long"),
        ("/n" * 2100, "File name too long"),
        ("n" * 251, "File name too long"),
        ("", "it is blank"),
        (" ", "it is blank"),
    ],
    ids=lambda given: str(given)[:20],
)
def test_a_path_that_cannot_be_is_a_typed_error(path, reason):
    sentence = rf"^The login file cannot be used: {reason}\. Give a path that can be written\.$"
    with pytest.raises(BillingError, match=sentence) as caught:
        StoredLogin(path).resolve()
    assert caught.value.error == "invalid_path"


def test_a_reason_that_is_a_sentence_ends_with_one_stop(house):
    source = house.source(portal_base_url=house.url)

    def approve(code):
        house.path.write_text("alias ll='ls -l'")
        house.portal.approve_device(code.user_code)

    with pytest.raises(BillingLoginNotSaved) as caught:
        source.login(approve)
    assert ".. " not in str(caught.value)
    assert "move it away. Free disk space, or fix the cause." in str(caught.value)


def test_nobody_is_asked_to_approve_a_login_where_no_folder_can_be_made(house, tmp_path):
    (tmp_path / "plain").write_text("")
    path = tmp_path / "plain" / "login.json"
    with pytest.raises(BillingLoginNotSaved) as caught:
        house.source(path, portal_base_url=house.url).login(pytest.fail)
    assert str(caught.value) == (
        f"The login cannot be saved to {path}: File exists. Free disk space, or fix the cause. "
        "Nobody was asked to approve the login."
    )
    assert house.portal.requests == []


@pytest.mark.parametrize("step", ["open", "write", "fsync"])
@pytest.mark.parametrize("call", ["login", "step_up"])
def test_nobody_is_asked_to_approve_a_login_that_a_full_disk_has_no_place_for(house, disk, step, call):
    house.put()
    before = house.path.read_bytes()
    source = house.source(portal_base_url=house.url)
    with disk(step), pytest.raises(BillingLoginNotSaved, match="No space left on device"):
        getattr(source, call)(pytest.fail)
    assert (house.portal.requests, house.path.read_bytes()) == ([], before)
    assert house.files() == ["login.json", "login.json.lock"]
    getattr(source, call)(lambda code: house.portal.approve_device(code.user_code))
    assert source.resolve().access_token == house.entry()["access_token"]


def test_unknown_keys_survive_a_refresh_a_login_and_a_logout_at_every_level(house):
    login = house.put(left=0)
    house.write(
        {
            house.url: {**house.entry_for(login), "expires_at": "2020-01-01T00:00:00+00:00", "mine": {"a": [1, None]}},
            OTHER: {"access_token": "other", "theirs": "\u00e9"},
        },
        top={"deep": [{"er": 0.5}]},
    )
    source = house.source()
    source.resolve()

    def kept():
        document = house.document()
        assert (document["top"], document["version"]) == ({"deep": [{"er": 0.5}]}, 1)
        assert document["portals"][OTHER] == {"access_token": "other", "theirs": "\u00e9"}

    kept()
    assert house.entry()["mine"] == {"a": [1, None]}
    source.step_up(lambda code: house.portal.approve_device(code.user_code))
    kept()
    assert house.entry()["mine"] == {"a": [1, None]}
    source.logout()
    kept()


# A lock that another process holds


@pytest.fixture
def hold(house, monkeypatch):
    """Have another process hold the lock from now on."""
    monkeypatch.setattr(login_keeper, "_LOCK_SECONDS", 0.1)
    workers = []

    def start():
        house.path.parent.mkdir(exist_ok=True)
        worker = start_worker("hold", house.path)
        workers.append(worker)
        assert worker.stdout.readline() == "held\n"
        return worker

    yield start
    for worker in workers:
        end_worker(worker)


@pytest.fixture
def held(hold):
    return hold()


@pytest.fixture
def late(house, hold):
    """Log in while another process takes the lock, after the place of the login was tried."""

    def log_in():
        holders = []

        def approve(code):
            holders.append(hold())
            house.portal.approve_device(code.user_code)

        source = house.source(portal_base_url=house.url)
        with pytest.raises(BillingLoginNotSaved, match="Another program"):
            source.login(approve)
        return source, holders[0]

    return log_in


def test_while_another_process_holds_the_lock_the_token_at_hand_is_used(house, ask, held):
    login = house.put(left=100)
    source = house.source()
    ask(source)
    assert source.resolve().access_token == login.access_token
    assert house.refreshes() == []


def test_while_another_process_holds_the_lock_an_expired_token_is_a_network_error(house, ask, held):
    login = house.put(left=0)
    before = house.path.read_bytes()
    source = house.source()
    with pytest.raises(BillingNetworkError) as caught:
        ask(source)
    assert str(caught.value) == (
        f"Another program has locked the login {house.path} for 0.1 seconds. Try again shortly."
    )
    assert (house.refreshes(), house.path.read_bytes()) == ([], before)
    end_worker(held)
    ask(source)
    assert house.refreshes() == [login.refresh_token]


def test_whoever_is_not_logged_in_is_told_so_by_whoever_cannot_have_the_lock(house, ask, held):
    # Without a refresh token, there is nothing to renew.
    house.put(left=0, refresh_token=None)
    with pytest.raises(BillingAuthError, match="Not logged in"):
        ask(house.source())


def test_a_token_with_time_left_needs_no_lock(house, held):
    login = house.put()
    assert house.source().resolve().access_token == login.access_token


def test_nobody_is_asked_to_approve_a_login_under_a_held_lock(house, held):
    with pytest.raises(BillingNetworkError, match="Another program"):
        house.source(portal_base_url=house.url).login(pytest.fail)
    assert house.portal.requests == []


def test_a_new_login_under_a_held_lock_lives_in_memory_and_is_saved_later(house, late):
    source, held = late()
    token = source.resolve().access_token
    assert not house.path.exists()
    end_worker(held)
    assert source.resolve().access_token == token == house.entry()["access_token"]


def test_a_new_login_under_a_held_lock_takes_the_place_of_the_one_before_later(house, late):
    house.put(login_id="before", note="kept")
    source, held = late()
    token = source.resolve().access_token
    end_worker(held)
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert house.entry()["note"] == "kept"
    assert house.entry()["login_id"] != "before"


def test_a_logout_under_a_held_lock_is_a_network_error(house, held):
    house.put()
    source = house.source()
    with pytest.raises(BillingNetworkError):
        source.logout()
    assert source.is_logged_in


def test_no_failure_of_a_disk_is_anything_but_a_typed_error(house, disk):
    for left in (100, 0):
        for step in STEPS:
            house.put(left=left)
            with disk(step):
                try:
                    house.source().resolve()
                except BillingError as error:
                    assert isinstance(error, BillingLoginNotSaved)  # noqa: PT017 - whether it is raised differs


def test_a_clock_of_the_disk_that_hardly_differs_is_taken_for_that_of_the_machine(tmp_path, monkeypatch):
    file = LoginFile(tmp_path / "login.json")
    with file.locked(1):
        assert file.skew() == 0.0
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 60)
        assert file.skew() == pytest.approx(60, abs=5)
