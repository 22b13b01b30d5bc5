"""Build the documentation into site/ and check it: the links, what is loaded, and what a reader sees."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts import site_pages
from scripts.site_pages import CONTRACT, WAY_BACK

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "site"
BIN = Path(sys.executable).parent
REDOCLY = ROOT / "node_modules/@redocly/cli/bin/cli.js"
# What a browser fetches by itself.
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
# Scripts load things too, so the browser itself is told to stay here.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'self' file: data: blob: 'unsafe-inline' 'unsafe-eval'\">"
)
NOT_LOADED = {"canonical", "next", "prev", "alternate"}


class Page(HTMLParser):
    """The anchors of a page, where it links to, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set(re.findall(r"@import\s+[\"']([^\"']+)", text))
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif LOADING.get(tag) in given and not NOT_LOADED & set(given.get("rel", "").split()):
            self.loads.add(given[LOADING[tag]])


def is_outside(url: str) -> bool:
    return bool(urlsplit(url).netloc)


def faults(site: Path) -> Iterator[str]:
    """Each thing on the pages of a site that leads nowhere, or that a browser would fetch from elsewhere."""
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    yield from (f"{path.relative_to(site)} may load anything" for path, text in texts.items() if POLICY not in text)
    pages = {path: Page(text) for path, text in texts.items()}
    for path, page in pages.items():
        yield from (f"{path.relative_to(site)} loads {url}" for url in page.loads if is_outside(url))
        # The page of the contract links with a router of its own.
        for url in page.loads if path.name == CONTRACT else page.loads | page.links:
            here = not is_outside(url) and urlsplit(url).scheme not in {"data", "mailto"}
            if here and not leads(path, url, pages, site):
                yield f"{path.relative_to(site)} leads nowhere with {url}"
    for path in site.rglob("*.css"):
        urls = re.findall(r"url\([\"']?([^\"')]+)", path.read_text(encoding="utf-8"))
        yield from (f"{path.relative_to(site)} loads {url}" for url in urls if is_outside(url))


def leads(path: Path, url: str, pages: dict[Path, Page], site: Path) -> bool:
    parts = urlsplit(url)
    place = unquote(parts.path)
    base = site if place.startswith("/") else path.parent
    target = Path(os.path.normpath(base / place.lstrip("/"))) if place else path
    target = target / "index.html" if target.is_dir() else target
    if parts.fragment and target in pages and target.name != CONTRACT:
        return unquote(parts.fragment) in pages[target].anchors
    return target.is_file()


def build() -> None:
    commands: list[list[str | Path]] = [
        [BIN / "zensical", "build", "--clean", "--strict"],
        [BIN / "node", REDOCLY, "build-docs", "nous-portal-billing", "--inlineBundle", "-o", SITE / CONTRACT],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, text=True, timeout=300, capture_output=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    for path in SITE.rglob("*.html"):
        text = path.read_text(encoding="utf-8").replace("<head>", f"<head>{POLICY}", 1)
        # The titles of the reference's links come with the lines of the template.
        text = re.sub(r'title="[^"]*"', lambda title: " ".join(title[0].split()), text)
        path.write_text(text, encoding="utf-8")
    contract = SITE / CONTRACT
    page = re.sub(r"<body[^>]*>", lambda body: f"{body[0]}{WAY_BACK}", contract.read_text("utf-8"), count=1)
    contract.write_text(page, encoding="utf-8")


def main() -> None:
    started = time.monotonic()
    build()
    took = time.monotonic() - started
    if found := sorted([*faults(SITE), *site_pages.faults(SITE)]):
        sys.exit("\n".join(found))
    sizes = {path: path.stat().st_size for path in SITE.rglob("*") if path.is_file()}
    of_contract = sizes[SITE / CONTRACT] / 1e6
    pages = sum(path.suffix == ".html" for path in sizes)
    print(
        f"{pages} pages, {sum(sizes.values()) / 1e6:.1f} MB (the contract {of_contract:.1f} MB), built in {took:.1f} s."
    )
    print("Each link leads somewhere, nothing is loaded from elsewhere, and the reference is whole.")


if __name__ == "__main__":
    main()
