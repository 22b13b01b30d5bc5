"""A mock portal, a home of Hermes with a login at it, and Hermes's own screens and methods."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nous_billing.mock import MockPortal

from .parts import Held

FULL_SCOPE = "inference:invoke billing:manage"
LOGIN_SCOPE = "inference:invoke"


class World:
    """One portal, one person, one terminal. Hermes's sleeps take no time: they move both clocks.

    Args:
        tls: A PEM file with the key and the certificate of a portal over TLS, or None for plain HTTP.

    Attributes:
        text: What the terminal printed.
        crashes: Exceptions that came through Hermes.
    """

    def __init__(self, scope: str = FULL_SCOPE, tls: str | None = None) -> None:
        self.portal = MockPortal(settle_after=1.0)
        self.scope = scope
        self._tls = tls
        self.text = ""
        self.crashes: list[str] = []
        self._answered = False
        self._before: dict[str, Callable[[], None]] = {}
        self._real_sleep = time.sleep
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="hermes-"))
        self.home = Path(folder) / "home"
        self.home.mkdir()
        os.environ.update(HERMES_HOME=str(self.home), HERMES_SHARED_AUTH_DIR=str(self.home.parent / "shared"))
        self.url = self._closing.enter_context(self.portal.serve(ssl_certfile=self._tls))
        self._make_time_pass()
        self.auth: Any = import_module("hermes_cli.auth")
        self.login = self.log_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.close()

    def _make_time_pass(self) -> None:
        real_time, passed = time.time, [0.0]

        def sleep(seconds: float) -> None:
            passed[0] += seconds
            self.portal.clock.advance(max(seconds, 0))
            self._real_sleep(0.001)

        time.sleep = sleep  # type: ignore[assignment]
        time.time = lambda: real_time() + passed[0]

    # The login

    def log_in(self, person: Any = None) -> dict[str, Any]:
        """Log in with Hermes's own device login, saved by Hermes."""
        auth = self.auth
        with contextlib.redirect_stdout(io.StringIO()):
            state: dict[str, Any] = auth._nous_device_code_login(
                portal_base_url=self.url,
                scope=self.scope,
                open_browser=False,
                on_verification=lambda _url, code: self.portal.approve_device(code, person),
            )
            with auth._auth_store_lock():
                store = auth._load_auth_store()
                auth._save_provider_state(store, "nous", state)
                auth._save_auth_store(store)
        return state

    def edit_login(self, **changes: Any) -> None:
        """Change what Hermes saved of the login."""
        path = self.home / "auth.json"
        document = json.loads(path.read_text())
        document["providers"]["nous"].update(changes)
        path.write_text(json.dumps(document))

    def answer_device(self, answer: Callable[[str], None]) -> None:
        """Answer the next device login as a person in a browser, as soon as the terminal prints its code."""

        def watch() -> None:
            devices = self.portal.oauth.devices._devices
            while not self._answered:
                for device in list(devices.values()):
                    if device.answer == "pending":
                        self._answered = True
                        answer(device.user_code)
                        break
                self._real_sleep(0.002)

        self._answered = False
        threading.Thread(target=watch, daemon=True).start()

    # The terminal

    def before(self, choice: str, action: Callable[[], None]) -> None:
        """Do something on the portal just before the person chooses this."""
        self._before[choice] = action

    def terminal(self, *choices: str, texts: tuple[str, ...] = (), screen: str = "_show_billing") -> str:
        """Open a screen of the terminal. At each question the first of the choices that it offers is taken, once."""
        left, typed = list(choices), list(texts)

        def modal(*, title: str, choices: list[tuple[str, str, str]], **_: Any) -> str:
            del title
            offered = [choice[0] for choice in choices]
            chosen = next((choice for choice in left if choice in offered), "cancel")
            if chosen in left:
                left.remove(chosen)
            self._before.pop(chosen, lambda: None)()
            return chosen

        hermes = import_module("cli").HermesCLI
        terminal = hermes.__new__(hermes)
        terminal._app = object()
        terminal._prompt_text_input_modal = modal
        terminal._prompt_text_input = lambda _prompt: typed.pop(0) if typed else None
        printed = io.StringIO()
        with self._noting_crashes(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            getattr(terminal, screen)()
        self.text += re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())
        return self.text

    # The gateway

    def rpc(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the gateway. Its answer must go through JSON, as it does to the screens."""
        server = import_module("tui_gateway.server")
        with self._noting_crashes():
            with contextlib.redirect_stdout(io.StringIO()):
                reply = server.handle_request({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            answer: dict[str, Any] = json.loads(json.dumps(reply))["result"]
            return answer
        return {"ok": False, "error": "crash"}

    def buy_by_rpc(self, amount: str, midway: Callable[[], None] = lambda: None) -> str:
        """Buy as the screens do, and return how it ended: an error code, or the status with its reason."""
        self.rpc("billing.state")
        midway()
        charged = self.rpc("billing.charge", amount_usd=amount)
        if charged.get("error") == "insufficient_scope" and self.rpc("billing.step_up").get("granted"):
            charged = self.rpc("billing.charge", amount_usd=amount, idempotency_key=charged["idempotency_key"])
        if not charged["ok"]:
            return str(charged["error"])
        for _ in range(5):
            polled = self.rpc("billing.charge_status", charge_id=charged["charge_id"])
            if not polled["ok"]:
                return f"poll: {polled['error']}"
            if polled["status"] != "pending":
                break
            time.sleep(2)
        return " ".join(filter(None, (polled["status"], polled["reason"])))

    @contextlib.contextmanager
    def _noting_crashes(self) -> Any:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever comes through Hermes is what this looks for
            self.crashes.append(f"{type(error).__name__}: {error}")

    # What became of it

    @property
    def charges(self) -> int:
        """How often the portal charged the card, for credits or upgrades."""
        organisation = self.portal.organisation
        return len(organisation.charges) + len(organisation.plan.upgrades)

    def charged(self, times: int) -> Held:
        """Return in words how often the portal should have charged, and whether it did."""
        return {("not charged", "charged once", "charged twice")[times]: self.charges == times}

    def links_lead_home(self) -> bool:
        """Whether no link of the terminal leads to another portal than that of the login."""
        links = re.findall(r"https?://[^\s/]+", self.text)
        return all(link == self.url for link in links)


def has_subscriptions() -> bool:
    """Whether this version of Hermes has the screens of subscriptions."""
    import_module("tui_gateway.server")
    return "subscription.state" in sys.modules["tui_gateway.server"]._methods
