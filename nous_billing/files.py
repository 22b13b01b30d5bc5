"""A cheap way to notice that a file was rewritten."""

from __future__ import annotations

from pathlib import Path


def file_fingerprint(path: Path) -> object:
    """Return a value that changes when the file is replaced, changed, made or removed."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
