"""Cases: a person switches auto-reload on, changes it, and switches it off."""

from __future__ import annotations

import re
from decimal import Decimal

from nous_billing.mock import AutoReload, Fault

from .parts import Case, Held, Parts
from .world import LOGIN_SCOPE, World

ON = AutoReload(enabled=True, threshold=Decimal(20), reload_to=Decimal(100))
Settings = tuple[bool, Decimal | None, Decimal | None]


def saved(
    *choices: str,
    texts: tuple[str, ...] = (),
    now: AutoReload | None = None,
    expected: Settings,
    says: str,
    fault: Fault | None = None,
    scope: str | None = None,
) -> Case:
    """What the person does at the terminal, and the same through the gateway."""

    def prepare(world: World) -> None:
        if now is not None:
            world.portal.organisation.auto_reload = AutoReload(now.enabled, now.threshold, now.reload_to)
        if fault is not None:
            world.portal.inject(fault, "patch_auto_top_up")

    def is_expected(world: World) -> bool:
        settings = world.portal.organisation.auto_reload or AutoReload()
        return (settings.enabled, settings.threshold, settings.reload_to) == expected

    def at_the_terminal() -> Held:
        with World(scope) if scope else World() as world:
            prepare(world)
            text = world.terminal("auto", *choices, texts=texts)
        return {
            "nothing crashes": not world.crashes,
            "saved as it should be": is_expected(world),
            "the terminal says it": bool(re.search(says, text)),
        }

    def through_the_gateway() -> Held:
        with World(scope) if scope else World() as world:
            prepare(world)
            threshold, amount = (float(text) for text in texts) if texts else (0.0, 0.0)
            if "off" in choices and now is not None:
                threshold, amount = float(now.threshold or 0), float(now.reload_to or 0)
            done = world.rpc(
                "billing.auto_reload", enabled="off" not in choices, threshold=threshold, top_up_amount=amount
            )
        return {
            "nothing crashes": not world.crashes,
            "saved as it should be": is_expected(world),
            "the gateway says it": done["ok"] is (fault is None and scope is None),
        }

    return Parts(at_the_terminal, through_the_gateway)


RELOADS: dict[str, Case] = {
    "auto-reload on": saved(
        "agree", texts=("20", "100.50"), expected=(True, Decimal(20), Decimal("100.5")), says="Auto-reload on"
    ),
    "auto-reload changed": saved(
        "edit", "agree", texts=("30", "200"), now=ON, expected=(True, Decimal(30), Decimal(200)), says="Auto-reload on"
    ),
    "auto-reload off": saved("off", now=ON, expected=(False, Decimal(20), Decimal(100)), says="turned off"),
    "auto-reload off, no amounts known": saved(
        "off", now=AutoReload(enabled=True), expected=(False, Decimal(0), Decimal(0)), says="turned off"
    ),
    "auto-reload without the scope": saved(
        "agree",
        texts=("20", "100"),
        scope=LOGIN_SCOPE,
        expected=(False, None, None),
        says="extra permission|One-time setup",
    ),
    "auto-reload: reply lost": saved(
        "agree",
        texts=("20", "100"),
        fault=Fault.drop(acts=True),
        expected=(True, Decimal(20), Decimal(100)),
        says="🔴",
    ),
}
