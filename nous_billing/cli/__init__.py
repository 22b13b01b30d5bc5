"""The command `nous-billing`: log in, see the balance, buy credits. Needs the extra `cli`.

It uses only what the package gives everybody. How it ends is for programs to read: see ``nous_billing.cli.endings``.
"""

import sys
from typing import NoReturn

_LIBRARIES = ("click", "rich")


def main() -> None:
    """Run the command with the arguments of this process. Always raises ``SystemExit``."""
    try:
        from .streams import prepare

        prepare()
        from .commands import command
    except KeyboardInterrupt:
        # Loading takes a moment, in which Ctrl-C ends the command just as cleanly.
        _end(130, "Stopped.")
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        _end(1, f"The command nous-billing needs {library}: install nous-billing[cli] from the index of nous-billing.")
    command()


def _end(ending: int, sentence: str) -> NoReturn:
    """End before there is a screen for it."""
    from .streams import attempt

    if "--json" in sys.argv:
        from .as_json import error_members, to_json
        from .endings import Ending

        text = to_json({"error": error_members(Ending(ending), sentence)})
        attempt("stdout", lambda: sys.stdout.write(f"{text}\n"))
    attempt("stderr", lambda: sys.stderr.write(f"{sentence}\n"))
    sys.exit(ending)
