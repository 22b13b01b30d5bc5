"""Makes text of the portal, or of a file, safe to print: a terminal obeys control characters."""

from __future__ import annotations

import re

# Not compiled before the first text that needs it: most text is plain.
# Colours, cursor moves and the like; and strings to the terminal such as its title, with or without their end.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\)?"
)
_BREAK = r"[\t-\r\x1c-\x1e\x85\u2028\u2029]+"
# The rest of C0, DEL and C1; what changes the direction of text; tags and byte order marks, which nobody sees.
_INVISIBLE = r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
_SURROGATE = r"[\ud800-\udfff]"
# Characters. No sentence, name or code that a portal means is longer; a whole reply may have a mebibyte.
_LONGEST = 1000
_UNPRINTABLE = f"{_INVISIBLE[:-1]}\u2028\u2029{_SURROGATE[1:]}"


def printable(text: str) -> str:
    """Return a sentence for one line: without control characters, escape sequences and marks of text direction.

    Line breaks and tabs become spaces. Half of a character, which cannot be printed, becomes U+FFFD.

    Examples:
        >>> printable("Pay \\x1b[31mnow\\x1b[0m\\r\\n\\u202ehere")
        'Pay now here'
    """
    if text.isascii() and text.isprintable():
        return text
    shown = re.sub(_INVISIBLE, "", re.sub(_BREAK, " ", re.sub(_SEQUENCE, "", text)))
    return re.sub(_SURROGATE, "\ufffd", shown)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return a text, with an ellipsis for what is beyond the greatest length.

    Examples:
        >>> shortened("Ask an admin.", 8)
        'Ask an a…'
    """
    return text if len(text) <= longest else f"{text[:longest]}…"


def printable_value(value: str, longest: int = _LONGEST) -> str:
    """Return a code, a name or another value with U+FFFD for each character that is not for a terminal.

    Nothing is left out but what is too long, for an ellipsis: an unknown value must not become one that is known, such
    as ``settled``.

    Examples:
        >>> printable_value("settled\\0") == "settled", printable_value("settled")
        (False, 'settled')
    """
    shown = shortened(value, longest)
    return shown if shown.isascii() and shown.isprintable() else re.sub(_UNPRINTABLE, "\ufffd", shown)
