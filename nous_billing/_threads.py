"""Background threads, and locks that are free after a fork."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Work that takes longer may hang, or its thread was not copied by a fork: the next call had better begin its own.
_SHARED_SECONDS = 1.0
# Longer than a pause between polls.
_IDLE_SECONDS = 10.0


def start(work: Callable[[], T], *, name: str, daemon: bool, future: Future[T] | None = None) -> Future[T]:
    """Run work in a new thread. The caller may stop waiting for it.

    Args:
        daemon: Whether the end of the program may abort the work.
        future: What becomes its result, a new one by default.
    """
    future = future or Future()
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


class SharedWork(Generic[T]):
    """Work that calls at the same time wait for together, be they a thousand, instead of a thread each.

    There is no lock, so that it may be begun twice.

    Args:
        seconds: For how long it is shared.
    """

    def __init__(self, name: str, seconds: float = _SHARED_SECONDS) -> None:
        self._name = name
        self._seconds = seconds
        self._last: tuple[object, float, Future[T]] | None = None

    def begin(self, key: object, work: Callable[[], T]) -> Future[T]:
        """Have work done in a thread of its own, which nobody waits for at the end of the program."""
        future: Future[T] = Future()
        # First of all: to start a thread takes long enough for many calls to find nothing under way.
        self._last = (os.getpid(), key), time.monotonic(), future
        try:
            return start(work, name=self._name, daemon=True, future=future)
        except BaseException:
            self._last = None
            raise

    def under_way(self, key: object) -> Future[T] | None:
        """Return what was begun last, if it was for the same key, not long ago, and has not ended."""
        if self._last is None:
            return None
        its_key, begun, future = self._last
        is_shared = its_key == (os.getpid(), key) and time.monotonic() - begun < self._seconds
        return future if is_shared and not future.done() else None


class SideThread(Generic[T]):
    """One thread for short work that may stall, as a look at a file on a dead network drive does: it holds nobody else.

    The thread is started when there is work, and ends when there has been none for a while. Handing work over and
    waiting for it takes some 30 µs. There is no lock: see ``BaseDriver``.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        # By process: a fork does not copy the thread, and could copy the queue in the middle of a change.
        self._queue_of: dict[int, SimpleQueue[_Job[T]]] = {}
        self._serving: int | None = None

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Have work done, in the caller's context, after all that was begun before it."""
        job = _Job(work)
        process = os.getpid()
        queue = self._queue_of.setdefault(process, SimpleQueue())
        queue.put(job)
        if sys.is_finalizing():
            _work_off(queue)
        elif self._serving != process:
            self._serving = process
            try:
                threading.Thread(target=self._serve, args=(process, queue), name=self._name, daemon=True).start()
            except RuntimeError:
                self._serving = None
                _work_off(queue)
        return job.done

    def _serve(self, process: int, queue: SimpleQueue[_Job[T]]) -> None:
        while True:
            try:
                queue.get(timeout=_IDLE_SECONDS).run()
            except Empty:
                # Whoever puts a job into the queue from here on starts another thread.
                self._serving = None
                if queue.empty():
                    return
                self._serving = process


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.done: Future[T] = Future()
        # A running future cannot be cancelled by a caller that waits for it.
        self.done.set_running_or_notify_cancel()
        self._work = work
        self._context = copy_context()

    def run(self) -> None:
        try:
            self.done.set_result(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self.done.set_exception(error)


def _work_off(queue: SimpleQueue[_Job[T]]) -> None:
    while not queue.empty():
        queue.get().run()


class _Entered(threading.local):
    """For each block that a thread is in: whether it held the lock before."""

    def __init__(self) -> None:
        self.held: list[bool] = []


class ForkSafeLock:
    """A lock that is free in a forked child, even if a thread of the parent held it: ``with lock, lock.current:``.

    From Python 3.14 on, an interrupt can come after the lock is taken and before the block begins that gives it back.
    Then ``lock``, which was entered first, gives it back. A signal handler that comes meanwhile is let in, for it would
    wait for ever.
    """

    def __init__(self) -> None:
        self._lock_of: dict[int, threading.RLock] = {}
        self._entered = _Entered()

    @property
    def current(self) -> threading.RLock:
        """The lock of this process."""
        return self._lock_of.setdefault(os.getpid(), threading.RLock())

    def __enter__(self) -> None:
        current: Any = self.current
        self._entered.held.append(current._is_owned())

    def __exit__(self, kind: object, *_rest: object) -> None:
        # What this thread held before, as where a signal handler failed, is for its holder to give back.
        if not self._entered.held.pop() and kind is not None:
            with suppress(RuntimeError):
                self.current.release()
