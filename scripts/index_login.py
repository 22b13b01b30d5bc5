"""The login for a package index, as uv finds it: the environment, a netrc file or the keyring."""

import netrc
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

# What `make publish` keeps from the checks, the tests and the tools.
VARIABLES = ("UV_PUBLISH_USERNAME", "UV_PUBLISH_PASSWORD", "UV_PUBLISH_TOKEN", "UV_KEYRING_PROVIDER")


def find_login(url: str) -> tuple[str, str] | None:
    """Return the user name and the password for an index, or None. Ends the program where they cannot be read."""
    if token := os.environ.get("UV_PUBLISH_TOKEN"):
        return "__token__", token
    user, password = os.environ.get("UV_PUBLISH_USERNAME"), os.environ.get("UV_PUBLISH_PASSWORD")
    if user and password is None and os.environ.get("UV_KEYRING_PROVIDER") == "subprocess":
        password = _from_keyring(url, user)
    if user and password is not None:
        return user, password
    return _from_netrc(urlsplit(url).hostname or "")


def _from_keyring(url: str, user: str) -> str | None:
    for service in (url, urlsplit(url).netloc):
        try:
            found = subprocess.run(["keyring", "get", service, user], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            sys.exit("The program keyring, which UV_KEYRING_PROVIDER asks for, is not there or does not answer.")
        if found.returncode == 0:
            return found.stdout.removesuffix("\n")
    return None


def _from_netrc(host: str) -> tuple[str, str] | None:
    file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        entry = netrc.netrc(file).authenticators(host) if file.is_file() else None
    except netrc.NetrcParseError as error:
        # Its message has a word of the file, which may be a password.
        sys.exit(f"{file}, line {error.lineno}, cannot be understood.")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{file} cannot be read: {type(error).__name__}.")
    return (entry[0], entry[2]) if entry and entry[2] else None
