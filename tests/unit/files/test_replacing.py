"""Replacing a file: by a rename, or in place."""

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nous_billing._files import folders, replacing

OLD, NEW = b'{"a": "old"}', b'{"a": "new and longer"}'
ROOM = 4096


def refuse(code):
    def refused(*_, **__):
        raise OSError(code, os.strerror(code))

    return refused


@pytest.fixture
def file(folder):
    made = folder / "login.json"
    made.write_bytes(OLD)
    made.chmod(0o600)
    return made


def replace(file, content=NEW, room=ROOM):
    with replacing.prepared(file, room) as commit:
        commit(lambda: content)


def left(file):
    return sorted(path.name for path in file.parent.iterdir())


# A rename


def test_room_is_reserved_on_the_disk_before_anything_happens(file, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor)))
    with replacing.prepared(file, ROOM) as commit:
        (reserved,) = synced
        assert (reserved.st_size, stat.S_IMODE(reserved.st_mode)) == (ROOM, 0o600)
        assert file.read_bytes() == OLD
        # Zeros take no room everywhere.
        assert b"\0" * 16 not in file.with_name("login.json.new").read_bytes()
        commit(lambda: NEW)
        kinds = [stat.S_ISDIR(each.st_mode) for each in synced]
        assert (kinds, synced[1].st_size) == ([False, False, True], len(NEW))
    assert (file.read_bytes(), left(file)) == (NEW, ["login.json"])


def test_without_a_commit_the_file_stays_and_nothing_is_left(file):
    with replacing.prepared(file, ROOM):
        pass
    with pytest.raises(ZeroDivisionError), replacing.prepared(file, ROOM):
        raise ZeroDivisionError
    assert (file.read_bytes(), left(file)) == (OLD, ["login.json"])


@pytest.mark.parametrize("umask", [0, 0o777])
def test_files_and_folders_are_the_owners_whatever_the_umask(umask):
    """Root needs no rights, so that another user has to try."""
    script = (
        "import os, sys; from pathlib import Path; from nous_billing._files import replacing, reading\n"
        "os.umask(int(sys.argv[2]))\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65533); os.setuid(65533)\n"
        "file = Path(sys.argv[1]) / 'a' / 'b' / 'file'\n"
        "replacing.replace_durably(file, lambda: b'first'); replacing.replace_durably(file, lambda: b'second')\n"
        "print(reading.read_own_file(file), *(oct(p.stat().st_mode)[-3:] for p in (*file.parents[:2][::-1], file)))"
    )
    with tempfile.TemporaryDirectory() as shared:
        os.chmod(shared, 0o1777)
        arguments = [sys.executable, "-c", script, shared, str(umask)]
        done = subprocess.run(arguments, capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "b'second' 700 700 600\n")


def test_a_folder_that_another_process_makes_at_the_same_time_is_left_alone(folder, monkeypatch):
    made = folder / "made"

    def made_meanwhile(self, mode):
        os.mkdir(self, 0o755)
        raise FileExistsError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", made_meanwhile)
        folders.make_folder(made)
    assert stat.S_IMODE(made.stat().st_mode) == 0o755
    (folder / "file").touch()
    with pytest.raises(FileExistsError):
        folders.make_folder(folder / "file")


def test_a_file_system_without_modes_is_good_enough(folder, monkeypatch):
    monkeypatch.setattr(Path, "chmod", refuse(errno.EPERM))
    file = folder / "made" / "file"
    replace(file)
    assert file.read_bytes() == NEW


def test_a_full_disk_is_known_before_anything_happens(file, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"), replacing.prepared(file, ROOM):
        pytest.fail("It was prepared.")
    assert (file.read_bytes(), left(file)) == (OLD, ["login.json"])


def test_what_is_in_the_way_is_named(file):
    temporary = file.with_name("login.json.new")
    temporary.mkdir()
    with pytest.raises(IsADirectoryError) as caught, replacing.prepared(file, ROOM):
        pytest.fail("It was prepared.")
    assert caught.value.strerror == f"{temporary} cannot be removed: Is a directory"
    assert caught.value.filename == str(temporary)


@pytest.mark.parametrize("refusals", [0, 1, 6, 7])
@pytest.mark.parametrize("way", ["purchase", "login"])
def test_a_file_that_a_reader_has_open_on_windows_is_replaced_a_little_later(file, monkeypatch, refusals, way):
    pauses, tried, move = [], [], Path.replace

    def replace_if_nobody_reads(self, target):
        tried.append(self)
        if len(tried) <= refusals:
            raise PermissionError(errno.EACCES, "Access is denied")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", replace_if_nobody_reads)
    monkeypatch.setattr(replacing.time, "sleep", pauses.append)
    number = file.stat().st_ino
    if way == "login":
        replace(file)
        # At last it is written in place.
        assert (file.stat().st_ino == number) is (refusals == 7)
    elif refusals == 7:
        with pytest.raises(PermissionError):
            replacing.replace_durably(file, lambda: NEW)
    else:
        replacing.replace_durably(file, lambda: NEW)
    assert file.read_bytes() == (OLD if (way, refusals) == ("purchase", 7) else NEW)
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32][:refusals]
    assert left(file) == ["login.json"]


