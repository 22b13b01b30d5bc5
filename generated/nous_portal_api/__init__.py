"""A client library for accessing Nous Portal billing"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = ("AuthenticatedClient", "Client")

_MODULE_OF = {"AuthenticatedClient": "client", "Client": "client"}

if not TYPE_CHECKING:  # A type checker would take every unknown name for one that exists.

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
