"""Which proxy, if any, a connection to the portal goes through.

``urllib.request.getproxies`` and ``proxy_bypass`` read the system settings of macOS and Windows. They do not read the
variables here: their ``NO_PROXY`` supports neither networks nor IPv6, and importing them would be the slowest part of
the first call.
"""

from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from .._arguments import wrong_type
from .._secrets import Secret, SecretBytes
from ..errors import BillingInvalidRequest
from .no_proxy import has_host, is_loopback

ProxySetting: TypeAlias = str | Secret | Literal[False] | None
"""The URL of a proxy; None for the environment's; False for none."""

_ARGUMENT = "proxy="
_SYSTEM = "The proxy in the system's settings"
_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# A string, so that it is compiled only if there is a proxy.
# Strict: "http://user:1/2@host" would otherwise be the proxy "user", with the password as a path.
_URL = (
    r"(?ai)((?P<scheme>[a-z][a-z0-9+.-]*)://)?((?P<user>[^/?#\s]*)@)?"
    r"(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used as it is written.

    Attributes:
        scheme: ``"http"``, ``"https"``, ``"socks5"`` or ``"socks5h"``.
        host: Its host name or address; an IPv6 address without brackets.
        port: Its port.
        name: Where it was set, for messages: a variable, ``"proxy="`` or the system's settings.
        username: The user name, decoded, or None; not in the repr.
        password: The password, decoded, empty where there is none, or None without a user name; not in the repr.
    """

    scheme: str
    host: str
    port: int
    name: str
    username: SecretBytes | None = field(default=None, repr=False)
    password: SecretBytes | None = field(default=None, repr=False)

    @property
    def authorization(self) -> SecretBytes | None:
        """The value of ``Proxy-Authorization``, or None without a user name."""
        if self.username is None or self.password is None:
            return None
        return SecretBytes(b"Basic " + b64encode(self.username.reveal() + b":" + self.password.reveal()))


def check_setting(setting: object) -> ProxySetting:
    """Check the argument ``proxy=``, and return it with a URL as a ``Secret``.

    Raises:
        BillingInvalidRequest: It cannot be used (``error="invalid_proxy"``).
    """
    if isinstance(setting, (str, Secret)):
        setting = Secret(setting)
        _parse(setting, _ARGUMENT)
        return setting
    if setting is None or setting is False:
        return setting
    wanted = "a URL like http://host:port, None for the environment's, or False for none"
    raise wrong_type("proxy", wanted, setting, "invalid_proxy")


def proxy_for(base_url: str, setting: ProxySetting) -> Proxy | None:
    """Return the proxy that a connection to the portal goes through, or None.

    Loopback is never proxied, whatever the setting. ``NO_PROXY`` applies to the environment's proxies, and the system's
    exceptions to the system's; neither applies to ``proxy=``. On Windows the exceptions may look the host up.

    Args:
        base_url: The portal's base URL, checked.
        setting: What was given as ``proxy=``.

    Raises:
        BillingInvalidRequest: The proxy that this connection would go through cannot be used
            (``error="invalid_proxy"``). Settings that do not apply are not checked.
    """
    if isinstance(setting, (str, Secret)):
        # Before anything can raise: a traceback may show the variables of this frame.
        setting = Secret(setting)
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    # Plain http is allowed on loopback only, so HTTP_PROXY never applies.
    if setting is False or parts.scheme != "https" or is_loopback(host):
        return None
    if isinstance(setting, Secret):
        return _parse(setting, _ARGUMENT)
    named = _variable("https_proxy") or _variable("all_proxy")
    if named is not None:
        name, url = named
        exceptions = _variable("no_proxy")
        is_excepted = exceptions is not None and has_host(exceptions[1].reveal(), host, parts.port or 443)
        return None if is_excepted else _parse(url, name)
    return _system_proxy(host) if sys.platform in ("darwin", "win32") else None


def _variable(name: str) -> tuple[str, Secret] | None:
    """Return the name and value of a variable. Lower case wins: if it is set but empty, upper case is ignored."""
    for each in (name, name.upper()):
        if each in os.environ:
            value = Secret(os.environ[each].strip())
            return (each, value) if value else None
    return None


def _system_proxy(host: str) -> Proxy | None:
    from urllib.request import getproxies, proxy_bypass

    url = Secret(getproxies().get("https", ""))
    return _parse(url, _SYSTEM) if url and not proxy_bypass(host) else None


def _parse(url: Secret, name: str) -> Proxy:
    parts = _split(url)
    if parts is None:
        raise _invalid(name, "write it like http://host:port, with special characters of a password percent-encoded")
    scheme, host, port, username, password = parts
    if scheme not in _DEFAULT_PORTS:
        remedy = f"write socks5:// instead of {scheme}://" if scheme.startswith("socks") else "write http://host:port"
        raise _invalid(name, f"{scheme}:// is not supported; {remedy}")
    if scheme.startswith("socks"):
        from importlib.util import find_spec

        if find_spec("socksio") is None:
            raise _invalid(
                name, f"{scheme}:// needs an extra: install nous-billing[socks] from the index of nous-billing"
            )
        if any(each is not None and len(each.reveal()) > 255 for each in (username, password)):
            raise _invalid(name, "with SOCKS the user name and the password may have at most 255 bytes each")
    return Proxy(scheme, host, port or _DEFAULT_PORTS[scheme], name, username, password)


def _split(url: Secret) -> tuple[str, str, int | None, SecretBytes | None, SecretBytes | None] | None:
    """Return scheme, host, port, user name and password, or None. Never raises: its variables hold the password."""
    match = re.fullmatch(_URL, url.reveal())
    if match is None:
        return None
    scheme, user, host, port = match.group("scheme", "user", "host", "port")
    if port is not None and not 0 < int(port) < 65536:
        return None
    username, _, password = (user or "").partition(":")
    return (
        "http" if scheme is None else scheme.lower(),
        host.strip("[]"),
        None if port is None else int(port),
        SecretBytes(unquote_to_bytes(username)) if user else None,
        SecretBytes(unquote_to_bytes(password)) if user else None,
    )


def _invalid(name: str, remedy: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(
        f"{name} cannot be used as a proxy: {remedy}. Nothing was sent.", error="invalid_proxy"
    )
