"""Replacing a file durably: by a rename, or in place where the file is a mount or its folder cannot be written."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .folders import make_folder, sync_folder
from .reading import NO_FOLLOW, patiently

Content = Callable[[], bytes]

# On Windows nobody can replace a file while somebody has it open: a reader of ours, or a virus scanner.
_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
_FOLDER_REFUSES = {errno.EACCES, errno.EPERM, errno.EROFS}
_CANNOT_BE_REPLACED = {errno.EBUSY, errno.EXDEV, *_FOLDER_REFUSES}


def replace_durably(path: Path, content: Content) -> None:
    """Replace a file by a rename. To be called under a lock.

    Args:
        content: Makes the bytes. No variable holds them: a traceback may show the variables of a frame.

    Raises:
        OSError: It could not be written; the old file is still whole.
    """
    temporary = _free_temporary(path)
    try:
        _write(temporary, os.O_CREAT | os.O_EXCL, content)
        _rename(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def put_aside(path: str) -> str:
    """Rename a broken file, and return its new name. To be called under a lock.

    Raises:
        OSError: It could not be renamed.
    """
    number = 1
    while os.path.lexists(aside := f"{path}.broken-{number}"):
        number += 1
    Path(path).rename(aside)
    return aside


@contextmanager
def prepared(path: Path, room: int) -> Generator[Callable[[Content], None]]:
    """Reserve disk space for the next content of a file, and find out how it can be saved. To be called under a lock.

    A file that no rename can replace is written in place: one that is mounted by itself, as into a container, or whose
    folder cannot be written. Its content must be a text that may end in spaces, such as JSON.

    Args:
        room: The size of the largest content, in bytes.

    Yields:
        A function that replaces the file, once. Without a call of it the file stays as it was.

    Raises:
        OSError: The file cannot be saved here.
    """
    replacement = _prepare(path, room)
    try:
        yield replacement.commit
    finally:
        replacement.discard()


def temporary_of(path: Path) -> Path:
    """Return where the next content of a file is written."""
    return path.with_name(f"{path.name}.new")


def _prepare(path: Path, room: int) -> _NewFile | _SameFile:
    try:
        temporary = _free_temporary(path)
        if _is_mounted(path, temporary):
            return _SameFile(path, room)
        return _NewFile(path, temporary, room)
    except OSError as error:
        if error.errno not in _FOLDER_REFUSES or not os.path.lexists(path):
            raise
    return _SameFile(path, room)


def _free_temporary(path: Path) -> Path:
    make_folder(path.parent)
    temporary = temporary_of(path)
    try:
        # What a process that was killed left behind may belong to anybody.
        patiently(lambda: temporary.unlink(missing_ok=True))
    except OSError as error:
        raise OSError(error.errno, f"{temporary} cannot be removed: {error.strerror}", str(temporary)) from None
    return temporary


def _is_mounted(path: Path, temporary: Path) -> bool:
    """Whether the file is a mount of its own: a hard link, like a rename, cannot leave the mount."""
    try:
        os.link(path, temporary)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.EXDEV:
            return True
    else:
        temporary.unlink()
        return False
    # A file system without links, or a file that cannot be replaced: an immutable one, or a stranger's in a sticky
    # folder. Such a file cannot be opened either.
    os.close(os.open(path, os.O_WRONLY | NO_FOLLOW))
    return False


class _NewFile:
    """A file that is written beside the old one, and then renamed to it."""

    def __init__(self, path: Path, temporary: Path, room: int) -> None:
        self._path = path
        self._temporary = temporary
        try:
            # Not zeros: some file systems store no zeros.
            _write(temporary, os.O_CREAT | os.O_EXCL, lambda: os.urandom(room))
        except OSError:
            self.discard()
            raise

    def commit(self, content: Content) -> None:
        _write(self._temporary, 0, content)
        try:
            _rename(self._temporary, self._path)
        except OSError as error:
            if error.errno not in _CANNOT_BE_REPLACED:
                raise
            _SameFile(self._path, 0).commit(content)
        else:
            sync_folder(self._path.parent)

    def discard(self) -> None:
        with suppress(OSError):
            self._temporary.unlink()


class _SameFile:
    """The file itself. Spaces at its end reserve the room."""

    def __init__(self, path: Path, room: int) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._pad(room)

    def _pad(self, size: int) -> None:
        """Extend the file to a size, if it is smaller; a full disk may prevent it."""
        missing = size - self._path.stat().st_size
        try:
            if missing > 0:
                _write(self._path, 0, lambda: b" " * missing, at=size - missing)
        except OSError:
            self.discard()
            raise

    def commit(self, content: Content) -> None:
        length = len(content())
        self._pad(length)
        whole = self._path.stat().st_size
        # Spaces cover what is left of the old content: whenever this process dies after the write, the file is whole.
        _write(self._path, 0, lambda: content().ljust(whole))
        self._size = length
        self.discard()

    def discard(self) -> None:
        with suppress(OSError):
            os.truncate(self._path, self._size)


def _write(path: Path, flags: int, content: Content, at: int = 0) -> None:
    """Write durably to a file, which then ends there."""
    with open(os.open(path, os.O_WRONLY | NO_FOLLOW | flags, 0o600), "wb") as file:
        if flags:
            with suppress(OSError):
                # The umask may have taken rights away.
                path.chmod(0o600)
        file.seek(at)
        file.write(content())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _rename(temporary: Path, path: Path) -> None:
    for pause in _PAUSES:
        try:
            temporary.replace(path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    temporary.replace(path)
