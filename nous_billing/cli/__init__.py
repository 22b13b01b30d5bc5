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
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        sentence = (
            f"The command nous-billing needs {library}: install nous-billing[cli] from the index of nous-billing."
        )
        if "--json" in sys.argv:
            from .as_json import error_members, to_json
            from .endings import Ending

            sys.stdout.write(to_json({"error": error_members(Ending.OTHER, sentence)}) + "\n")
        sys.exit(sentence)
    prepare()
    command()
