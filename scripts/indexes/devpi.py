"""devpi-server on loopback, with a user and an index as it makes them by default: files may be replaced."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from . import PASSWORD, USER, Index
from .pypiserver import free_port, served

_INDEX = "prod"


@contextlib.contextmanager
def devpi(folder: Path, bin_folder: Path) -> Iterator[Index]:
    """Serve an empty index from the environment that has devpi-server."""
    data, port = str(folder / "data"), free_port()
    subprocess.run([bin_folder / "devpi-init", "--serverdir", data, "--no-root-pypi"], check=True, capture_output=True)
    command = [str(bin_folder / "devpi-server"), "--serverdir", data, "--host", "127.0.0.1", "--port", str(port)]
    with served([*command, "--offline-mode"], folder / "log", f"http://127.0.0.1:{port}") as server:
        user = f"{server}/{USER}"
        _put(user, {"password": PASSWORD}, None)
        _put(f"{user}/{_INDEX}", {"bases": []}, (USER, PASSWORD))
        yield Index(f"{user}/{_INDEX}/", "", lambda: _files(f"{user}/{_INDEX}/nous-billing"))


def _put(url: str, settings: Mapping[str, object], login: tuple[str, str] | None) -> None:
    httpx.put(url, content=json.dumps(settings), auth=login, timeout=30).raise_for_status()


def _files(url: str) -> dict[str, bytes]:
    said = httpx.get(url, headers={"Accept": "application/json"}, timeout=30)
    if said.status_code == 404:
        return {}
    links = [link for version in said.json()["result"].values() for link in version.get("+links", [])]
    return {link["href"].rpartition("/")[2]: httpx.get(link["href"], timeout=30).content for link in links}
