"""A process that a test starts."""

import subprocess
from types import TracebackType


class Child(subprocess.Popen[str]):
    """A process that is killed where its test fails: `Popen` would wait for an end that may never come."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, traceback)
