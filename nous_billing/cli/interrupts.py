"""Ctrl-C: the first one ends a command, and no second one cuts short what it says or changes its exit code."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def raise_once() -> None:
    """Raise ``KeyboardInterrupt`` for the first Ctrl-C from now on, and ignore the others."""
    # A command in the background ignores Ctrl-C already.
    if _can_set() and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _raise)


def ignore() -> None:
    """Ignore Ctrl-C from now on: all that is left is to say how it ended."""
    if _can_set():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _can_set() -> bool:
    return threading.current_thread() is threading.main_thread()


def _raise(_number: int, _frame: FrameType | None) -> None:
    ignore()
    raise KeyboardInterrupt
