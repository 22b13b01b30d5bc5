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
        sys.exit(f"The command nous-billing needs {library}: install nous-billing[cli] from the index of nous-billing.")
    prepare()
    command()
