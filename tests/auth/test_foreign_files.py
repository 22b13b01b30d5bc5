"""Login files that are torn, of another program, of another version or of another user."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from nous_billing import BillingAuthError, BillingError, BillingInvalidRequest, BillingLoginNotSaved
from nous_billing._files import reading
from nous_billing.auth import login_file

pytestmark = pytest.mark.usefixtures("looks_again_at_once")

NOBODY = 65534
PRIVATE_GROUP = 64999
TORN = b'{"version": 1, "portals": {"http'


def approve(house):
    return lambda code: house.portal.approve_device(code.user_code)


@contextmanager
def written_in_place(path, seconds):
    """Truncate a file and write it again, as ``cp`` does, after so many seconds."""
    content, begun = path.read_bytes(), threading.Event()

    def write():
        with open(path, "wb") as file:
            begun.set()
            time.sleep(seconds)
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(10)
    yield
    writer.join()


def test_a_file_that_is_just_written_in_place_is_neither_broken_nor_renamed(house, monkeypatch):
    monkeypatch.setattr(reading, "_PAUSE", 0.01)
    login = house.put()
    source = house.source()
    with written_in_place(house.path, 0.02):
        assert source.resolve().access_token == login.access_token
    assert house.files() == ["login.json"]


def test_a_file_that_is_whole_once_the_lock_is_free_is_read(house, monkeypatch):
    login = house.put()
    whole = house.path.read_bytes()
    house.path.write_bytes(TORN)
    source, locked = house.source(), login_file.locked

    @contextmanager
    def written_under_the_lock(*arguments, **more):
        with locked(*arguments, **more):
            house.path.write_bytes(whole)
            yield

    monkeypatch.setattr(login_file, "locked", written_under_the_lock)
    assert source.resolve().access_token == login.access_token
    assert house.files() == ["login.json", "login.json.lock"]


def test_a_broken_file_that_changes_is_not_renamed(house, monkeypatch):
    house.put()
    house.path.write_bytes(TORN)
    fingerprints = iter(range(10))
    monkeypatch.setattr(login_file, "file_fingerprint", lambda path: next(fingerprints))
    with pytest.raises(BillingAuthError) as caught:
        house.source().resolve()
    assert str(caught.value) == (
        f"The login file {house.path} is broken. Another program is changing it: try again shortly."
    )
    assert house.path.read_bytes() == TORN


def test_a_broken_file_is_not_renamed_while_another_holds_the_lock(house, monkeypatch):
    house.put()
    house.path.write_bytes(TORN)
    monkeypatch.setattr(login_file, "_ASIDE_SECONDS", 0.05)
    holder = house.source()
    with holder._keeper.place.locked(1), pytest.raises(BillingAuthError) as caught:
        house.source().resolve()
    assert str(caught.value).startswith(
        f"The login file {house.path} is broken. It was not renamed. Another program (process {os.getpid()} on "
    )
    assert house.path.read_bytes() == TORN


def test_a_broken_file_that_is_removed_before_the_lock_is_free_is_no_file(house, monkeypatch):
    house.put()
    house.path.write_bytes(TORN)
    locked = login_file.locked

    @contextmanager
    def removed(*arguments, **more):
        house.path.unlink()
        with locked(*arguments, **more):
            yield

    monkeypatch.setattr(login_file, "locked", removed)
    assert house.source().is_logged_in is False


def test_a_dangling_link_is_not_replaced_by_a_broken_file(house):
    house.put()
    house.path.write_bytes(TORN)
    taken = house.path.with_name("login.json.broken-1")
    taken.symlink_to("nowhere")
    with pytest.raises(BillingAuthError, match="broken-2"):
        house.source().resolve()
    assert taken.is_symlink()


# While the portal renews the login


@pytest.fixture
def spoil(house, monkeypatch):
    """Change the file while the portal works on a refresh."""

    def install(change):
        rotate = house.portal.oauth._rotate

        def changed(text):
            change()
            return rotate(text)

        monkeypatch.setattr(house.portal.oauth, "_rotate", changed)

    return install


LOST = {
    "torn": lambda path: path.write_bytes(b'{"version": 1, "portals": {"ht'),
    "emptied": lambda path: path.write_bytes(b""),
    "removed": lambda path: path.unlink(),
    "without its tokens": lambda path: path.write_text(
        json.dumps({"portals": {url: {"note": 1} for url in json.loads(path.read_bytes())["portals"]}})
    ),
}


@pytest.mark.parametrize("row", LOST)
def test_a_renewed_pair_is_written_anew_where_the_file_was_lost_meanwhile(house, spoil, row):
    login = house.put(left=0)
    spoil(lambda: LOST[row](house.path))
    token = house.source(portal_base_url=house.url).resolve().access_token
    assert house.entry()["access_token"] == token
    assert house.entry()["refresh_token"] not in (None, login.refresh_token)
    if row != "without its tokens":
        assert house.source().portal_base_url == house.url


@pytest.mark.parametrize("content", [b"alias ll='ls -l'\n", b'{"version": 2, "portals": {}}'])
def test_a_renewed_pair_stays_in_memory_while_the_file_is_another_programs(house, spoil, content):
    house.put(left=0)
    spoil(lambda: house.path.write_bytes(content))
    source = house.source()
    with pytest.raises(BillingLoginNotSaved, match="only this program has the login"):
        source.resolve()
    token = source.resolve().access_token
    assert (source.resolve().access_token, house.path.read_bytes()) == (token, content)
    with pytest.raises(BillingAuthError):
        house.source().resolve()
    house.path.unlink()
    assert source.resolve().access_token == token == house.entry()["access_token"]
    assert (house.document()["active_portal"], len(house.refreshes())) == (house.url, 1)


@pytest.mark.parametrize("left", [(), ("of another version",)])
def test_a_logout_while_the_login_is_renewed_is_said_and_stays(house, spoil, left):
    house.put(left=0)
    entries = dict(zip([house.url], left, strict=False))
    spoil(lambda: house.write(entries))
    source = house.source()
    for message in ("Another program has logged out", "Not logged in"):
        with pytest.raises(BillingAuthError, match=message):
            source.resolve()
    assert house.document()["portals"] == entries


# While a person approves a login


@pytest.mark.parametrize("row", ["others can write the folder", "torn"])
def test_an_approved_login_replaces_the_one_before_once_its_file_can_be_used_again(house, row):
    source = house.source(portal_base_url=house.url)
    source.login(approve(house))
    old = house.entry()

    def on_code(code):
        approve(house)(code)
        if row == "torn":
            LOST[row](house.path)
        else:
            house.path.parent.chmod(0o777)

    with pytest.raises(BillingLoginNotSaved, match="only this program has the login"):
        source.login(on_code)
    house.path.parent.chmod(0o700)
    token = source.resolve().access_token
    assert token == house.entry()["access_token"] != old["access_token"]
    assert house.entry()["login_id"] != old["login_id"]


# Of another program, or another version

UNCLEAR = (
    "The file {path} is cut off, and may be another program's, so it was left as it is. Give another path, or move it "
    "away and log in again."
)
UNREADABLE = (
    "The file {path} is nested too deeply, or has a number in it that is too long, so it was left as it is. Give "
    "another path, or move it away and log in again."
)
FOREIGN = "The file {path} is not a login of nous-billing, and was left as it is. Give another path, or move it away."
OTHER_VERSION = (
    'The login file {path} is of another version of nous-billing (its "version" is not 1), and was left as it is. '
    "Upgrade nous-billing, or give another path."
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"alias ll='ls -l'\n", FOREIGN),
        (b'{"editor": "vi"}', FOREIGN),
        (b"[]", FOREIGN),
        (b'{"version": 1, "lockfileVersion": 2, "dependencies": {', FOREIGN),
        (b'{\n  "version": 1,\n  "providers": {"nous": {"access_token": "a"}},\n  "credential_pool": {}\n}', FOREIGN),
        (b"{", UNCLEAR),
        (b'{"version": 1, "portals": {}, "later": ' + b"[" * 990 + b"]" * 990 + b"}", UNREADABLE),
        (b'{"version": 1, ', UNCLEAR),
        (b'{"version": 2, "portals": []}', OTHER_VERSION),
        (b'{"version": 2, "accounts": {"a": {"refresh_tok', OTHER_VERSION),
    ],
)
def test_what_is_no_login_of_this_version_is_left_alone(house, content, sentence):
    house.put()
    house.path.write_bytes(content)
    house.path.chmod(0o644)
    source = house.source(portal_base_url=house.url)
    for use in (source.resolve, source.logout, lambda: source.login(approve(house)), lambda: source.is_logged_in):
        with pytest.raises(BillingAuthError) as caught:
            use()
        assert (str(caught.value), caught.value.error) == (sentence.format(path=house.path), "invalid_token")
    assert (house.path.read_bytes(), stat.S_IMODE(house.path.stat().st_mode)) == (content, 0o644)
    assert {name for name in house.files() if name != "login.json.lock"} == {"login.json"}
    assert house.portal.requests == []


def test_a_file_of_another_version_is_not_looked_at_again(house, monkeypatch):
    house.put()
    house.path.write_text('{"version": 2}')
    monkeypatch.setattr(reading.time, "sleep", lambda seconds: pytest.fail("It looked again."))
    with pytest.raises(BillingAuthError):
        house.source().resolve()


@pytest.mark.parametrize("content", ["", " \n", "{}"])
def test_an_empty_file_is_no_login_yet(house, content):
    house.path.parent.mkdir(mode=0o700)
    house.path.write_text(content)
    source = house.source(portal_base_url=house.url)
    assert not source.is_logged_in
    assert (house.files(), house.path.read_text()) == (["login.json"], content)
    source.login(approve(house))
    assert house.entry()["access_token"] == source.resolve().access_token


# Of another user


@pytest.mark.parametrize("group", [0, PRIVATE_GROUP])
@pytest.mark.parametrize("before", [0o644, 0o604, 0o640, 0o660, 0o610, 0o600, 0o400])
def test_a_login_that_others_can_read_becomes_the_owners_when_it_is_used(house, monkeypatch, before, group):
    login = house.put()
    if group != 0:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file to a group that it is not in")
        # As the group of a Kubernetes volume: the process is in it, and it has no name.
        monkeypatch.setattr(os, "getgroups", lambda: [group])
        os.chown(house.path, -1, group)
    house.path.chmod(before)
    assert house.source().resolve().access_token == login.access_token
    assert stat.S_IMODE(house.path.stat().st_mode) == (0o400 if before == 0o400 else 0o600)


def test_a_login_that_others_can_write_may_be_theirs(house):
    house.put()
    house.path.chmod(0o666)
    with pytest.raises(BillingAuthError) as caught:
        house.source().resolve()
    assert str(caught.value) == (
        f"The login file {house.path} cannot be read: others can write {house.path} (mode 0666). Check it, then run "
        f"`chmod go-w {house.path}`. Fix or remove it."
    )


@pytest.fixture
def shared(tmp_path):
    """A folder like /tmp, and one of ours."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a link to another user")
    folder, home = tmp_path / "shared", tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o1777)
    home.mkdir(mode=0o700)
    return folder, home


