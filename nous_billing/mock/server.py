"""A real server on a loopback port, in a thread of its own."""

import asyncio
import contextlib
import logging
import threading
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from .wire import TRANSPORT

LOOPBACK = "127.0.0.1"
_KEEP_ALIVE = 75
_ACCEPTING_TURNS = 5
_STOP_TIMEOUT = 1.0

# uvicorn would log the injected faults, and what the portal logs itself. This logger is not one of the process, so that
# no logging configuration enables it.
_silent = logging.Logger("uvicorn")
_silent.disabled = True


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol. It hands the connection to the application."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _silent
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {TRANSPORT: transport}


class LoopbackServer:
    """Serves from its construction until `stop`. With a certificate the address is `https://localhost`."""

    def __init__(
        self, app: ASGIApp, port: int, ssl_certfile: str | None, ssl_keyfile: str | None, host: str = LOOPBACK
    ) -> None:
        self._host = host
        self._config = Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
        )
        self._config.load()
        self._port = port
        self._state = ServerState()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mock-portal", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure:
            self._thread.join()
            raise self._failure
        name = "localhost" if ssl_certfile else _reachable(host)
        self.url: str = f"{'https' if ssl_certfile else 'http'}://{name}:{self._port}"

    @property
    def open_requests(self) -> int:
        """How many requests wait for their reply, or for their client to disconnect."""
        return len(self._state.tasks)

    def stop(self) -> None:
        """Abort every connection and wait for the thread to end."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001
            # The caller is to hear of it, whatever it is: without a port there is no address.
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        # With a host and a port instead of a socket, asyncio knows that this is TCP and disables Nagle's algorithm.
        server = await self._loop.create_server(
            lambda: _Protocol(self._config, self._state, {}, self._loop), self._host, self._port, ssl=self._config.ssl
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        # A connection that is being accepted needs an open server. It appears a few turns of the event loop later.
        # The Proactor loop of Windows has no readers; what it accepts meanwhile is aborted all the same.
        with contextlib.suppress(NotImplementedError):
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
        for _ in range(_ACCEPTING_TURNS):
            await asyncio.sleep(0)
            for connection in list(self._state.connections):
                connection.transport.abort()
        server.close()
        await asyncio.sleep(0)
        # Requests that wait for their client have seen it disconnect by now. Cancel those that sleep.
        for task in list(self._state.tasks):
            task.cancel()
        if self._state.tasks:
            await asyncio.wait(list(self._state.tasks), timeout=_STOP_TIMEOUT)


def _reachable(host: str) -> str:
    """The name under which this machine reaches a server on the host."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104
        return LOOPBACK if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host
