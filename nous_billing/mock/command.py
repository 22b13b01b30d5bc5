"""The command line of the mock portal."""

import argparse
import ipaddress
import json
import logging
import math
import re
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from . import MockPortal
from .as_json import write_error
from .ledger import AMBIGUOUS, FAILURES
from .parameters import decode_json
from .seed import check_seed
from .server import LOOPBACK
from .streams import write

_TOKEN_LIFETIME = 8 * 3600
_ORIGIN = "http://localhost:5173"
# The exit code for what the command line cannot be.
_UNUSABLE = 2
_CARDS = ", ".join(["4242 settles", *(f"{last4} {reason}" for last4, reason in FAILURES.items())])


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        write_error(message, _UNUSABLE)
        write("stderr", f"{self.format_usage()}{self.prog}: error: {message}\n")
        sys.exit(_UNUSABLE)

    def print_help(self, file: object = None) -> None:
        error = write("stdout", self.format_help())
        if error is not None:
            sys.exit(_unwritten(error))


def _origin(text: str) -> str:
    if text != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no origin that a browser sends: write it like {_ORIGIN}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        # The command nous-billing puts its own name there.
        prog=sys.argv[0] if sys.argv[0] == "nous-billing mock" else "python -m nous_billing.mock",
        description="Serve a mock Nous Portal on this machine. Its address shows the contract, /device and /billing "
        "are pages for people; /_mock/ says how tests steer it over HTTP.",
    )
    parser.add_argument(
        "--port",
        "--host-port",
        dest="port",
        type=int,
        default=0,
        metavar="PORT",
        help="the port; default: any free one",
    )
    parser.add_argument(
        "--host", default=LOOPBACK, help=f"the address to listen on; default: {LOOPBACK}, for this machine only"
    )
    parser.add_argument(
        "--seed", type=Path, metavar="FILE", help="JSON with the organisations, people, tokens and faults"
    )
    parser.add_argument(
        "--card",
        metavar="LAST4",
        help=f"the saved card's last four digits decide how a charge ends: {_CARDS}, {AMBIGUOUS} settles, but the "
        "first reply is lost; 'none' means no card; default: 4242",
    )
    parser.add_argument("--role", help="OWNER, ADMIN, MEMBER or any other; default: OWNER")
    parser.add_argument("--token", help="the text of the access token; default: a new one")
    parser.add_argument(
        "--settle-after", type=float, default=3.0, metavar="SECONDS", help="how long a charge is pending; default: 3"
    )
    parser.add_argument(
        "--cors",
        action="append",
        type=_origin,
        default=[],
        metavar="ORIGIN",
        help=f"let scripts of pages of this origin use the mock, such as {_ORIGIN}, or '*' for any",
    )
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="introduce the mock with one line of JSON, for programs"
    )
    return parser