@pytest.mark.parametrize("content", [b"alias ll='ls -l'\n", b'{"editor": "vi"}', b'{"portals": {}}'])
def test_a_link_that_somebody_else_put_into_a_shared_folder_is_not_followed(house, shared, content):
    folder, home = shared
    victim, link = home / "file", folder / "login.json"
    victim.write_bytes(content)
    link.symlink_to(victim)
    os.lchown(link, NOBODY, NOBODY)
    source = house.source(link, portal_base_url=house.url)
    for use in (source.resolve, source.logout, lambda: source.login(approve(house)), lambda: source.is_logged_in):
        with pytest.raises(BillingError, match=f"the link {link} belongs to user {NOBODY}") as caught:
            use()
        assert isinstance(caught.value, BillingAuthError | BillingLoginNotSaved)
    assert victim.read_bytes() == content
    assert (sorted(home.iterdir()), sorted(folder.iterdir())) == ([victim], [link])


@pytest.mark.parametrize("kind", ["pipe", "device", "huge file", "file of another user", "hidden lock"])
def test_odd_files_are_refused_in_time_and_stay(house, shared, kind):
    folder, home = shared
    path = folder / "login.json"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "huge file":
            path.touch()
            os.truncate(path, 2**40)
        case "file of another user":
            path.write_text("{}")
            os.chown(path, NOBODY, NOBODY)
        case "hidden lock":
            (home / "file").write_text("precious")
            (folder / "login.json.lock").symlink_to(home / "file")
    source = house.source(path, portal_base_url=house.url)
    before = {each: os.lstat(each) for each in folder.iterdir()}
    # With no login there is nothing to forget, and so nothing to lock.
    uses = [lambda: source.login(approve(house)), *([source.logout] if kind != "hidden lock" else [])]
    for use in uses:
        with pytest.raises(BillingError, match=str(path)):
            use()
    assert {each: os.lstat(each)[:9] for each in before} == {each: found[:9] for each, found in before.items()}
    assert {each.name for each in folder.iterdir()} - {"login.json.lock"} <= {"login.json"}
    assert house.portal.requests == []


