"""The parent's side of a process that forks workers."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.auth.support import child_environment


class Nursery:
    """The parent's side. `ended` has a process and how it ended, as `os.waitstatus_to_exitcode` says it."""

    def __init__(self, url: str) -> None:
        self.ended: queue.Queue[tuple[int, int]] = queue.Queue()
        self._forked: queue.Queue[int] = queue.Queue()
        self._process: Any = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.forking", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=child_environment(),
        )
        self._reader = threading.Thread(target=self._read, name="nursery-reader", daemon=True)
        self._reader.start()
        assert self._forked.get(timeout=30) == 0, "The nursery did not start."

    def fork(self, task: dict) -> int:
        """Fork a worker."""
        self._write(json.dumps(task))
        return self._forked.get(timeout=30)

    def kill(self, process: int) -> None:
        """`kill -9`, where it has not ended by itself."""
        self._write(str(process))

    def close(self) -> None:
        """Kill what still runs; every process is reaped."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        assert self._process.returncode == 0, "The nursery did not end by itself; processes may be left."

    def _write(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        for line in self._process.stdout:
            what, process, *code = line.split()
            if what == "forked":
                self._forked.put(int(process))
            else:
                self.ended.put((int(process), int(code[0])))
