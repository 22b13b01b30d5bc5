"""Whose files and folders are trusted."""

import errno
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nous_billing._files import trust
from tests.unit.files.conftest import STRANGER

# Not on Windows.
grp, pwd = pytest.importorskip("grp"), pytest.importorskip("pwd")
OURS, NAMED_GROUP = 4242, 4343


def status(mode, owner=0, group=0):
    return SimpleNamespace(st_mode=mode, st_uid=owner, st_gid=group)


def refused(work, *arguments):
    """Return the sentence with which it is refused, or None."""
    try:
        work(*arguments)
    except OSError as error:
        return error.strerror
    return None


# Folders

ADVICE = "Use a folder of your own: one that does not exist yet is made for you alone"


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o500, 0o1777, 0o1770])
def test_a_folder_of_ours_is_trusted_if_others_cannot_replace_what_is_in_it(folder, mode):
    folder.chmod(mode)
    assert refused(trust.check_folder, str(folder)) is None


def test_a_folder_that_is_not_there_yet_is_fine(folder):
    (folder / "file").touch()
    assert refused(trust.check_folder, str(folder / "new")) is None
    assert refused(trust.check_folder, str(folder / "file/new")) is None


@pytest.mark.parametrize("mode", [0o777, 0o702, 0o757])
def test_a_folder_that_everybody_can_write_is_refused(folder, mode):
    folder.chmod(mode)
    assert refused(trust.check_folder, str(folder)) == (
        f"others can write the folder {folder} (mode {mode:04o}). {ADVICE}, or run `chmod go-w {folder}`"
    )


@pytest.mark.parametrize("mode", [0o700, 0o1777])
def test_a_folder_of_somebody_else_is_refused(folder, give, mode):
    folder.chmod(mode)
    give(folder)
    assert refused(trust.check_folder, str(folder)) == f"the folder {folder} belongs to user {STRANGER}. {ADVICE}"


def test_a_link_in_the_place_of_a_folder_is_refused(folder):
    link = folder / "receipts"
    link.symlink_to(folder)
    assert refused(trust.check_folder, str(link)) == f"{link} is a link instead of a folder"


# Files


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644, 0o666 & ~0o022])
def test_a_file_that_others_cannot_write_is_trusted(mode):
    assert refused(trust.check_file, "file", status(0o100000 | mode)) is None


