"""What a login file may contain, and how a file that contains something else is told from a broken login."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any, cast

from .._secrets import masked

Document = dict[str, Any]

_KEYS = ("version", "active_portal", "portals")
# This SDK writes one of its keys first.
_BEGINNINGS = tuple(f'{{"{key}"'.encode() for key in _KEYS)
_VERSION = re.compile(rb'\{"version":(\d+)')


class Unusable(Enum):
    """Why a content is no document, as a sentence about a path."""

    BROKEN = "The login file {path} is broken."
    FOREIGN = (
        "The file {path} is not a login of nous-billing, and was left as it is. Give another path, or move it away."
    )
    OTHER_VERSION = (
        'The login file {path} is of another version of nous-billing (its "version" is not 1), and was left as it is. '
        "Upgrade nous-billing, or give another path."
    )


def recognise(content: bytes) -> Document | Unusable:
    """Return the document, with its tokens as secrets, or why it is none.

    >>> recognise(b'{"version": 1, "portals": {}}')
    {'version': 1, 'portals': {}}
    >>> [recognise(text).name for text in (b'{"version": 1, "por', b'{"version": 2, "por', b"alias ll='ls -l'")]
    ['BROKEN', 'OTHER_VERSION', 'FOREIGN']
    """
    try:
        value = json.loads(content, object_hook=masked)
    except (ValueError, RecursionError):
        return _recognise_torn(content)
    if not isinstance(value, dict):
        return Unusable.FOREIGN
    document = cast(Document, value)
    if document and document.keys().isdisjoint(_KEYS):
        return Unusable.FOREIGN
    version = document.get("version", 1)
    if type(version) is not int or version != 1:
        return Unusable.OTHER_VERSION
    return document if _has_logins(document) else Unusable.BROKEN


def _recognise_torn(content: bytes) -> Unusable:
    # Null bytes are what some file systems leave after a power cut.
    start = b"".join(content.strip(b"\0 \t\r\n")[:100].split())
    version = _VERSION.match(start)
    if version is not None and version[1] != b"1":
        return Unusable.OTHER_VERSION
    is_ours = start.startswith(_BEGINNINGS) or any(beginning.startswith(start) for beginning in _BEGINNINGS)
    return Unusable.BROKEN if is_ours else Unusable.FOREIGN


def _has_logins(document: Document) -> bool:
    """Whether its ``portals``, if it has any, are objects."""
    portals: Any = document.get("portals", {})
    return isinstance(portals, dict) and all(
        login is None or isinstance(login, dict) for login in cast(Document, portals).values()
    )
