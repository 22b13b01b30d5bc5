"""Measure the built documentation, look at each page with axe in Chromium, search it, and write docs/audit.md.

Fails for a finding that axe calls serious or critical, unless it is of the page that Redocly makes.
"""

import functools
import http.server
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts import site
from scripts.chromium import Tab, chromium, find
from scripts.site_pages import CONTRACT, SEARCHES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/audit.md"
AXE = ROOT / "node_modules/axe-core/axe.min.js"
WIDTH, NARROW = 1280, 390
# Colours on their way to others are not those that a person reads.
STILL = "document.head.insertAdjacentHTML('beforeend', '<style>* { transition: none !important }</style>')"
# Headless Chromium has no mouse. With one, the theme lets keys scroll code that is wider than the window.
MOUSE = "const asked = matchMedia.bind(window); window.matchMedia = q => asked(q === '(hover)' ? 'all' : q)"
SCHEME = "document.body.dataset.mdColorScheme"
RUN_AXE = """
axe.run().then(found => found.violations.map(v => [v.impact, v.id, v.help, v.nodes.map(node => node.target.join(" "))]))
"""
# The theme puts it around each table.
THEIRS = ".md-typeset__scrollwrap"
WIDE = "[...document.querySelectorAll('pre > code')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
RESULTS = "[...document.querySelectorAll('*')].find(e => e.shadowRoot)?.shadowRoot.querySelectorAll('a')"


HEAD = """\
# These pages, measured

`make docs-audit` writes this page. It builds the documentation, opens each page in Chromium (light and dark at 1280 px,
light at 390) and runs [axe-core](https://github.com/dequelabs/axe-core) on it. It fails for a serious finding of ours,
for code that does not fit its column, and for a search that does not show the right page among the first three results.
Not ours are the page of the contract, which Redocly makes, and the regions that the theme puts around tables: a table
wider than its window cannot be scrolled by keys.
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Findings:
    """What the browser found.

    Attributes:
        by_rule: For impact, rule and sentence of axe, how many places on which pages.
        serious: Findings that are ours and that axe calls serious or critical.
        wide: Pages on which code does not fit its column at 1280 px.
        in_vain: Searches that do not show their page among the first three.
    """

    by_rule: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    serious: set[str] = field(default_factory=set)
    wide: list[str] = field(default_factory=list)
    in_vain: list[str] = field(default_factory=list)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def look_at(path: str, url: str, pages: list[str]) -> Findings:
    """Open each page, light and dark, and in a narrow window."""
    findings, axe = Findings(), AXE.read_text(encoding="utf-8")
    for width, dark in ((WIDTH, False), (WIDTH, True), (NARROW, False)):
        # The theme keeps the colours of the first visit, so each time a new profile.
        with chromium(path) as tab:
            tab.allow_scripts(True)
            tab.look(WIDTH, dark=dark)
            tab.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
            tab.call("Page.addScriptToEvaluateOnNewDocument", source=MOUSE)
            for page in pages:
                tab.open(url + page)
                tab.run(STILL)
                tab.run(f"{axe}; 0")
                for impact, rule, sentence, places in tab.run(RUN_AXE):
                    ours = [place for place in places if page != CONTRACT and not place.startswith(THEIRS)]
                    if impact in {"serious", "critical"}:
                        findings.serious |= {f"{page}: {rule} at {place}, {width} px, dark: {dark}" for place in ours}
                    found = findings.by_rule[impact, rule, sentence]
                    found[page] = max(len(places), found.get(page, 0))
                if width == WIDTH and not dark and tab.run(WIDE):
                    findings.wide.append(page)
            if dark and tab.run(SCHEME) != "slate":
                raise RuntimeError("The pages were not dark.")
    return findings


def searched(tab: Tab, url: str, words: str) -> list[str]:
    """The first three results of a search, as a person types it."""
    tab.look(WIDTH)
    tab.open(url)
    # The button does nothing until the scripts of the theme have come.
    tab.wait_for(
        "document.activeElement.shadowRoot?.activeElement?.tagName === 'INPUT'"
        " || document.querySelector('.md-search__button').click()"
    )
    tab.call("Input.insertText", text=words)
    tab.wait_for(f"({RESULTS} ?? []).length")
    found: list[str] = tab.run(f"[...{RESULTS}].slice(0, 3).map(a => a.getAttribute('href'))")
    return found


def table(findings: Findings, seconds: float) -> str:
    files = [path for path in site.SITE.rglob("*") if path.is_file()]
    size = {path.relative_to(site.SITE).as_posix(): path.stat().st_size for path in files}
    pages = {name: bytes_ for name, bytes_ in size.items() if name.endswith(".html") and name != CONTRACT}
    largest = max(pages, key=lambda name: pages[name])
    guide = [pages[name] for name in pages if name.startswith("guide/")]
    measured = {
        "pages": f"{len(pages) + 1}",
        "built in, with all checks": f"{seconds:.0f} s",
        "all files": f"{sum(size.values()) / 1e6:.1f} MB",
        "the contract's page, whole in one file": f"{size[CONTRACT] / 1e6:.1f} MB",
        f"the largest other page, `{largest.removesuffix('index.html')}`": f"{pages[largest] / 1e3:.0f} kB",
        "a page of the guide, the median": f"{_median(guide) / 1e3:.0f} kB",
        "the index of the search": f"{size['search.json'] / 1e3:.0f} kB",
    }
    rows = [f"| {name} | {value} |" for name, value in measured.items()]
    found = [
        f"| {impact} | `{rule}`: {sentence} | {_pages(places)} |"
        for (impact, rule, sentence), places in sorted(findings.by_rule.items())
    ]
    return "\n".join(
        [
            HEAD,
            "| what | measured |",
            "|---|---:|",
            *rows,
            "",
            "## What axe found",
            "",
            "| impact | rule | where |",
            "|---|---|---|",
            *found,
            "",
            "## Searches",
            "",
            *(f"- *{words}* finds [{page}]({page.rstrip('/')}.md)." for words, page in SEARCHES.items()),
            "",
        ]
    )


def _pages(places: dict[str, int]) -> str:
    if len(places) > 3:
        return f"{len(places)} pages"
    return ", ".join(f"`{page or 'index.html'}` ({count})" for page, count in sorted(places.items()))


def _median(sizes: list[int]) -> int:
    return sorted(sizes)[len(sizes) // 2]


def main() -> None:
    path = find()
    if path is None:
        print("Skipped: there is no Chromium on this machine.")
        return
    started = time.monotonic()
    site.main()
    seconds = time.monotonic() - started
    pages = [item.relative_to(site.SITE).as_posix().removesuffix("index.html") for item in site.SITE.rglob("*.html")]
    with served(site.SITE) as url, chromium(path) as tab:
        findings = look_at(path, url, [CONTRACT, *sorted({*pages} - {CONTRACT})])
        tab.allow_scripts(True)
        for words, page in SEARCHES.items():
            found = searched(tab, url, words)
            if not any(f"/{page}" in each for each in found):
                findings.in_vain.append(f"{words} finds {', '.join(found)}")
    PAGE.write_text(table(findings, seconds), encoding="utf-8")
    wrong = [*sorted(findings.serious), *(f"{page}: code is too wide" for page in findings.wide), *findings.in_vain]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"Wrote {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