@pytest.mark.parametrize("mode", [0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(mode):
    assert refused(trust.check_file, "/a/file", status(0o100000 | mode)) == (
        f"others can write /a/file (mode {mode:04o}). Check it, then run `chmod go-w /a/file`"
    )


@pytest.mark.parametrize("kind", [0o010000, 0o020000, 0o060000, 0o120000, 0o140000])
def test_pipes_devices_links_and_sockets_are_refused(kind):
    assert refused(trust.check_file, "/a/file", status(kind | 0o600)) == "/a/file is not a regular file"


def test_a_folder_in_the_place_of_a_file_is_refused():
    with pytest.raises(IsADirectoryError) as caught:
        trust.check_file("/a/file", status(0o040700))
    assert (caught.value.errno, caught.value.strerror) == (errno.EISDIR, "Is a directory")
    assert caught.value.filename == "/a/file"


@pytest.mark.parametrize(("owner", "is_trusted"), [(OURS, True), (0, True), (STRANGER, False), (65534, False)])
def test_a_file_is_trusted_if_it_belongs_to_us_or_to_root(monkeypatch, owner, is_trusted):
    monkeypatch.setattr(os, "geteuid", lambda: OURS)
    sentence = refused(trust.check_file, "/a/file", status(0o100600, owner))
    assert sentence == (
        None
        if is_trusted
        else f"/a/file belongs to user {owner}, and this program runs as user {OURS}. If you trust what is in it, run "
        f"`chown {OURS} /a/file`, or run the program as user {owner}"
    )


def test_a_refusal_is_a_permission_error_about_the_path():
    with pytest.raises(PermissionError) as caught:
        trust.check_file("/a/file", status(0o010600))
    assert (caught.value.errno, caught.value.filename) == (errno.EPERM, "/a/file")


# Owners without an id, in a user namespace


def namespace(monkeypatch, overflow, ranges):
    texts = {"/proc/sys/kernel/overflowuid": overflow, "/proc/self/uid_map": ranges}

    def read(self, encoding):
        text = texts[str(self)]
        if text is None:
            raise FileNotFoundError
        return text

    monkeypatch.setattr(Path, "read_text", read)


@pytest.mark.parametrize(
    ("owner", "overflow", "ranges", "is_trusted"),
    [
        (65534, "65534\n", "         0       1000          1\n", True),
        (65534, "65534\n", "0 1000 1\n1 100000 65533\n", True),
        (65534, "65534\n", "0 1000 1\n1 100000 65534\n", False),
        (65534, "65534\n", "65534 1000 1\n", False),
        (65534, "65534\n", "0 0 4294967295\n", False),
        (STRANGER, "65534\n", "0 1000 1\n", False),
        (65534, None, "0 1000 1\n", False),
        (65534, "65534\n", None, False),
        (65534, "many", "0 1000 1\n", False),
    ],
)
def test_an_owner_who_has_no_id_in_our_user_namespace_counts_as_root(monkeypatch, owner, overflow, ranges, is_trusted):
    namespace(monkeypatch, overflow, ranges)
    assert (refused(trust.check_file, "file", status(0o100600, owner)) is None) is is_trusted


# Groups

USER = SimpleNamespace(pw_name="jo")


@pytest.mark.parametrize(
    ("group", "entry", "user", "is_private"),
    [
        pytest.param(0, None, None, True, id="root's"),
        pytest.param(OURS, None, USER, True, id="the effective one, without a name"),
        pytest.param(NAMED_GROUP, None, None, True, id="a supplementary one, without a name"),
        pytest.param(999, None, USER, False, id="without a name, and not ours"),
        pytest.param(OURS, ("jo", []), USER, True, id="of the user's name"),
        pytest.param(OURS, ("jo", ["jo"]), USER, True, id="of the user's name, with the user in it"),
        pytest.param(OURS, ("jo", ["jo", "al"]), USER, False, id="of the user's name, with another in it"),
        pytest.param(OURS, ("users", []), USER, False, id="everybody's primary one"),
        pytest.param(NAMED_GROUP, ("staff", ["jo"]), USER, False, id="of several people"),
        pytest.param(OURS, ("jo", []), None, False, id="of a user who has no name"),
    ],
)
def test_a_group_may_write_if_it_is_private(monkeypatch, group, entry, user, is_private):
    def named(number):
        assert number == group
        if entry is None:
            raise KeyError
        return SimpleNamespace(gr_name=entry[0], gr_mem=entry[1])

    def user_of(number):
        assert number == OURS
        if user is None:
            raise KeyError
        return user

    monkeypatch.setattr(grp, "getgrgid", named)
    monkeypatch.setattr(pwd, "getpwuid", user_of)
    monkeypatch.setattr(os, "geteuid", lambda: OURS)
    monkeypatch.setattr(os, "getegid", lambda: OURS)
    monkeypatch.setattr(os, "getgroups", lambda: [7, NAMED_GROUP])
    assert (refused(trust.check_file, "file", status(0o100660, OURS, group)) is None) is is_private
    # What only the group may read is no matter of the group's, and what everybody may write is refused whatever it is.
    assert refused(trust.check_file, "file", status(0o100640, OURS, group)) is None
    assert refused(trust.check_file, "file", status(0o100662, OURS, group)) is not None


# Links


def test_links_are_followed_at_each_use(folder):
    (folder / "..2").mkdir()
    (folder / "..2/login.json").touch()
    (folder / "..data").symlink_to("..2")
    link = folder / "login.json"
    link.symlink_to("..data/login.json")
    assert trust.follow(str(link)) == str(folder / "..2/login.json")
    (folder / "..3").mkdir()
    (folder / "..data").unlink()
    (folder / "..data").symlink_to(folder / "..3")
    assert trust.follow(str(link)) == str(folder / "..3/login.json")


@pytest.mark.parametrize("path", ["a/../b//./c/../d", "link/../b/d", "b/d/", "missing/../b/d", "file/../b/d"])
def test_a_path_may_have_points_and_lead_to_what_is_not_there(folder, monkeypatch, path):
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    (folder / "file").touch()
    (folder / "link").symlink_to("a")
    monkeypatch.chdir(folder)
    assert trust.follow(path) == trust.follow(str(folder / path)) == str(folder / "b/d")


def test_only_a_relative_path_needs_the_working_directory(folder, monkeypatch):
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert trust.follow(str(folder / "a")) == str(folder / "a")
    with pytest.raises(OSError, match="relative") as caught:
        trust.follow("a")
    assert caught.value.strerror == "a is a relative path, and the working directory no longer exists"
    assert not isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("path", ["/", "//", "/..", "/./", "/dev/.."])
def test_the_root_is_a_folder_too(path):
    assert trust.follow(path) == "/"


@pytest.mark.parametrize(("links", "is_followed"), [(40, True), (41, False)])
def test_a_chain_of_links_has_an_end(folder, links, is_followed):
    (folder / "0").touch()
    for number in range(links):
        (folder / str(number + 1)).symlink_to(str(number))
    path = folder / str(links)
    if is_followed:
        assert trust.follow(str(path)) == str(folder / "0")
    else:
        assert refused(trust.follow, str(path)) == f"{path} is a link that leads nowhere"


@pytest.mark.parametrize(
    ("mode", "link_owner", "folder_owner", "is_followed"),
    [
        (0o1777, 0, 0, True),
        (0o1777, STRANGER, 0, False),
        (0o1777, STRANGER, STRANGER, False),
        (0o755, STRANGER, 0, False),
        (0o755, STRANGER, STRANGER, True),
        (0o755, 0, STRANGER, True),
    ],
)
def test_a_link_to_a_folder_is_followed_as_the_kernel_follows_it(
    folder, give, mode, link_owner, folder_owner, is_followed
):
    shared, ours = folder / "shared", folder / "ours"
    shared.mkdir()
    ours.mkdir()
    link = shared / "link"
    link.symlink_to(ours)
    shared.chmod(mode)
    give(shared, folder_owner)
    give(link, link_owner)
    path = str(link / "login.json")
    if is_followed:
        assert trust.follow(path) == str(ours / "login.json")
    else:
        assert refused(trust.follow, path) == (
            f"the link {link} belongs to user {link_owner}, in a folder that others can write"
        )


def test_a_link_to_a_file_is_not_followed_out_of_a_folder_of_somebody_else(folder, give):
    theirs = folder / "theirs"
    theirs.mkdir()
    (theirs / "login.json").symlink_to(folder / "settings.json")
    give(theirs / "login.json")
    give(theirs)
    assert re.match(rf"the folder {theirs} belongs to user {STRANGER}", refused(trust.follow, f"{theirs}/login.json"))


def test_our_own_link_counts_as_ours(folder, give, monkeypatch):
    folder.chmod(0o1777)
    (folder / "link").symlink_to("file")
    give(folder / "link", OURS)
    monkeypatch.setattr(os, "geteuid", lambda: OURS)
    assert trust.follow(str(folder / "link")) == str(folder / "file")


# Windows


def test_where_files_have_no_owners_links_are_followed_and_every_folder_will_do(folder, monkeypatch):
    (folder / "link").symlink_to("file")
    folder.chmod(0o777)
    monkeypatch.delattr(os, "geteuid")
    assert trust.follow(str(folder / "link")) == str(folder / "file")
    assert refused(trust.check_folder, str(folder)) is None
    assert refused(trust.check_file, "file", status(0o100666, STRANGER)) is None


def test_on_windows_links_are_followed_and_owners_and_modes_mean_nothing(folder, monkeypatch):
    folder.chmod(0o777)
    (folder / "link").symlink_to("file")
    monkeypatch.setattr(os, "geteuid", lambda: OURS)
    monkeypatch.setattr(sys, "platform", "win32")
    assert trust.follow(str(folder / "link")) == str(folder / "file")
    assert refused(trust.check_folder, str(folder)) is None
    assert refused(trust.check_file, "file", status(0o100666)) is None
    assert refused(trust.check_file, "file", status(0o010666)) == "file is not a regular file"
