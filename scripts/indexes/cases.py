"""What can happen when a version is published, and what must come of it on every index."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import PASSWORD, USER, Index
from .archives import SDIST

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Told:
    """What publishing said, and what it did to the index."""

    succeeded: bool
    text: str
    wanted: Mapping[str, bytes]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    @property
    def result(self) -> str:
        """One of a few words, as the table has them."""
        if not self.before.items() <= self.after.items():
            return "REPLACED"
        changed = self.after.keys() - self.before.keys()
        if not self.succeeded:
            return "FAILED HALFWAY" if changed else "refused"
        if not self.wanted.items() <= self.after.items():
            return "SAID DONE"
        return "published" if changed else "already there"


@dataclass(frozen=True)
class Case:
    """A case, and the result that it must have."""

    name: str
    result: str
    play: "Callable[[Index, Shop], Told]"

    def outcome(self, index: Index, shop: "Shop") -> str:
        """The result on an index; empty where the index has no such case."""
        if index.takes_anybody and self is CASES[0]:
            return ""
        return self.play(index, shop).result


class Shop:
    """Publishes archives from a copy of what `make publish` runs."""

    def __init__(self, folder: Path, archives: Mapping[str, bytes]) -> None:
        self.archives = dict(archives)
        self._folder = folder
        for name in ("scripts", "nous_billing", "generated", ".tools"):
            (folder / name).symlink_to(ROOT / name)

    def publish(self, index: Index, archives: Mapping[str, bytes], *urls: str, password: str = PASSWORD) -> Told:
        """Publish to an index, or to the addresses that are given."""
        dist = self._folder / "dist"
        dist.mkdir(exist_ok=True)
        for old in dist.iterdir():
            old.unlink()
        for name, content in archives.items():
            (dist / name).write_bytes(content)
        login = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": password, "HOME": str(self._folder)}
        path = os.pathsep.join([str(self._folder), str(self._folder / "generated")])
        before = index.files()
        done = subprocess.run(
            # A symbolic link of scripts would lead to the dist/ of the project.
            [sys.executable, "-c", _PUBLISH, *(urls or [index.url, *filter(None, [index.check_url])])],
            cwd=self._folder,
            env={**os.environ, **login, "PYTHONPATH": path},
            text=True,
            timeout=120,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Told(done.returncode == 0, done.stdout, archives, before, index.files())


_PUBLISH = """
from pathlib import Path
from scripts import publish
publish.ROOT, publish.LISTED_WITHIN = Path.cwd(), 1.5
publish.main()
"""


def _other(archives: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: content + b"\n" for name, content in archives.items()}


def _listing(index: Index) -> str:
    return index.check_url or f"{index.url.rstrip('/')}/simple/"


_WRONG = "wrong"
# In this order: each begins with what the one before left behind.
CASES = [
    Case("wrong password", "refused", lambda i, s: s.publish(i, s.archives, password=_WRONG)),
    Case("`INDEX_URL` is the listing", "refused", lambda i, s: s.publish(i, s.archives, _listing(i))),
    Case("one of two archives", "published", lambda i, s: s.publish(i, {SDIST: s.archives[SDIST]})),
    Case("both, one of which is there", "published", lambda i, s: s.publish(i, s.archives)),
    Case("the same again", "already there", lambda i, s: s.publish(i, s.archives)),
    Case("other bytes", "refused", lambda i, s: s.publish(i, _other(s.archives))),
    Case(
        "other bytes, wrong `CHECK_URL`",
        "refused",
        lambda i, s: s.publish(i, _other(s.archives), i.url, f"{i.url.rstrip('/')}/elsewhere/"),
    ),
    Case(
        "the same, wrong `CHECK_URL`",
        "refused",
        lambda i, s: s.publish(i, s.archives, i.url, f"{i.url.rstrip('/')}/elsewhere/"),
    ),
]
