"""Where the portal is: base-URL precedence, which addresses may be given a token, and links for a person."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ._arguments import wrong_type
from ._secrets import Secret, concealed
from .errors import BillingInvalidRequest

DEFAULT_PORTAL_BASE_URL = "https://portal.nousresearch.com"
"""The production portal."""

BILLING_PATH = "/billing?topup=open"
"""The portal's own page for billing, where a reply names no other."""

_ENVIRONMENT = ("HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL")
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Whoever can write a login's file could otherwise have the token sent to a host of their own.
_STORED_HOSTS = frozenset({"portal.nousresearch.com", "localhost", "127.0.0.1"})
# The standard library also takes "[::1]evil" for the host "::1".
_AUTHORITY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
# Others are quoted, and dots folded, by one HTTP library or proxy and not by another.
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_LONGEST_SHOWN = 1000
# More than servers accept, and browsers show.
_LONGEST_LINK = 8192
_VISIBLE_ASCII = re.compile(r"[!-~]+")


def resolve_portal_base_url(state: Mapping[str, Any] | None = None) -> str:
    """Return the portal's base URL, without a trailing slash.

    The first of these that is set: ``HERMES_PORTAL_BASE_URL``, ``NOUS_PORTAL_BASE_URL``, the stored login's
    ``portal_base_url``, the production portal. The environment is the operator's word. A stored value is not, and may
    only name ``portal.nousresearch.com``, ``localhost`` or ``127.0.0.1``.

    Args:
        state: A stored login, or None.

    Raises:
        BillingInvalidRequest: The address may not be given a token, or ``state`` is no mapping
            (``error="invalid_base_url"``).

    Examples:
        >>> resolve_portal_base_url({"portal_base_url": "http://localhost:3000/"})
        'http://localhost:3000'
    """
    from_environment = environment_base_url()
    if from_environment is not None:
        return from_environment
    if state is not None and not isinstance(state, Mapping):
        raise wrong_type("state", "a stored login, a mapping", state, "invalid_base_url")
    stored = state.get("portal_base_url") if state else None
    if not isinstance(stored, str) or not stored.strip():
        return DEFAULT_PORTAL_BASE_URL
    base_url = check_base_url(stored, "The portal URL of the stored login")
    if urlsplit(base_url).hostname not in _STORED_HOSTS:
        raise _invalid(
            "The portal URL of the stored login",
            repr(base_url),
            f"set {_ENVIRONMENT[0]} if you trust it, or log in again",
        )
    return base_url


def environment_base_url() -> str | None:
    """Return the base URL that the environment sets, checked, or None."""
    for name in _ENVIRONMENT:
        value = Secret(os.environ.get(name, "").strip())
        if value:
            return check_base_url(value, name)
    return None


def environment_fingerprint() -> tuple[str | None, ...]:
    """Return what changes when the environment names another base URL."""
    return os.environ.get(_ENVIRONMENT[0]), os.environ.get(_ENVIRONMENT[1])


def check_base_url(url: str | Secret, name: str) -> str:
    """Return a base URL in its one spelling, or refuse it: host in lower case, no default port, no trailing slash.

    A host with a dot at its end stays another one, as in browsers: certificates do not name it.

    Raises:
        BillingInvalidRequest: It is not ``https``, nor ``http`` on loopback, or has user info, a query or a fragment
            or dots or other characters in its path that not all read alike (``error="invalid_base_url"``).

    Examples:
        >>> check_base_url("https://Preview.example:443/", "base_url")
        'https://preview.example'
    """
    url = concealed(url)
    if not isinstance(url, Secret):
        raise wrong_type(name, "a string", url, "invalid_base_url")
    base_url, shown, remedy = _checked_base_url(url)
    if base_url is None:
        raise _invalid(name, shown, remedy)
    return base_url


# At each poll the same one.
@lru_cache(maxsize=32)
def _checked_base_url(url: Secret) -> tuple[str | None, str | None, str]:
    """Return the base URL; or None, what of it may be shown, and what is wrong.

    Never raises: its variables may hold a password.
    """
    stripped = str.strip(url.reveal()).rstrip("/")
    parts = _split(stripped)
    shown = _shown(url)
    if parts is not None and "@" in parts.netloc:
        return None, None, "it must not carry a user name or password"
    if parts is None or "?" in stripped or "#" in stripped or not _AUTHORITY.fullmatch(parts.netloc):
        return None, shown, "it must be like https://host, with no query or fragment"
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS):
        return None, shown, "it must be https, or http on localhost, 127.0.0.1 or [::1]"
    if not _PATH.fullmatch(parts.path):
        return None, shown, 'its path must have only characters of a URL, and no "." or ".." between slashes'
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}", shown, ""


def is_same_portal(one: str, other: str) -> bool:
    """Whether two base URLs are spellings of one: what an earlier version has saved may be in another spelling.

    >>> is_same_portal("https://PREVIEW.example", "https://preview.example:443/")
    True
    """

    def spelt(url: str) -> str:
        try:
            return check_base_url(url, "portal_base_url")
        except BillingInvalidRequest:
            return url

    return one == other or spelt(one) == spelt(other)


def portal_link(base_url: str, link: object) -> str | None:
    """Return a link of a reply as an absolute URL that is safe to open, or None.

    Args:
        base_url: The base URL that answered; relative links are resolved against it.
        link: What the reply has as ``portalUrl``.

    Examples:
        >>> portal_link("https://preview.example", "/billing?topup=open")
        'https://preview.example/billing?topup=open'
        >>> portal_link("https://preview.example", "javascript:alert(1)") is None
        True
    """
    # Browsers read "\\" as "/", and "//host" is another host's address that looks like a path of this one.
    if not isinstance(link, str) or "\\" in link or link.strip().startswith("//"):
        return None
    text = link.strip()
    if not text or len(text) > _LONGEST_LINK or _split(text) is None:
        return None
    absolute = urljoin(f"{base_url}/", text)
    parts = _split(absolute)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        return None
    return absolute


def _split(url: str) -> SplitResult | None:
    """Split a URL of visible ASCII, or return None; the standard library drops tabs and newlines without a word."""
    if not _VISIBLE_ASCII.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        # Libraries take 0 for the default.
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _shown(url: Secret) -> str | None:
    """Return what of an address may be shown, or None."""
    # Where the rest is misspelt, no parser finds the user name and password; and a query may be a login, too.
    text = url.reveal()
    return repr(re.split("[?#]", text)[0]) if "@" not in text and len(text) <= _LONGEST_SHOWN else None


def _invalid(name: str, shown: str | None, remedy: str) -> BillingInvalidRequest:
    which = name if shown is None else f"{name} {shown}"
    return BillingInvalidRequest(f"{which} cannot be used as the portal's address: {remedy}.", error="invalid_base_url")
