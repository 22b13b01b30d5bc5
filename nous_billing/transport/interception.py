"""Whether a test, or a tool that records, stands in for the network of httpx or httpx2.

pytest-httpx, respx and VCR.py replace methods of these libraries, and a program that has installed one relies on no
request going past it: least of all a charge. The SDK's own connections would.

What only looks on, as OpenTelemetry and Sentry do, is not looked for.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Literal

# The class that sends, in each layer: its module, its name, and the library whose client goes through it.
_PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    prefix: tuple(
        place
        for n in ("", "2")
        for place in (
            (f"httpx{n}._transports.default", f"{prefix}HTTPTransport", f"httpx{n}"),
            (f"httpcore{n}._{kind}.connection", f"{prefix}HTTPConnection", f"httpx{n}"),
            (f"httpcore{n}._{kind}.connection_pool", f"{prefix}ConnectionPool", f"httpx{n}"),
        )
    )
    for prefix, kind in (("", "sync"), ("Async", "async"))
}


def is_defined_in(module: ModuleType, method: object) -> bool:
    """Whether a method is one that a module defines, or a proxy of it by wrapt: that looks on, and calls the method."""
    return getattr(method, "__globals__", None) is vars(module)


def intercepted_library(prefix: Literal["", "Async"]) -> str | None:
    """Return the name of the library whose network, for threads or for tasks, is replaced; None where it is not."""
    method = "handle_async_request" if prefix else "handle_request"
    for name, cls, library in _PLACES[prefix]:
        # What is not loaded, or is being loaded by another thread, was not patched.
        module = sys.modules.get(name)
        found: Any = getattr(module, cls, None)
        if module is not None and found is not None and not is_defined_in(module, found.__dict__.get(method)):
            return library
    return None
