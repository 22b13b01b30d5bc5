"""The command `nous-billing`: log in, see the balance, buy credits. Needs the extra `cli`.

It uses only what the package gives everybody. How it ends is for programs to read: see ``nous_billing.cli.endings``.
"""

import sys

_LIBRARIES = ("click", "rich")


def main() -> None:
    """Run the command with the arguments of this process. Always raises ``SystemExit``."""
    try:
        from .commands import command
        from .streams import prepare

        prepare()
    except KeyboardInterrupt:
        # Loading takes a moment, in which Ctrl-C ends the command just as cleanly.
        _write_json(130, "Stopped.")
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        sentence = (
            f"The command nous-billing needs {library}: install nous-billing[cli] from the index of nous-billing."
        )
        _write_json(1, sentence)
        sys.exit(sentence)
    command()


def _write_json(ending: int, sentence: str) -> None:
    """Tell a program how it ends before there is a screen for it."""
    if "--json" in sys.argv:
        from .as_json import error_members, to_json
        from .endings import Ending

        sys.stdout.write(to_json({"error": error_members(Ending(ending), sentence)}) + "\n")
