"""The service as people start it: real processes, a mock portal in another, and a PostgreSQL server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


def until(condition, seconds=60.0):
    """Wait until a condition holds, and return what it returned."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)
    return found


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Process:
    """A program of the service, with an output that a failed test shows."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str) -> None:
        self.log = log
        self._command = [sys.executable, "-m", *arguments]
        kept = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
        self._environment = {**kept, **environment, "PYTHONWARNINGS": "default"}
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """As a supervisor does, and at the end of a test."""
        self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self.kill()


class Mock(Process):
    """A mock portal, controlled over HTTP."""

    def __init__(self, log: Path) -> None:
        super().__init__(log, {"PYTHONUNBUFFERED": "1"}, "nous_billing.mock", "--settle-after", "5")
        self.url = until(lambda: re.search(r"Mock Nous Portal at (\S+)", self.said))[1]
        self._client = httpx.Client(base_url=f"{self.url}/_mock")

    def control(self, path: str, method: str = "POST", **body):
        reply = self._client.request(method, path, json=body or None)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def charges(self, organisation_id: str) -> list[dict]:
        (found,) = (each for each in self.control("/state", "GET")["organisations"] if each["id"] == organisation_id)
        return found["charges"]

    def close(self) -> None:
        self._client.close()
        self.stop()


class Web(Process):
    """A web process of the service on a port that it keeps."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            log, environment, "uvicorn", "--factory", "examples.service.web:create_app", "--port", str(port)
        )

    def wait(self) -> None:
        until(lambda: self.answers() or not self.is_running)
        assert self.is_running, self.said

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/purchases/none").status_code == 401
        return False


def events(reply: httpx.Response):
    """The server-sent events of a reply: the name and the data of each."""
    for part in reply.iter_text():
        for event in filter(None, part.split("\n\n")):
            name, _, data = event.partition("\ndata: ")
            yield name.removeprefix("event: "), json.loads(data)


def kill_server(server) -> None:
    """Kill a PostgreSQL server, as a crash does."""
    process = server.get_postmaster_info().process
    everything = [process, *process.children(recursive=True)]
    process.kill()
    until(lambda: not any(each.is_running() for each in everything))
