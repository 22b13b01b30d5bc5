"""How a program is told that the mock cannot start."""

import json
import sys

from .streams import write


def write_error(message: str, exit_code: int) -> None:
    """Write the object that the other commands write, too, if the command line asks for JSON."""
    if "--json" in sys.argv:
        error = {"exit_code": exit_code, "message": message, "outcome_unknown": False}
        write("stdout", json.dumps({"error": error}) + "\n")
