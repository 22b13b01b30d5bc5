"""Checks what a caller adds to requests: headers of a call, and the name of the application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from .._arguments import wrong_type
from .._version import __version__
from ..errors import BillingInvalidRequest

USER_AGENT = f"nous-billing/{__version__}"

# Who asks, for what, and how a request and its reply are framed.
_OURS = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "cookie", "cookie2", "expect", "host"}
    | {"http2-settings", "idempotency-key", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)
# The contract's own begin like the second.
_OURS_TOO = ("content-", "x-nous-")
TRACING = frozenset({"traceparent", "tracestate"})

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the term of RFC 9110
# A header's value, without blanks around it.
_VALUE = r"[!-~]([\t -~]*[!-~])?"
_PRODUCT = rf"{_TOKEN}(/{_TOKEN})?"
_COMMENT = r"\([\t !-'*-\[\]-~]*\)"
_LONGEST_USER_AGENT = 256


def check_headers(headers: Mapping[str, str] | None, *, are_traced: bool = False) -> dict[str, str]:
    """Return the headers that a caller adds to the requests of a call.

    Args:
        are_traced: Whether an observer adds the headers of a trace.

    Raises:
        BillingInvalidRequest: One cannot be sent, or is not the caller's to set (``error="invalid_headers"``).
    """
    if headers is None:
        return {}
    if not isinstance(cast("object", headers), Mapping):
        raise wrong_type("headers", "a mapping of names to values", headers, "invalid_headers")
    checked: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not re.fullmatch(_TOKEN, name):
            # Not quoted: a whole line may have been passed, with a secret.
            raise _refused("a name in headers must be a string such as X-Tenant, without blanks and colons")
        key = name.lower()
        # CGI, and WSGI after it, take X_A for X-A.
        taken_for = key.replace("_", "-")
        if taken_for in _OURS or taken_for.startswith(_OURS_TOO):
            raise _refused(f"the header {name} is set by the SDK")
        if are_traced and key in TRACING:
            raise _refused(f"the header {name} is set by the observer")
        if key in checked:
            raise _refused(f"the header {name} is there twice")
        # Not quoted: it may be a secret.
        if not isinstance(value, str) or not re.fullmatch(_VALUE, value):
            raise _refused(f"the value of {name} must be a string of visible ASCII characters")
        checked[key] = value
    return checked


def check_values(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Check the values of an operation's own headers, which may be arguments, and return the headers.

    Raises:
        BillingInvalidRequest: One has other than visible ASCII characters (``error="invalid_request"``).
    """
    for name, value in headers.items():
        if not re.fullmatch(_VALUE, value):
            raise BillingInvalidRequest(
                f"The value of {name} must be of visible ASCII characters. Nothing was sent.", error="invalid_request"
            )
    return headers


def user_agent(application: str | None) -> dict[str, str]:
    """Return the header that names an application before this SDK; none where it has no name.

    Raises:
        BillingInvalidRequest: It is no list of products and comments (``error="invalid_user_agent"``).
    """
    if application is None:
        return {}
    if not isinstance(cast("object", application), str):
        raise wrong_type("user_agent", 'a string like "myapp/1.2"', application, "invalid_user_agent")
    if len(application) > _LONGEST_USER_AGENT or not _is_list_of_products(application):
        raise BillingInvalidRequest(
            f'user_agent must be like "myapp/1.2" or "myapp/1.2 (a comment)", of at most {_LONGEST_USER_AGENT} ASCII '
            "characters.",
            error="invalid_user_agent",
        )
    return {"User-Agent": f"{application} {USER_AGENT}"}


def _is_list_of_products(text: str) -> bool:
    return bool(re.fullmatch(rf"{_PRODUCT}( ({_PRODUCT}|{_COMMENT}))*", text))


def _refused(reason: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(
        f"{reason[0].upper()}{reason[1:]}. Nothing was sent.",
        error="invalid_headers",
    )
