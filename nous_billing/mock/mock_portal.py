"""The mock portal: a portal with its application and its server."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .app import HTML, build_app
from .billing_page import BillingPage
from .calls import bind
from .clock import MockClock
from .control import Control
from .device_page import DevicePage
from .endpoint import Endpoint
from .oauth import ROUTES
from .openapi import control_interface, portal_interface
from .page import render
from .portal import Portal
from .replies import Reply
from .seed import check_seed, plant
from .server import LOOPBACK, LoopbackServer


class MockPortal(Portal):
    """A Nous Portal to develop and test against.

    It starts with the organisation Acme, 100 dollars, a saved card that settles, and its owner Ada, or with what `seed`
    says (see `/_mock/`). Charges settle `settle_after` seconds after they were accepted, on `clock`. Scripts of
    pages of `cors_origins` may use it; `"*"` is any. Safe to change while it is being served.

    Raises:
        ValueError: The seed is not one.
    """

    def __init__(
        self,
        clock: MockClock | None = None,
        settle_after: float = 3.0,
        *,
        seed: Mapping[str, Any] | None = None,
        cors_origins: Iterable[str] = (),
    ) -> None:
        super().__init__(clock, settle_after)
        self._settle_after_at_start = settle_after
        self._cors_origins = list(cors_origins)
        self._seed = seed
        self._server: LoopbackServer | None = None
        # Stable over resets, which build the application anew.
        self.app: ASGIApp = self._answer
        if seed is not None:
            check_seed(seed)
        self._begin()

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over as the portal was constructed, or from this seed, also at later resets.

        Forgets tokens, charges, requests, violations, faults and limits, and sets the clock back. `organisation` and
        `owner` are new objects.

        Raises:
            ValueError: The seed is not one, and nothing has changed.
        """
        if seed is not None:
            check_seed(seed)
        with self.lock:
            self._seed = seed or self._seed
            self.clock.restart()
            self._start_over(self.clock, self._settle_after_at_start)
            self._begin()

    def _begin(self) -> None:
        self._app = self._build_app()
        if self._seed is not None:
            plant(self, self._seed)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _build_app(self) -> ASGIApp:
        document, operations = portal_interface()
        control_document, control_operations = control_interface()
        endpoints = [
            (operation.method, operation.path, Endpoint(self, operation.id, respond, operation))
            for operation, respond in bind(self, operations, self._tokens)
        ]
        endpoints += [
            (method, path, Endpoint(self, name, getattr(self.oauth, name))) for name, (method, path) in ROUTES.items()
        ]
        control = Control(self, self.reset)
        endpoints += [
            (operation.method, operation.path, Endpoint(self, operation.id, respond, operation, observed=False))
            for operation, respond in control.handlers(control_operations)
        ]
        people: tuple[tuple[str, DevicePage | BillingPage], ...] = (
            ("/device", DevicePage(self)),
            ("/billing", BillingPage(self)),
        )
        for path, page in people:
            endpoints.append(("GET", path, Endpoint(self, path, page.show, observed=False)))
            endpoints.append(("POST", path, Endpoint(self, path, page.submit, observed=False)))

        # Rendered when they are asked for: most portals live for one test.
        def contract() -> Reply:
            return Reply(200, render(document), media_type=HTML)

        def control_page() -> Reply:
            return Reply(200, render(control_document, "/_mock/openapi.json"), media_type=HTML)

        pages = {
            "/": contract,
            "/docs": contract,
            "/openapi.json": lambda: Reply(200, document),
            "/_mock": control_page,
            "/_mock/": control_page,
            "/_mock/openapi.json": lambda: Reply(200, control_document),
        }
        return build_app(self, endpoints, pages, self._cors_origins)

    @property
    def url(self) -> str:
        """The address of the running server. Raises RuntimeError without one."""
        if self._server is None:
            raise RuntimeError("The portal is not being served.")
        return self._server.url

    def start(
        self, port: int = 0, *, host: str = LOOPBACK, ssl_certfile: str | None = None, ssl_keyfile: str | None = None
    ) -> str:
        """Serve on a port of this machine, any free one by default, and return the address.

        Raises:
            OSError, OverflowError: The host or the port cannot be used.
        """
        if self._server is not None:
            raise RuntimeError("The portal is being served already.")
        self._server = LoopbackServer(self.app, port, ssl_certfile, ssl_keyfile, host)
        return self._server.url

    def stop(self) -> None:
        """End the server and every connection to it."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @contextmanager
    def serve(
        self, port: int = 0, *, ssl_certfile: str | None = None, ssl_keyfile: str | None = None
    ) -> Generator[str, None, None]:
        """Serve while the block runs. Gives the address."""
        url = self.start(port, ssl_certfile=ssl_certfile, ssl_keyfile=ssl_keyfile)
        try:
            yield url
        finally:
            self.stop()
