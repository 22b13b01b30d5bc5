"""What a reader sees of the built pages: the reference, the code, the way back from the contract, and the search."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nous_billing

CONTRACT = "contract.html"
# The page of the contract has no navigation of its own.
WAY_BACK = (
    '<nav style="padding: 8px 16px; font: 16px sans-serif; background: white">'
    '<a href="contract/">nous-billing documentation</a></nav>'
)
# What people look for, and the page that answers.
SEARCHES = {
    "proxy": "guide/networks/",
    "FastAPI": "guide/services/",
    "command line": "guide/command-line/",
    "double charge": "guide/buying-once/",
}
COLUMN = 80
_TAG = re.compile(r"<[^>]+>")
_CODE = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)
_SIGNATURE = re.compile(r"doc-signature highlight\"><pre>(.*?)</pre>", re.DOTALL)
_RETURNS = re.compile(r"doc-section-title\">(?:Returns|Yields):</span></p>\s*<ul>(.*?)</ul>", re.DOTALL)
_SHARED = re.compile(r"<b><code>(?:<span[^>]*>)?(\w+,[^<]*)")
# A name of ours that is no link: a type, or a constant where its value should be.
_UNLINKED = re.compile(r"<span title=\"(nous_billing\.(?:[a-z_]+\.)*_?[A-Z]\w*)\"")


def faults(site: Path) -> Iterator[str]:
    """Each thing that a reader of the pages would stumble on."""
    pages = {
        path.parent.relative_to(site).as_posix(): path.read_text("utf-8") for path in sorted(site.rglob("index.html"))
    }
    for name, text in pages.items():
        yield from (f"{name}: {fault}" for fault in _code_faults(text))
        if name.startswith("reference/"):
            yield from (f"{name}: {fault}" for fault in _reference_faults(text))
    anchors = set(re.findall(r"id=\"nous_billing\.(?:\w+\.)*(\w+)\"", "".join(pages.values())))
    yield from (
        f"reference: no entry for {name}" for name in sorted(set(nous_billing.__all__) - anchors - {"__version__"})
    )
    if WAY_BACK not in (site / CONTRACT).read_text("utf-8"):
        yield f"{CONTRACT} does not lead back to the documentation"
    index = json.loads((site / "search.json").read_text("utf-8"))["items"]
    yield from (
        f"search: {words} does not find {page}" for words, page in SEARCHES.items() if not found(index, words, page)
    )


def found(index: list[dict[str, str]], words: str, page: str) -> bool:
    """Whether a section of a page has all the words."""
    sections = [f"{item['title']} {item['text']}".casefold() for item in index if item["location"].startswith(page)]
    return any(all(word in section for word in words.casefold().split()) for section in sections)


def _code_faults(text: str) -> Iterator[str]:
    for code in map(_plain, _CODE.findall(text)):
        yield from (f"a line is longer than its column: {line}" for line in code.splitlines() if len(line) > COLUMN)
        if ">>> " in code:
            yield f"code would be copied with prompts: {code.strip().splitlines()[0]}"


def _reference_faults(text: str) -> Iterator[str]:
    yield from (f"{name} is no link" for name in sorted(set(_UNLINKED.findall(text))))
    yield from (f"{names} share a description" for names in _SHARED.findall(text))
    for items in _RETURNS.findall(text):
        if items.count("<li") > 1:
            yield f"what is returned is torn apart: {_plain(items)[:60]}"
    signatures = [_plain(signature).partition("(")[2] for signature in _SIGNATURE.findall(text)]
    constructors = [each for each in signatures if "message: str" in each]
    if repeated := {each for each in constructors if constructors.count(each) > 1}:
        yield f"a constructor is repeated: {min(repeated)[:60]}"


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text))
