"""Upload the archives in dist/ to a package index. Looks before and after; never replaces a file.

The login comes from UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, UV_PUBLISH_TOKEN, a netrc file, or, with
UV_KEYRING_PROVIDER=subprocess, the keyring; no file of the project is asked.
"""

import argparse
import base64
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from nous_billing import BillingInvalidRequest
from nous_billing.portal import check_base_url
from scripts.index_login import find_login
from scripts.simple_index import IndexUnreadable, SimpleIndex

ROOT = Path(__file__).resolve().parent.parent
# Some indexes write their listing after they have answered the upload.
LISTED_WITHIN = 60.0
LOOK_EVERY = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index_url", help="where the index takes uploads")
    parser.add_argument("check_url", nargs="?", help="where pip reads; default: simple/ or +simple/ below index_url")
    parser.add_argument("--proved", type=Path, help="the SHA-256 sums that the archives must have")
    parser.add_argument("--only-addresses", action="store_true", help="check the addresses, and upload nothing")
    arguments = parser.parse_args()
    index_url, check_url = arguments.index_url, arguments.check_url or None
    try:
        # The rules of a portal's address are those of an index: passwords go there.
        for url, name in ((index_url, "INDEX_URL"), (check_url or index_url, "CHECK_URL")):
            check_base_url(url, name)
        if not arguments.only_addresses:
            publish(read_archives(arguments.proved), index_url, check_url)
    except BillingInvalidRequest as error:
        sys.exit(str(error).replace("the portal's address", "the address of an index"))
    except IndexUnreadable as error:
        sys.exit(str(error))


def read_archives(proved: Path | None) -> dict[str, bytes]:
    """The bytes of the archives, which are those that were proved."""
    if not (ROOT / "dist").is_dir():
        sys.exit("There is no dist/: `make proved` builds and proves what is uploaded. Nothing was uploaded.")
    archives = {path.name: path.read_bytes() for path in sorted((ROOT / "dist").iterdir())}
    if proved:
        lines = proved.read_text(encoding="utf-8").splitlines() if proved.is_file() else []
        if {f"{sha256(content)}  {name}" for name, content in archives.items()} != set(lines):
            sys.exit("dist/ is not what was proved. Nothing was uploaded.")
    return archives


def publish(archives: Mapping[str, bytes], index_url: str, check_url: str | None) -> None:
    """Upload what is not there yet, and see it there."""
    login = find_login(index_url)
    below = [f"{index_url.rstrip('/')}/{name}/" for name in ("simple", "+simple")]
    listings = [SimpleIndex(url, login) for url in ([check_url] if check_url else below)]
    wanted = {name: sha256(content) for name, content in archives.items()}
    missing = wanted.keys() - _there(listings, wanted)
    if check_url:
        # A file in the usual places must not be replaced either, should CHECK_URL be a mistake.
        with contextlib.suppress(IndexUnreadable):
            _there([SimpleIndex(url, login) for url in below], wanted)
    accepted = bool(missing) and _upload({name: archives[name] for name in sorted(missing)}, index_url, login)
    # What pip will read decides, and not what was answered to the upload.
    if trouble := _wait_until_there(listings, wanted, LISTED_WITHIN if accepted else 0):
        took = "The index answered that it took the upload. Nothing is uploaded twice if you run this again later."
        hint = "" if check_url else " If pip reads elsewhere, name that: CHECK_URL=https://..."
        sys.exit(f"{trouble} {took if accepted else 'Not all was published.'}{hint}")
    print(f"{', '.join(wanted)}: {'published to' if accepted else 'already at'} {index_url}")


def _wait_until_there(listings: list[SimpleIndex], wanted: Mapping[str, str], seconds: float) -> str:
    """What keeps the files from being seen within some seconds; empty if they are."""
    end = time.monotonic() + seconds
    while True:
        try:
            unseen = wanted.keys() - _there(listings, wanted)
            trouble = f"{', '.join(sorted(unseen))} is not listed at {' or '.join(each.url for each in listings)}."
        except IndexUnreadable as error:
            unseen, trouble = {*wanted}, str(error)
        if not unseen:
            return ""
        if time.monotonic() >= end:
            return trouble
        time.sleep(LOOK_EVERY)


def _there(listings: list[SimpleIndex], wanted: Mapping[str, str]) -> set[str]:
    """Those of the files that are there. Ends the program if one has other bytes."""
    found: set[str] = set()
    for listing in listings:
        for name, sums in listing.hashes(wanted).items():
            if sums != {wanted[name]}:
                sys.exit(f"{listing.url} has {name} with other bytes. A released file is never replaced.")
            found.add(name)
    return found


def _upload(archives: Mapping[str, bytes], index_url: str, login: tuple[str, str] | None) -> bool:
    """Whether the index answered that it took the archives."""
    unwanted = ("uv_", "http_proxy", "https_proxy", "all_proxy") if index_url.startswith("http:") else ("uv_",)
    # What goes to this machine goes through no proxy, which would see the login.
    environment = {name: value for name, value in os.environ.items() if not name.lower().startswith(unwanted)}
    if login:
        environment |= {"UV_PUBLISH_USERNAME": login[0], "UV_PUBLISH_PASSWORD": login[1]}
    command: list[str | Path] = [ROOT / ".tools/bin/uv", "publish", "--no-config", "--trusted-publishing", "never"]
    with tempfile.TemporaryDirectory() as folder:
        # From a copy: what is uploaded is what was read and compared.
        files = [Path(folder) / name for name in archives]
        for file in files:
            file.write_bytes(archives[file.name])
        command += ["--no-progress", "--publish-url", index_url, "--", *files]
        try:
            done = subprocess.run(
                command,
                env=environment,
                timeout=600,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.TimeoutExpired:
            print("The upload did not end within 10 minutes.")
            return False
    print(_without_login(done.stdout.decode(errors="replace"), login), end="")
    return done.returncode == 0


def _without_login(text: str, login: tuple[str, str] | None) -> str:
    # An index may answer with the request that it refused.
    if login and login[1]:
        encoded = base64.b64encode(":".join(login).encode()).decode()
        for secret in (login[1], encoded):
            text = text.replace(secret, "***")
    return text


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
