"""Looks at the listing of a package index (the "simple" pages that pip reads) and at the files behind it."""

import hashlib
from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

PROJECT = "nous-billing"
_REDIRECTS = 5
_NO_SUCH_PAGE = {404, 410}
# What pip reads links from; some servers of files say nothing.
_HTML = {"", "text/html", "application/vnd.pypi.simple.v1+html"}


class IndexUnreadable(Exception):
    """The index did not say what it has. The message is a sentence."""


class _Links(HTMLParser):
    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.base = page.url
        self.found: list[httpx.URL] = []
        self._has_base = False
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if href and tag == "a":
            self.found.append(self.base.join(href))
        elif href and tag == "base" and not self._has_base:
            self.base, self._has_base = self.base.join(href), True


class SimpleIndex:
    """One listing, read with the login of the upload. The login goes to the origin of the listing only.

    Args:
        url: The address that pip is given, such as ``https://index.example/simple/``.
        login: A user name and a password, or None.
    """

    def __init__(self, url: str, login: tuple[str, str] | None) -> None:
        self.url = url
        self._login = login
        # Nothing between may answer from memory: what is asked is what is there now.
        headers = {"Accept": "text/html", "Cache-Control": "no-cache", "User-Agent": "nous-billing-publish"}
        # What goes to this machine goes through no proxy, which would see the login.
        self._http = httpx.Client(headers=headers, timeout=60, trust_env=httpx.URL(url).scheme == "https")

    def hashes(self, names: Collection[str]) -> dict[str, set[str]]:
        """Return the SHA-256 sums of those of the named files that the index lists.

        A file has more than one if the listing says another than the file has, or has the file twice.

        Raises:
            IndexUnreadable: It refused to say, does not hand out what it lists, or has it from another host.
        """
        try:
            page = self._listing()
            links = _Links(page).found if page else []
            found: dict[str, set[str]] = {}
            for name in names:
                for link in links:
                    if _is_same(_file_name(link), name):
                        found.setdefault(name, set()).update(self._sums(link))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise IndexUnreadable(f"{self.url} cannot be read: {error}") from error
        if page and found and not self._is_ours(page.url):
            # Nobody knows what this index itself has. GitLab sends readers on to the public one.
            raise IndexUnreadable(
                f"{self.url} sends readers on to {page.url.host}, which has {', '.join(found)}. "
                "Turn that off, or name the other listing: CHECK_URL=https://..."
            )
        return found

    def _listing(self) -> httpx.Response | None:
        url = httpx.URL(f"{self.url.rstrip('/')}/{PROJECT}/")
        for _ in range(_REDIRECTS):
            page = self._get(url)
            if page.has_redirect_location:
                url = page.url.join(page.headers["Location"])
            elif page.status_code in _NO_SUCH_PAGE:
                return None
            elif page.status_code != 200:
                raise IndexUnreadable(f"{_shown(url)} answers {page.status_code}, so nobody knows what is there.")
            elif (kind := page.headers.get("Content-Type", "").partition(";")[0].strip().lower()) not in _HTML:
                raise IndexUnreadable(f"{_shown(url)} answers with {kind} and not with a page of links.")
            else:
                return page
        raise IndexUnreadable(f"{self.url} redirects without end.")

    def _sums(self, link: httpx.URL) -> set[str]:
        # What the listing says, against which pip holds the file, and what the file has.
        said = {each.lower() for each in parse_qs(link.fragment).get("sha256", [])}
        request = self._http.build_request(
            "GET", link.copy_with(fragment=None), headers={"Accept-Encoding": "identity"}
        )
        file = self._http.send(request, auth=self._auth(link), follow_redirects=True, stream=True)
        try:
            if file.status_code != 200 and said:
                # The store behind may want a login of its own, which nobody gave us: then the listing's word counts.
                return said
            if file.status_code != 200:
                raise IndexUnreadable(f"The index lists {_file_name(link)} but answers {file.status_code} for it.")
            # As it was sent: some servers take the compression of the archive for that of the reply.
            return said | {hashlib.sha256(b"".join(file.iter_raw())).hexdigest()}
        finally:
            file.close()

    def _get(self, url: httpx.URL) -> httpx.Response:
        return self._http.get(url, auth=self._auth(url))

    def _auth(self, url: httpx.URL) -> httpx.Auth:
        # httpx drops the login where it is redirected to another origin.
        return httpx.BasicAuth(*self._login) if self._login and self._is_ours(url) else httpx.Auth()

    def _is_ours(self, url: httpx.URL) -> bool:
        ours = httpx.URL(self.url)
        return (url.scheme, url.host, url.port) == (ours.scheme, ours.host, ours.port)


def _file_name(url: httpx.URL) -> str:
    return unquote(url.raw_path.decode().partition("?")[0].rpartition("/")[2])


def _is_same(one: str, other: str) -> bool:
    """Whether pip takes two file names for the same: case, and which of ``-_.`` is used, do not count."""
    for parse in (parse_wheel_filename, parse_sdist_filename):
        try:
            return parse(one) == parse(other)
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
    return one == other


def _shown(url: httpx.URL) -> str:
    # What a query has may be a login.
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))
