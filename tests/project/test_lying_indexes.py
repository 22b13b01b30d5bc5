"""Publishing to an index that lies, lags, speaks otherwise or sends elsewhere."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts import publish
from scripts.indexes import PASSWORD, USER
from scripts.indexes.archives import ARCHIVES, SDIST, WHEEL
from scripts.indexes.stubs import read_body
from scripts.simple_index import IndexUnreadable

LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
PAGE = "/simple/nous-billing/"
Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Liar:
    """An index that answers what the test says, and notes the logins and the uploads that arrive."""

    answers: dict[str, Answer] = field(default_factory=dict)
    took: Answer = (200, {}, b"")
    on_upload: "Callable[[Liar], object]" = lambda liar: None
    uploads: int = 0
    logins: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(liar: Liar, host: str = "127.0.0.1") -> Iterator[Liar]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def _reply(self, answer: Answer) -> None:
            status, headers, body = answer
            liar.logins.append(self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._reply(liar.answers.get(self.path.partition("?")[0], (404, {}, b"")))

        def do_POST(self) -> None:
            read_body(self)
            liar.uploads += 1
            liar.on_upload(liar)
            self._reply(liar.took)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # It would look only twice a second whether it should end.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    liar.url = f"http://{host}:{server.server_port}"
    yield liar
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PUBLISH_USERNAME", USER)
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", PASSWORD)
    monkeypatch.setattr(publish, "LISTED_WITHIN", 0.3)
    monkeypatch.setattr(publish, "LOOK_EVERY", 0.1)


def published(liar: Liar, check_url: str | None = None) -> str:
    """What publishing says: the sentence with which it ended, or nothing where it succeeded."""
    try:
        publish.publish(ARCHIVES, f"{liar.url}/", check_url or f"{liar.url}/simple/")
    except (SystemExit, IndexUnreadable) as end:
        return str(end)
    return ""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def html(text: str) -> Answer:
    return 200, {}, text.encode()


def page(link: Callable[[str, bytes], str]) -> dict[str, Answer]:
    """A listing, with a link made for each archive, and the archives behind it."""
    files: dict[str, Answer] = {f"/files/{name}": (200, {}, content) for name, content in ARCHIVES.items()}
    return {PAGE: html("".join(link(name, content) for name, content in ARCHIVES.items())), **files}


def plain(name: str, content: bytes) -> str:
    return f'<a href="/files/{name}">{name}</a>'


def stated(name: str, content: bytes) -> str:
    return f'<a href="/files/{name}#sha256={sha256(content)}">{name}</a>'


OTHER_FILE: dict[str, Answer] = {f"/files/{WHEEL}": (200, {}, b"other")}
# What the index has and says, and what publishing says of it before anything is uploaded; nothing: all is there.
SEEN: dict[str, tuple[dict[str, Answer], str]] = {
    "no sum": (page(plain), ""),
    "another sum": (page(lambda name, content: f'<a href="/files/{name}#md5=00">'), ""),
    "a sum in capitals": (page(lambda name, content: f'<a href="/files/{name}#sha256={sha256(content).upper()}">'), ""),
    "a base": (page(lambda name, content: f'<base href="/files/"><base href="/no/"><a href="{name}">'), ""),
    "a name spelled otherwise": (
        page(plain)
        | {PAGE: html(f'<a href="/files/{WHEEL}?n=/Nous.Billing-1.0.0.tar.gz">')}
        | {PAGE: html('<a href="/files/Nous-Billing-1.0.0.tar.gz">'), "/files/Nous-Billing-1.0.0.tar.gz": html("x")},
        f"has {SDIST} with other bytes",
    ),
    "the right sum of other bytes": (page(stated) | OTHER_FILE, f"has {WHEEL} with other bytes"),
    "the wrong sum": (page(lambda name, content: f'<a href="/files/{name}#sha256=00">'), "with other bytes"),
    "a file twice": (
        page(lambda name, content: stated(name, content) + stated(f"../old/{name}", content))
        | {f"/old/{name}": html("other") for name in ARCHIVES},
        "with other bytes",
    ),
    "a file that it does not hand out": (
        {PAGE: page(plain)[PAGE]},
        "but answers 404 for it",
    ),
    "a file that is elsewhere kept": ({PAGE: page(stated)[PAGE]}, ""),
    "an archive that is said to be compressed": (
        page(plain) | {f"/files/{SDIST}": (200, {"Content-Encoding": "gzip"}, ARCHIVES[SDIST])},
        "",
    ),
    "JSON": ({PAGE: (200, {"Content-Type": "application/vnd.pypi.simple.v1+json"}, b"{}")}, "not with a page of links"),
    "an impossible link": (page(lambda name, content: '<a href="http://[::1/">'), "cannot be read"),
    "redirects without end": ({PAGE: (302, {"Location": PAGE}, b"")}, "redirects without end"),
    **{
        f"status {status}": ({PAGE: (status, {}, b"")}, f"answers {status}")
        for status in (400, 401, 403, 405, 500, 503)
    },
}


@pytest.mark.parametrize("case", SEEN)
def test_what_an_index_has_is_seen_before_anything_is_uploaded(case: str) -> None:
    answers, said = SEEN[case]
    with serve(Liar(answers)) as liar:
        told = published(liar)
    assert (said in told) if said else not told, told
    assert liar.uploads == 0


ELSEWHERE: dict[str, tuple[dict[str, Answer], str]] = {
    "our files": (page(stated), "which has nous_billing"),
    "an error": ({PAGE: (503, {}, b"")}, "answers 503"),
    "another version": ({PAGE: html('<a href="nous_billing-0.0.1.tar.gz">')}, "is not listed at"),
    "nothing": ({}, "is not listed at"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_where_readers_are_sent_on_to_another_host_it_is_asked_without_the_login(case: str) -> None:
    answers, said = ELSEWHERE[case]
    liar = Liar()
    with serve(Liar(answers), "localhost") as other, serve(liar):
        liar.answers[PAGE] = 302, {"Location": f"{other.url}{PAGE}?token=secret"}, b""
        told = published(liar)
    assert said in told
    assert "secret" not in told
    assert set(other.logins) == {None}
    assert set(liar.logins) == {LOGIN}
    assert liar.uploads == (2 if "listed" in said else 0)


def test_files_on_another_host_are_fetched_without_the_login() -> None:
    with serve(Liar(page(stated)), "localhost") as other:
        moved = {f"/files/{name}": (302, {"Location": f"{other.url}/files/{name}"}, b"") for name in ARCHIVES}
        linked = page(lambda name, content: f'<a href="{other.url}/files/{name}">')
        for answers in (page(stated) | moved, linked):
            with serve(Liar(answers)) as liar:
                assert published(liar) == ""
    assert set(other.logins) == {None}


def appear(liar: Liar) -> None:
    liar.answers |= page(stated)


def appear_late(liar: Liar) -> None:
    threading.Timer(0.3, appear, [liar]).start()


def appear_changed(liar: Liar) -> None:
    liar.answers |= page(stated) | OTHER_FILE


def break_down(liar: Liar) -> None:
    liar.answers[PAGE] = 503, {}, b""


TOOK = "The index answered that it took the upload."
# What the index does at an upload, how it answers, and what publishing says.
ANSWERED: list[tuple[Callable[[Liar], object], Answer, str]] = [
    (lambda liar: None, (200, {}, b""), f"is not listed at LISTING. {TOOK}"),
    (appear_late, (200, {}, b""), ""),
    (break_down, (200, {}, b""), f"answers 503, so nobody knows what is there. {TOOK}"),
    (appear_changed, (200, {}, b""), f"has {WHEEL} with other bytes"),
    # Somebody else was faster, with the same bytes.
    (appear, (409, {}, b"Conflict: file exists"), ""),
    (appear, (400, {}, b"Repository does not allow updating assets"), ""),
    (lambda liar: None, (403, {}, b"Forbidden, by policy"), "Not all was published."),
    (lambda liar: None, (400, {}, f"You sent {LOGIN}, {PASSWORD}".encode()), "Not all was published."),
]


@pytest.mark.parametrize(("on_upload", "answer", "said"), ANSWERED)
def test_only_what_is_seen_afterwards_counts(
    on_upload: Callable[[Liar], object], answer: Answer, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve(Liar({}, answer, on_upload)) as liar:
        told = published(liar)
        said = said.replace("LISTING", f"{liar.url}/simple/")
    assert (said in told) if said else not told, told
    shown = "".join(capfd.readouterr())
    assert PASSWORD not in shown
    assert LOGIN.removeprefix("Basic ") not in shown
    assert ("published to" in shown or "already at" in shown) is (said == "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_upload_that_is_sent_on_takes_no_login_along(status: int) -> None:
    with serve(Liar(), "localhost") as other, serve(Liar({}, (status, {"Location": f"{other.url}/"}, b""))) as liar:
        assert "Not all was published." in published(liar)
    assert set(other.logins) <= {None}


def test_no_proxy_sees_the_login_for_an_index_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Liar()) as proxy, serve(Liar(on_upload=appear)) as liar:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert published(liar) == ""
    assert proxy.logins == []
