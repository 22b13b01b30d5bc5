"""Whose files and folders are trusted: the rule of ssh's ``StrictModes``, adapted to containers.

- A folder of ours belongs to us (the effective user) or to root, and nobody else may write it. A sticky folder such as
  ``/tmp``, in which others can remove nothing of ours, will do.
- A file in it belongs to us or to root, is a regular file, and nobody else may write it. Others may be able to read it.
  A file that is mounted by itself is no exception: its owner outside of the container can write it.
- Its group may write it if that is our private group: the one with our user's name and no other member, root's, or one
  that this process is in and that has no name here, such as the ``fsGroup`` of a Kubernetes volume.
- A link on the way is followed if it belongs to us or to root, or to the owner of its folder if nobody else may write
  that: the kernel's ``protected_symlinks``, applied to every shared folder.
- Inside a user namespace an owner with no id there counts as root, but not for a link in a shared folder.

The folders above are not checked: whoever can rename them can take our folder away, but cannot make one that is ours.
Windows keeps other users out of a profile by its access control lists, so nothing is checked there.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

_MOST_LINKS = 40


def absolute(path: str) -> str:
    """Return the path as an absolute one. Only a relative path needs the working directory, which may be gone.

    Raises:
        OSError: It is gone. Never a ``FileNotFoundError``, which callers take for a missing file.
    """
    if os.path.isabs(path):
        return path
    try:
        return os.path.join(os.getcwd(), path)
    except FileNotFoundError:
        sentence = f"{path} is a relative path, and the working directory no longer exists"
    raise OSError(errno.ESTALE, sentence, path)


def check_length(path: str) -> None:
    """Refuse a path that is too long to name anything.

    Raises:
        OSError: It is.
    """
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise


def follow(path: str) -> str:
    """Follow every link in a path, and return the path without links. Its end need not exist.

    Raises:
        OSError: Somebody else may have put a link there, or it leads nowhere, or see ``absolute``.
    """
    if sys.platform == "win32":
        return os.path.realpath(path)
    # Without os.path, which takes longer than to ask the system: this is done at each look into a store.
    real, links = "", 0
    rest = absolute(path).split("/")[::-1]
    while rest:
        name = rest.pop()
        if name == "..":
            real = real.rpartition("/")[0]
        if name in ("", ".", ".."):
            continue
        here = f"{real}/{name}"
        try:
            found = os.lstat(here)
        except (FileNotFoundError, NotADirectoryError):
            return os.path.normpath("/".join([here, *rest[::-1]]))
        if not stat.S_ISLNK(found.st_mode):
            real = here
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, f"{path} is a link that leads nowhere", path)
        if not rest:
            check_folder(real or "/")
        _check_link(here, found.st_uid, os.stat(real or "/"))
        target = os.readlink(here)
        real = "" if target.startswith("/") else real
        rest.extend(target.split("/")[::-1])
    return real or "/"


def check_folder(folder: str) -> None:
    """Refuse a folder in which somebody else can replace a file of ours. What is none, or does not exist, is fine.

    Raises:
        PermissionError: The folder may be written by others.
        OSError: There is no way to look at it.
    """
    try:
        found = os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISLNK(found.st_mode):
        raise _refusal(folder, f"{folder} is a link instead of a folder")
    if not stat.S_ISDIR(found.st_mode):
        # Nothing of ours can be in it: whoever uses it finds out.
        return
    advice = "Use a folder of your own: one that does not exist yet is made for you alone"
    if not _is_ours(found.st_uid):
        raise _refusal(folder, f"the folder {folder} belongs to user {found.st_uid}. {advice}")
    if _others_write(found) and not found.st_mode & stat.S_ISVTX:
        raise _refusal(
            folder,
            f"others can write the folder {folder} (mode {_mode(found)}). {advice}, or run `chmod go-w {folder}`",
        )


def check_file(path: str, found: os.stat_result) -> None:
    """Refuse a file that somebody else can have written, and what is no regular file.

    Args:
        found: From its descriptor, so that nothing can take its place after the check.

    Raises:
        OSError: It is refused.
    """
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(path, f"{path} is not a regular file")
    if not _is_ours(found.st_uid):
        us = _our_id()
        raise _refusal(
            path,
            f"{path} belongs to user {found.st_uid}, and this program runs as user {us}. If you trust what is in it, "
            f"run `chown {us} {path}`, or run the program as user {found.st_uid}",
        )
    if _others_write(found):
        raise _refusal(path, f"others can write {path} (mode {_mode(found)}). Check it, then run `chmod go-w {path}`")


def _refusal(path: str, sentence: str) -> PermissionError:
    """Return the error for what may be somebody else's; ``strerror`` is a sentence that names the path."""
    return PermissionError(errno.EPERM, sentence, path)


def _check_link(link: str, owner: int, folder: os.stat_result) -> None:
    us = _our_id()
    if us is None or owner in (us, 0) or (owner == folder.st_uid and not _others_write(folder)):
        return
    raise _refusal(link, f"the link {link} belongs to user {owner}, in a folder that others can write")


def _is_ours(owner: int) -> bool:
    us = _our_id()
    return us is None or owner in (us, 0) or _has_no_id(owner)


def _our_id() -> int | None:
    """Return the effective user; None where files have no owners."""
    if sys.platform == "win32" or not hasattr(os, "geteuid"):
        return None
    return os.geteuid()


def _has_no_id(owner: int) -> bool:
    """Whether this is how a user namespace shows an owner for whom it has no id."""
    try:
        if owner != int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii")):
            return False
        text = Path("/proc/self/uid_map").read_text(encoding="ascii")
        ranges = [list(map(int, line.split())) for line in text.splitlines()]
    except (OSError, ValueError):
        return False
    return not any(first <= owner < first + count for first, _, count in ranges)


def _others_write(found: os.stat_result) -> bool:
    if sys.platform == "win32" or not hasattr(os, "geteuid"):
        return False
    if found.st_mode & stat.S_IWOTH or not found.st_mode & stat.S_IWGRP or found.st_gid == 0:
        return bool(found.st_mode & stat.S_IWOTH)
    import grp
    import pwd

    try:
        group = grp.getgrgid(found.st_gid)
    except KeyError:
        return found.st_gid not in (os.getegid(), *os.getgroups())
    try:
        our_name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return True
    return group.gr_name != our_name or not set(group.gr_mem) <= {our_name}


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"