def _seed(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says. Raises ValueError or OSError."""
    if arguments.seed is None:
        card = None if arguments.card == "none" else {"last4": arguments.card or "4242"}
        return {
            "settleAfter": arguments.settle_after,
            "organisations": [{"name": "Acme", "balanceUsd": "100", "card": card}],
            "people": [{"name": "Ada", "role": arguments.role or "OWNER"}],
        }
    if arguments.card or arguments.role:
        raise ValueError("The seed says what --card and --role would say. Leave them out.")
    # Editors on Windows write a byte order mark.
    seed: dict[str, Any] = decode_json(arguments.seed.read_text(encoding="utf-8-sig"))
    check_seed(seed)
    return seed


def _check(arguments: argparse.Namespace) -> None:
    for name in ("host", "card", "role", "token"):
        # An unset variable must not open the mock to other machines, nor give it another token.
        if getattr(arguments, name) == "":
            raise ValueError(f"--{name} is blank. Leave it out, or give it a value.")
    if not math.isfinite(arguments.settle_after):
        raise ValueError("--settle-after is a number of seconds, such as 3.")


def _portal(arguments: argparse.Namespace) -> tuple[MockPortal, str]:
    """The portal, and a token of it that a reset keeps. Raises ValueError or OSError."""
    _check(arguments)
    seed = _seed(arguments)
    portal = MockPortal(settle_after=arguments.settle_after, seed=seed, cors_origins=arguments.cors)
    texts = [login["accessToken"] for login in seed.get("tokens", []) if "accessToken" in login]
    if texts and not arguments.token:
        return portal, texts[0]
    token = arguments.token or portal.issue_token(lifetime=_TOKEN_LIFETIME)
    login = {"accessToken": token, "lifetime": _TOKEN_LIFETIME}
    portal.reset({**seed, "tokens": [*seed.get("tokens", []), login]})
    return portal, token


def _introduction(portal: MockPortal, token: str) -> str:
    person, organisation = portal.owner, portal.organisation
    saved = f"card {organisation.card.brand} {organisation.card.last4}" if organisation.card else "no saved card"
    return f"""\
Mock Nous Portal at {portal.url}   (the contract as a page: open it in a browser; Ctrl-C ends the portal)
A token with the role {person.role} at {organisation.name}, {saved}, balance ${organisation.balance}. In another shell:

  export NOUS_PORTAL_BASE_URL={portal.url}
  export NOUS_TOKEN={token}
  curl -sH "Authorization: Bearer $NOUS_TOKEN" $NOUS_PORTAL_BASE_URL/api/billing/state
  curl -sH "Authorization: Bearer $NOUS_TOKEN" -H "Idempotency-Key: first" \
-H "Content-Type: application/json" -d '{{"amountUsd": 50}}' $NOUS_PORTAL_BASE_URL/api/billing/charge

Pages for people: {portal.url}/billing and {portal.url}/device.   Steer it from tests: {portal.url}/_mock/
"""


def _introduction_json(portal: MockPortal, token: str) -> str:
    """One line, which a program can read while the mock goes on."""
    address = {"url": portal.url, "access_token": token, "control_url": f"{portal.url}/_mock/"}
    return json.dumps({**address, "env": {"NOUS_PORTAL_BASE_URL": portal.url, "NOUS_TOKEN": token}})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse(sentence: str, ending: int) -> int:
    write_error(sentence, ending)
    write("stderr", f"{sentence}\n")
    return ending


def _unwritten(error: OSError) -> int:
    # Whoever closes a pipe knows of it.
    return (
        1
        if isinstance(error, BrokenPipeError)
        else _refuse(f"Standard output cannot be written ({error.strerror}).", 1)
    )


def main() -> int:
    """Serve until Ctrl-C or SIGTERM."""
    arguments = _parser().parse_args()
    # Whoever started the command may read its first lines only, and close the pipe.
    logging.raiseExceptions = False
    # With --json, stdout has nothing but the introduction.
    log = sys.stderr if arguments.as_json else sys.stdout
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=log)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        portal, token = _portal(arguments)
    except (ValueError, OSError) as error:
        return _refuse(f"Cannot start with {arguments.seed or 'these options'}: {error}", _UNUSABLE)
    try:
        portal.start(arguments.port, host=arguments.host)
    except (ValueError, OSError, OverflowError) as error:
        ending = 1 if isinstance(error, OSError) else _UNUSABLE
        return _refuse(f"Cannot use port {arguments.port} of {arguments.host}: {error}", ending)
    if not _is_loopback(arguments.host):
        write(
            "stderr",
            f"Warning: the mock listens on {arguments.host}. Whoever reaches this machine can use and control it.\n",
        )
    introduction = _introduction_json if arguments.as_json else _introduction
    unwritten = write("stdout", f"{introduction(portal, token)}\n")
    if unwritten is not None and not isinstance(unwritten, BrokenPipeError):
        portal.stop()
        return _unwritten(unwritten)
    # Ctrl-C cannot interrupt a wait without a timeout on Windows.
    while not stopping.wait(0.2):
        pass
    portal.stop()
    for name in ("stdout", "stderr"):
        # The log may have met a pipe that was closed meanwhile.
        write(name, "")
    return 0
