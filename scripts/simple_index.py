"""Looks at the listing of a package index (the "simple" pages that pip reads) and at the files behind it."""

import hashlib
from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import httpx

PROJECT = "nous-billing"
_REDIRECTS = 5
_NO_SUCH_PAGE = {400, 404, 405, 410}


class IndexUnreadable(Exception):
    """The index did not say what it has. The message is a sentence."""


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


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
        self._http = httpx.Client(headers=headers, timeout=60)

    def hashes(self, names: Collection[str]) -> dict[str, str]:
        """Return the SHA-256 of those of the named files that the index lists.

        Raises:
            IndexUnreadable: It refused to say, or does not hand out what it lists.
        """
        page = self._listing()
        if page is None:
            return {}
        links = {_file_name(link): link for link in map(page.url.join, _Links(page.text).found)}
        return {name: self._hash_of(links[name]) for name in names if name in links}

    def _listing(self) -> httpx.Response | None:
        url = httpx.URL(f"{self.url.rstrip('/')}/{PROJECT}/")
        for _ in range(_REDIRECTS):
            page = self._get(url)
            if page.has_redirect_location:
                url = page.url.join(page.headers["Location"])
                # What another host lists is not on this index. GitLab sends readers on to the public one.
                if not self._is_ours(url):
                    return None
            elif page.status_code in _NO_SUCH_PAGE:
                return None
            elif page.status_code == 200:
                return page
            else:
                raise IndexUnreadable(f"{url} answers {page.status_code}, so nobody knows what is there.")
        raise IndexUnreadable(f"{self.url} redirects without end.")

    def _hash_of(self, link: httpx.URL) -> str:
        # The sum that pip will hold the file against; without one, that of the bytes.
        if link.fragment.startswith("sha256="):
            return link.fragment.removeprefix("sha256=")
        file = self._get(link.copy_with(fragment=None), follow_redirects=True)
        if file.status_code != 200:
            raise IndexUnreadable(f"The index lists {_file_name(link)} but answers {file.status_code} for it.")
        return hashlib.sha256(file.content).hexdigest()

    def _get(self, url: httpx.URL, *, follow_redirects: bool = False) -> httpx.Response:
        login = self._login if self._is_ours(url) else None
        try:
            # httpx drops the login where it is redirected to another origin.
            auth = httpx.BasicAuth(*login) if login else _no_login
            return self._http.get(url, auth=auth, follow_redirects=follow_redirects)
        except httpx.HTTPError as error:
            raise IndexUnreadable(f"{url} cannot be read: {error}") from error

    def _is_ours(self, url: httpx.URL) -> bool:
        ours = httpx.URL(self.url)
        return (url.scheme, url.host, url.port) == (ours.scheme, ours.host, ours.port)


def _no_login(request: httpx.Request) -> httpx.Request:
    return request


def _file_name(url: httpx.URL) -> str:
    return unquote(urlsplit(str(url)).path.rpartition("/")[2])
