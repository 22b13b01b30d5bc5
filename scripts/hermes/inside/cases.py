"""All cases that this version of Hermes can run."""

from __future__ import annotations

from collections.abc import Mapping

from .buying import PURCHASES
from .looking import LOOKS
from .parts import Case
from .reloading import RELOADS
from .subscribing import SUBSCRIPTIONS
from .world import has_subscriptions


def all_cases() -> Mapping[str, Case]:
    return {**LOOKS, **PURCHASES, **RELOADS, **(SUBSCRIPTIONS if has_subscriptions() else {})}
