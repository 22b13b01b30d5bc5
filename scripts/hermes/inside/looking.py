"""Cases: a person looks at the billing screen, logs in and out, and switches profiles."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.request import Request, urlopen

from nous_billing.mock import Fault, MockPortal

from .parts import Case, Held, Parts
from .world import World


def state_of(world: World) -> dict[str, Any]:
    """Return what the portal itself answers."""
    bearer = {"Authorization": f"Bearer {world.portal.issue_token()}"}
    with urlopen(Request(f"{world.url}/api/billing/state", headers=bearer)) as reply:  # noqa: S310 - a mock's
        body: dict[str, Any] = json.load(reply)
        return body


def looked_at(change: Callable[[World, dict[str, Any]], None]) -> Case:
    """The person looks at a billing state, which is changed first."""

    def part() -> Held:
        with World() as world:
            state = state_of(world)
            change(world, state)
            world.portal.inject(Fault.reply(200, state), "get_billing_state", 2)
            text, seen = world.terminal("limit"), world.rpc("billing.state")
        return {
            "nothing crashes": not world.crashes,
            "the terminal says it": f"${state['balanceUsd']}" in text and state["org"]["name"] in text,
            "the gateway says it": (seen.get("balance_usd"), seen.get("role"))
            == (str(state["balanceUsd"]), state["org"]["role"]),
            "links lead to the login's portal": world.links_lead_home()
            and str(seen.get("portal_url")).startswith(world.url),
        }

    return Parts(part)


def failed(fault: Fault) -> Case:
    """The billing state cannot be read."""

    def part() -> Held:
        with World() as world:
            world.portal.inject(fault, "get_billing_state", 3)
            text, seen = world.terminal(), world.rpc("billing.state")
        return {
            "nothing crashes": not world.crashes,
            "the terminal says it": "Couldn't load billing" in text and "Not logged" not in text,
            "the gateway says it": seen["logged_in"] is False and bool(seen["error"]),
        }

    return Parts(part)


def redirected() -> Held:
    """Something in front of the portal redirects to another host."""
    stranger = MockPortal()
    with stranger.serve() as elsewhere, World() as world:
        to = f"{elsewhere}/api/billing/state"
        world.portal.inject(Fault.reply(302, b"", {"location": to}), "get_billing_state", 2)
        world.terminal()
        bearers = [request.headers.get("authorization") for request in stranger.requests]
    return {"nothing crashes": not world.crashes, "no token goes to a stranger": not any(bearers)}


def logged_out() -> Held:
    with World() as world:
        world.rpc("billing.state")
        (world.home / "auth.json").unlink()
        text, seen = world.terminal(), world.rpc("billing.state")
    return {
        "nothing crashes": not world.crashes,
        "the terminal says it": "Not logged" in text,
        "the gateway says it": seen["logged_in"] is False,
    }


def logged_in_as_another() -> Held:
    with World() as world:
        world.rpc("billing.state")
        other = world.portal.add_organisation("Other")
        world.log_in(world.portal.add_person("Bob", other))
        text, seen = world.terminal(), world.rpc("billing.state")
    return {"the terminal says it": "Other" in text, "the gateway says it": seen["org_name"] == "Other"}


def switched_profile() -> Held:
    """Hermes's gateway serves another profile within its process."""
    constants = import_module("hermes_constants")
    with World() as world:
        world.rpc("billing.state")
        other = world.portal.add_organisation("Other")
        profile = world.home.parent / "profiles" / "other"
        profile.mkdir(parents=True)
        token = constants.set_hermes_home_override(profile)
        world.log_in(world.portal.add_person("Bob", other))
        inside = world.rpc("billing.state")
        constants.reset_hermes_home_override(token)
        outside = world.rpc("billing.state")
    return {"each profile has its own token": (inside["org_name"], outside["org_name"]) == ("Other", "Acme")}


def step_up_by_rpc(*, grant: bool | None) -> Case:
    def part() -> Held:
        with World("inference:invoke") as world:
            refused = world.rpc("billing.charge", amount_usd="100")

            def answer(code: str) -> None:
                if grant is None:
                    world.portal.deny_device(code)
                else:
                    world.portal.approve_device(code, allow_spending=grant)

            world.answer_device(answer)
            granted = world.rpc("billing.step_up")
            charged = world.rpc("billing.charge", amount_usd="100", idempotency_key=refused["idempotency_key"])
        return {
            "nothing crashes": not world.crashes,
            "the gateway says it": (granted["granted"], charged["ok"]) == (bool(grant), bool(grant)),
            **world.charged(int(bool(grant))),
        }

    return Parts(part)


def _without_link(_world: World, state: dict[str, Any]) -> None:
    del state["portalUrl"]


def _number(_world: World, state: dict[str, Any]) -> None:
    state["balanceUsd"] = 142.5


def _later(_world: World, state: dict[str, Any]) -> None:
    state["org"]["role"], state["later"] = "FINANCE_ADMIN", {"fee": 0.1}


def _member(_world: World, state: dict[str, Any]) -> None:
    state["org"]["role"] = "MEMBER"
    state["card"] = state["monthlyCap"] = state["autoReload"] = None


LOOKS: dict[str, Case] = {
    "the billing screen": looked_at(lambda _world, _state: None),
    "the billing screen of a member": looked_at(_member),
    "a state with later fields": looked_at(_later),
    "a balance that is a number": looked_at(_number),
    "a state without a link": looked_at(_without_link),
    "state: HTML at 200": failed(Fault.html(200)),
    "state: HTML at 502": failed(Fault.html(502)),
    "state: broken JSON": failed(Fault.reply(200, "{")),
    "state: not UTF-8": failed(Fault.reply(200, b"\xff\xfe{}")),
    "state: connection dropped": failed(Fault.drop()),
    "state: a redirect to another host": Parts(redirected),
    "logged out meanwhile": Parts(logged_out),
    "logged in as another meanwhile": Parts(logged_in_as_another),
    "profile switched in the process": Parts(switched_profile),
    "gateway: step-up granted": step_up_by_rpc(grant=True),
    "gateway: step-up downscoped": step_up_by_rpc(grant=False),
    "gateway: step-up denied": step_up_by_rpc(grant=None),
}
