"""A Nous Portal to develop and test against, built from the contract. Needs the extra `nous-billing[mock]`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import MockClock
    from .contract import ContractViolation
    from .faults import Fault
    from .ledger import Charge
    from .mock_portal import MockPortal
    from .oauth import Login
    from .organisations import AutoReload, Card, Organisation, Person
    from .recording import RecordedRequest
    from .replies import Reply

__all__ = [
    "AutoReload",
    "Card",
    "Charge",
    "ContractViolation",
    "Fault",
    "Login",
    "MockClock",
    "MockPortal",
    "Organisation",
    "Person",
    "RecordedRequest",
    "Reply",
]

_MODULES = {
    "AutoReload": "organisations",
    "Card": "organisations",
    "Charge": "ledger",
    "ContractViolation": "contract",
    "Fault": "faults",
    "Login": "oauth",
    "MockClock": "clock",
    "MockPortal": "mock_portal",
    "Organisation": "organisations",
    "Person": "organisations",
    "RecordedRequest": "recording",
    "Reply": "replies",
}


# pytest imports this package wherever nous-billing is installed, for its plugin: the names load when they are used.
def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "nous_billing":
            raise
        raise ModuleNotFoundError(
            f"The mock portal needs {package}: install nous-billing[mock] from the index of nous-billing",
            name=error.name,
        ) from error