# In place


def mounted_by_itself(monkeypatch):
    """What the system says of a file that is a mount: neither a link nor a rename may cross it."""
    monkeypatch.setattr(os, "link", refuse(errno.EXDEV))
    monkeypatch.setattr(Path, "replace", refuse(errno.EBUSY))


def in_a_folder_that_refuses(code):
    def patch(monkeypatch):
        opened = os.open

        def open_old(path, flags, *arguments, **more):
            return refuse(code)() if flags & os.O_CREAT else opened(path, flags, *arguments, **more)

        monkeypatch.setattr(os, "open", open_old)

    return patch


IN_PLACE = {
    "mounted": mounted_by_itself,
    **{f"folder {code}": in_a_folder_that_refuses(code) for code in (errno.EACCES, errno.EPERM, errno.EROFS)},
}


@pytest.fixture(params=IN_PLACE)
def in_place(request, monkeypatch, file):
    IN_PLACE[request.param](monkeypatch)
    return file


@pytest.mark.parametrize("content", [NEW, b"{}", OLD, b"[" + b"1," * 5000 + b"1]"])
def test_a_file_that_no_rename_can_replace_is_written_in_place(in_place, content):
    number = in_place.stat().st_ino
    replace(in_place, content)
    assert (in_place.read_bytes(), in_place.stat().st_ino) == (content, number)
    assert left(in_place) == ["login.json"]


def test_spaces_reserve_the_room_and_the_file_is_whole_at_each_moment(in_place, monkeypatch):
    seen, fsync = [], os.fsync

    def note(descriptor):
        fsync(descriptor)
        seen.append(in_place.read_bytes())

    monkeypatch.setattr(os, "fsync", note)
    with replacing.prepared(in_place, ROOM) as commit:
        assert seen == [OLD.ljust(ROOM)]
        commit(lambda: NEW)
    assert seen == [OLD.ljust(ROOM), NEW.ljust(ROOM)]
    assert {json.dumps(json.loads(content)) for content in seen} == {OLD.decode(), NEW.decode()}
    assert in_place.read_bytes() == NEW


def test_without_a_commit_the_spaces_are_taken_back(in_place):
    with replacing.prepared(in_place, ROOM):
        assert len(in_place.read_bytes()) == ROOM
    assert in_place.read_bytes() == OLD


def test_a_disk_that_is_full_when_room_is_reserved_leaves_the_file_as_it_was(in_place, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"), replacing.prepared(in_place, ROOM):
        pytest.fail("It was prepared.")
    assert in_place.read_bytes() == OLD


def test_a_file_that_was_mounted_after_it_was_prepared_is_written_in_place(file, monkeypatch):
    number = file.stat().st_ino
    with replacing.prepared(file, ROOM) as commit:
        mounted_by_itself(monkeypatch)
        commit(lambda: NEW)
    assert (file.read_bytes(), file.stat().st_ino, left(file)) == (NEW, number, ["login.json"])


def test_a_disk_that_fails_at_the_rename_is_no_reason_to_write_in_place(file, monkeypatch):
    with replacing.prepared(file, ROOM) as commit:
        monkeypatch.setattr(Path, "replace", refuse(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            commit(lambda: NEW)
    assert (file.read_bytes(), left(file)) == (OLD, ["login.json"])


def test_a_folder_that_cannot_be_written_and_has_no_file_is_an_error(file, monkeypatch):
    file.unlink()
    in_a_folder_that_refuses(errno.EACCES)(monkeypatch)
    with pytest.raises(PermissionError), replacing.prepared(file, ROOM):
        pytest.fail("It was prepared.")
    assert left(file) == []


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_a_file_system_without_links_is_good_enough(file, monkeypatch, code):
    monkeypatch.setattr(os, "link", refuse(code))
    number = file.stat().st_ino
    replace(file)
    assert (file.read_bytes(), file.stat().st_ino == number) == (NEW, False)


def test_a_file_that_can_be_neither_linked_nor_opened_cannot_be_replaced(file, monkeypatch):
    opened = os.open

    def immutable(path, flags, *arguments, **more):
        if flags & os.O_WRONLY and str(path) == str(file):
            refuse(errno.EPERM)()
        return opened(path, flags, *arguments, **more)

    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "open", immutable)
    with pytest.raises(PermissionError, match="not permitted"), replacing.prepared(file, ROOM):
        pytest.fail("It was prepared.")
    assert (file.read_bytes(), left(file)) == (OLD, ["login.json"])


def test_what_a_killed_process_left_is_removed(file):
    os.link(file, file.with_name("login.json.new"))
    replace(file)
    assert (file.read_bytes(), left(file), file.stat().st_nlink) == (NEW, ["login.json"], 1)