def test_a_login_is_not_prepared_where_it_could_be_replaced(house):
    house.put()
    file = house.source()._keeper.place
    house.path.parent.chmod(0o777)
    with pytest.raises(PermissionError, match="others can write the folder"), file.prepare():
        pytest.fail("It was prepared.")
    house.path.parent.chmod(0o700)
    house.path.unlink()
    os.mkfifo(house.path)
    with pytest.raises(PermissionError, match="is not a regular file"), file.prepare():
        pytest.fail("It was prepared.")


def test_room_is_reserved_for_what_is_there_and_two_more_tokens(house):
    house.put()
    with house.source()._keeper.place.prepare():
        reserved = house.path.with_name("login.json.new").stat().st_size
    assert reserved == len(json.dumps(house.document(), indent=1)) + 2**16


# Links


def test_a_link_is_followed_at_each_use(house, tmp_path):
    first = house.put()
    link = tmp_path / "link.json"
    link.symlink_to(house.path)
    source = house.source(link)
    assert source.resolve().access_token == first.access_token
    seen = source.fingerprint()
    second, other = house.portal.log_in(), tmp_path / "other.json"
    other.write_text(json.dumps({"active_portal": house.url, "portals": {house.url: house.entry_for(second)}}))
    new = tmp_path / "new"
    new.symlink_to(other)
    new.replace(link)
    assert source.fingerprint() != seen
    assert (source.resolve().access_token, source.path) == (second.access_token, other)


