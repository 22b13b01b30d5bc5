"""`python -m nous_billing.mock`: a portal to try things with."""

import signal
import sys
from types import FrameType

from .streams import prepare, write


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    prepare()
    # Loading the rest takes a moment, in which a signal ends the command just as cleanly.
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _leave)

try:
    from .command import main
except ModuleNotFoundError as _missing:
    from .as_json import write_error

    # It says what to install, without a traceback.
    write_error(str(_missing), 1)
    write("stderr", f"{_missing}\n")
    sys.exit(1)

if __name__ == "__main__":
    sys.exit(main())
