"""What sends while a test, or a tool that records, stands in for the network: see ``interception``.

Each request goes through a client of the library in question, made for it, so that it meets what was installed there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._secrets import RevealedText, SecretBytes, reveal
from ..protocol.replies import Failure
from .interception import intercepted_library

if TYPE_CHECKING:
    from ssl import SSLContext

    from ..protocol.exchange import Send
    from ..protocol.replies import Reply
    from .proxies import Proxy, ProxySetting


def sender(ssl_context: SSLContext | None, proxy: ProxySetting) -> InterceptedSender | None:
    """Return what sends instead of the SDK's own connections, in a thread; None where nothing is intercepted."""
    library = intercepted_library("")
    return None if library is None else InterceptedSender(library, ssl_context, proxy)


def async_sender(ssl_context: SSLContext | None, proxy: ProxySetting) -> AsyncInterceptedSender | None:
    """As ``sender``, in a task."""
    library = intercepted_library("Async")
    return None if library is None else AsyncInterceptedSender(library, ssl_context, proxy)


class _BaseSender:
    is_closed = False

    def __init__(self, library: str, ssl_context: SSLContext | None, proxy: ProxySetting) -> None:
        self._library = library
        self._ssl_context = ssl_context
        self._proxy: ProxySetting = proxy

    def close(self) -> None:
        """Each client was closed after its request."""

    def _client(self, name: str, step: Send) -> Any:
        """Make a client for a request, which goes where the SDK's own connections would.

        Raises:
            BillingInvalidRequest: A setting of the proxy or the certificates cannot be used.
            OSError: The certificates cannot be read just now.
        """
        import ssl

        from . import tls
        from .proxies import proxy_for

        library: Any = import_module(self._library)
        chosen = proxy_for(step.base_url, self._proxy)
        needs_tls = step.base_url.startswith("https:")
        return getattr(library, name)(
            verify=tls.context(self._ssl_context) if needs_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=None if chosen is None else _proxy(library, chosen),
            trust_env=False,
        )


class InterceptedSender(_BaseSender):
    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        from .httpx_senders import HttpxSender

        try:
            client = self._client("Client", step)
        except OSError as error:
            return _not_sent(error)
        with client as http:
            return HttpxSender(http).send(step, seconds, now)


class AsyncInterceptedSender(_BaseSender):
    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        from .httpx_senders import AsyncHttpxSender

        try:
            client = self._client("AsyncClient", step)
        except OSError as error:
            return _not_sent(error)
        async with client as http:
            return await AsyncHttpxSender(http).send(step, seconds, now)


def _proxy(library: Any, chosen: Proxy) -> Any:
    return library.Proxy(
        f"{chosen.scheme}://{f'[{chosen.host}]' if ':' in chosen.host else chosen.host}:{chosen.port}",
        # No variable may hold the password.
        auth=None if chosen.username is None else (_text(chosen.username), _text(chosen.password)),
    )


def _text(secret: SecretBytes | None) -> RevealedText:
    return RevealedText((reveal(secret) or b"").decode("utf-8", "replace"))


def _not_sent(error: OSError) -> Failure:
    return Failure(f"the certificates of this system cannot be read ({error.strerror or error})", sent=False)