def test_a_relative_path_is_of_the_folder_of_that_time(house, tmp_path, monkeypatch):
    house.put()
    monkeypatch.chdir(house.path.parent)
    source = house.source("login.json")
    monkeypatch.chdir(tmp_path)
    assert source.is_logged_in


def test_a_working_directory_that_was_removed_hides_no_login(house, tmp_path, monkeypatch):
    login, gone = house.put(), tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    source = house.source()
    gone.rmdir()
    for one in (source, house.source()):
        assert (one.is_logged_in, one.resolve().access_token) == (True, login.access_token)
    with pytest.raises(BillingInvalidRequest) as caught:
        house.source("login.json")
    assert (str(caught.value), caught.value.error) == (
        "The login file cannot be used: login.json is a relative path, and the working directory no longer exists. "
        "Give a path that can be written.",
        "invalid_path",
    )


@pytest.fixture
def mounted(house):
    """A login that is mounted by itself, as into a container: its real file, and a way to run a script that sees it.

    The script sees the folder as /mnt, which every user can reach.
    """
    house.put(left=0)
    real = house.path.with_name("real.json")
    house.path.rename(real)
    house.path.touch()

    def run(script):
        mount = (
            f"(mount --bind {house.path.parent} /mnt && mount --bind {real} /mnt/login.json) 2>/dev/null || exit 77; "
            f'exec {sys.executable} -c "$0" /mnt/login.json'
        )
        done = subprocess.run(["unshare", "-m", "sh", "-c", mount, script], capture_output=True, text=True, check=False)
        if done.returncode in (1, 77) and "Traceback" not in done.stderr:
            pytest.skip("no mounts here")
        return done

    return real, run


def test_a_file_that_is_mounted_by_itself_is_written_in_place(house, mounted):
    real, run = mounted
    done = run(
        "import sys; from pathlib import Path; from nous_billing.auth.login_file import LoginFile\n"
        "file = LoginFile(Path(sys.argv[1]))\n"
        'with file.locked(1), file.prepare() as prepared: prepared.commit({"portals": {}})'
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(real.read_bytes()) == {"version": 1, "portals": {}}
    assert house.path.read_bytes() == b""


@pytest.mark.parametrize(("owner", "user"), [(NOBODY, 0), (0, NOBODY), (NOBODY - 1, NOBODY)])
def test_a_file_that_is_mounted_by_itself_is_used_if_it_is_ours_or_roots(house, mounted, owner, user):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    real, run = mounted
    real.chmod(0o644)
    os.chown(real, owner, owner)
    os.chown(house.path.parent, user, user)
    done = run(
        # That user may not be able to read the standard library.
        "import encodings.ascii, grp, os, pwd, sys; from nous_billing import StoredLogin\n"
        "StoredLogin(sys.argv[1])\n"
        f"os.setgid({user}), os.setuid({user})\n"
        "try: print(StoredLogin(sys.argv[1]).is_logged_in)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    refusal = (
        f"BillingAuthError The login file /mnt/login.json cannot be read: /mnt/login.json belongs to user {owner}, and "
        f"this program runs as user {user}. If you trust what is in it, run `chown {user} /mnt/login.json`, or run the "
        f"program as user {owner}. Fix or remove it."
    )
    assert (done.stdout, done.stderr) == (f"{True if owner == 0 else refusal}\n", "")
