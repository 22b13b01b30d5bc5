"""Background threads, and locks that are free after a fork."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[], T], *, name: str, daemon: bool) -> Future[T]:
    """Run work in a new thread. The caller may stop waiting for it.

    Args:
        daemon: Whether the end of the program may abort the work.
    """
    future: Future[T] = Future()
    # A running future cannot be cancelled by a caller that waits for it.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            future.set_exception(error)

    # At the end of the interpreter no thread runs any more: to start one waits for ever, or fails.
    if sys.is_finalizing():
        run()
        return future
    try:
        # Not an executor: those refuse work once the main thread has ended, while others still run.
        threading.Thread(target=copy_context().run, args=(run,), name=name, daemon=daemon).start()
    except RuntimeError:
        run()
    return future


class ForkSafeLock:
    """A lock that is free in a forked child, even if a thread of the parent held it."""

    def __init__(self) -> None:
        self._lock_of: dict[int, threading.Lock] = {}

    @property
    def current(self) -> threading.Lock:
        """The lock of this process; an interrupt cannot come between taking it and the ``with`` that gives it back."""
        return self._lock_of.setdefault(os.getpid(), threading.Lock())
