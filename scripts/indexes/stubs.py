"""Stubs with the answers of Nexus, GitLab and Artifactory to uploads and readers."""

import base64
import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import PASSWORD, USER, Index

_LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_FILE = re.compile(rb'name="content"; filename="([^"]+)"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n')


@dataclass(frozen=True)
class Manner:
    """How an index behaves.

    Attributes:
        upload: The path that takes uploads, to the letter.
        uploaded: The status of an upload that it took.
        refusal: The status of an upload of a file that is there; None if that replaces the file.
        forwards: Whether it sends readers on to a public index for a project that it does not have.
        delay: How many seconds pass before a file is listed.
    """

    upload: str
    uploaded: int
    refusal: int | None
    forwards: bool = False
    delay: float = 0


NEXUS = Manner("/repository/pypi-hosted/", 201, 400)
GITLAB = Manner("/api/v4/projects/7/packages/pypi", 201, 400, forwards=True)
ARTIFACTORY = Manner("/artifactory/api/pypi/pypi-local", 200, None, delay=0.5)


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, with a length or in chunks."""
    if length := handler.headers.get("Content-Length"):
        return handler.rfile.read(int(length))
    chunks = []
    while size := int(handler.rfile.readline(), 16):
        chunks.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(chunks)


@contextlib.contextmanager
def stub(manner: Manner) -> Iterator[Index]:
    """Serve an empty index."""
    store: dict[str, tuple[float, bytes]] = {}
    # What arrives at the public index, with the login that it brings.
    forwarded: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            content = read_body(self)
            if self.headers.get("Authorization") != _LOGIN:
                self._answer(401)
            elif self.path != manner.upload:
                self._answer(404)
            else:
                self._answer(self._take(content))

        def _take(self, content: bytes) -> int:
            file = _FILE.search(content)
            assert file is not None
            name = file[1].decode()
            if name in store and manner.refusal:
                return manner.refusal
            boundary = self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
            store[name] = time.monotonic(), content[file.end() :].split(b"\r\n--" + boundary)[0]
            return manner.uploaded

        def do_GET(self) -> None:
            simple = f"{manner.upload.rstrip('/')}/simple/nous-billing/"
            if self.path.startswith("/public/"):
                forwarded.append(self.headers.get("Authorization", ""))
                self._answer(200, b'<a href="nous_billing-0.0.1.tar.gz">nous_billing-0.0.1.tar.gz</a>')
            elif self.headers.get("Authorization") != _LOGIN:
                self._answer(401)
            elif self.path == simple and (listed := self._listed()):
                self._answer(200, listed)
            elif self.path == simple and manner.forwards:
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{server.server_port}/public/nous-billing/")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif (name := self.path.rpartition("/")[2]) in store:
                self._answer(200, store[name][1])
            else:
                self._answer(404)

        def _listed(self) -> bytes:
            due = {name: content for name, (since, content) in store.items() if time.monotonic() > since + manner.delay}
            lines = [
                f'<a href="../../packages/{name}#sha256={hashlib.sha256(content).hexdigest()}">{name}</a><br>'
                for name, content in due.items()
            ]
            return "".join(lines).encode()

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}{manner.upload}"
    try:
        yield Index(url, "", lambda: {name: content for name, (_, content) in store.items()}, log=forwarded)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
