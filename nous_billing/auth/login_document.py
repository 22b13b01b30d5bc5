"""What a login file may contain, and how a file that contains something else is told from a broken login."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, cast

from .._files.reading import LARGEST_FILE
from .._secrets import masked, reveal_in_json

Document = dict[str, Any]

_KEYS = ("version", "active_portal", "portals")
# More than anybody needs, and less than how deep any Python can read and write JSON.
_DEEPEST = 100
# As this SDK writes a document, white space apart. Other programs write a version first, too.
_BEGINNINGS = tuple(f'{{"version":1,"{key}":'.encode() for key in ("portals", "active_portal"))
_VERSION = re.compile(rb'\{"version":(\d+)')
# Hermes's file has a version as well.
_KEYS_OF_HERMES = ("providers", "credential_pool")


class Unusable(Enum):
    """Why a content is no document, as a sentence about a path."""

    BROKEN = "The login file {path} is broken."
    EMPTY = "The login file {path} is empty."
    UNCLEAR = (
        "The file {path} is cut off, and may be another program's, so it was left as it is. Give another path, or move "
        "it away and log in again."
    )
    FOREIGN = (
        "The file {path} is not a login of nous-billing, and was left as it is. Give another path, or move it away."
    )
    UNREADABLE = (
        "The file {path} is nested too deeply, or has a number in it that is too long, so it was left as it is. Give "
        "another path, or move it away and log in again."
    )
    OTHER_VERSION = (
        'The login file {path} is of another version of nous-billing (its "version" is not 1), and was left as it is. '
        "Upgrade nous-billing, or give another path."
    )


def recognise(content: bytes) -> Document | Unusable:
    """Return the document, with its tokens as secrets, or why it is none.

    >>> recognise(b'{"version": 1, "portals": {}}')
    {'version': 1, 'portals': {}}
    >>> texts = (b'{"version": 1, ', b'{"version": 1, "portals": {', b"alias ll='ls -l'")
    >>> [recognise(text).name for text in texts]
    ['UNCLEAR', 'BROKEN', 'FOREIGN']
    """
    try:
        value = json.loads(content, object_hook=masked)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return _recognise_by_beginning(content)
    except (ValueError, RecursionError):
        return Unusable.UNREADABLE
    if not isinstance(value, dict):
        return Unusable.FOREIGN
    document = cast(Document, value)
    if document and document.keys().isdisjoint(_KEYS):
        return Unusable.FOREIGN
    if "portals" not in document and not document.keys().isdisjoint(_KEYS_OF_HERMES):
        return Unusable.FOREIGN
    version = document.get("version", 1)
    if type(version) is not int or version != 1:
        return Unusable.OTHER_VERSION
    if _is_too_deep(document):
        return Unusable.UNREADABLE
    return document if isinstance(document.get("portals", {}), dict) else _recognise_by_beginning(content)


def encode(document: Document, room: int = 0) -> bytes:
    """Return the JSON of a document: indented, or compact where that would be too large to be read again.

    No variable holds it: a traceback may show the variables of a frame.

    Args:
        room: How many bytes more must not make it too large.

    Raises:
        OSError: Even the compact JSON is too large.
    """
    if len(_indented(document)) + room <= LARGEST_FILE:
        return _indented(document)
    if len(compact(document)) + room > LARGEST_FILE:
        raise OSError(errno.EFBIG, "with a new login it would be larger than 1 MiB, and could not be read again")
    return compact(document)


def _indented(document: Document) -> bytes:
    return json.dumps({"version": 1, **document}, indent=1, default=reveal_in_json).encode()


def compact(document: Document) -> bytes:
    """Return the JSON of a document without white space. No variable holds it, as for ``encode``."""
    return json.dumps({"version": 1, **document}, separators=(",", ":"), default=reveal_in_json).encode()


def _recognise_by_beginning(content: bytes) -> Unusable:
    if not content.strip():
        return Unusable.EMPTY
    # Null bytes are what some file systems leave after a power cut.
    start = b"".join(content.strip(b"\0 \t\r\n")[:100].split())
    if start.startswith(_BEGINNINGS):
        return Unusable.BROKEN
    if any(beginning.startswith(start) for beginning in _BEGINNINGS):
        return Unusable.UNCLEAR
    version = _VERSION.match(start)
    return Unusable.FOREIGN if version is None or version[1] == b"1" else Unusable.OTHER_VERSION


def _is_too_deep(document: Document) -> bool:
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
    return bool(level)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast(Document, value).values()
    return cast("Iterable[Any]", value) if isinstance(value, list) else ()
