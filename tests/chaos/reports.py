"""What a person was told, one line each, in a file that outlives the process that wrote it."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """`amount` is the purchase's, which no other of its organisation has."""

    what: str
    amount: str
    at: float
    detail: str


class Reports:
    """A file of them. A line is written at once, or not at all."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def add(self, what: str, amount: str, detail: object = "") -> None:
        """`what`: settled, failed, refused, uncertain, store (it could not be used), crash (an untyped error)."""
        line = json.dumps([what, amount, time.time(), str(detail)]) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read(self) -> list[Report]:
        """All of them, oldest first."""
        try:
            lines = self.path.read_text().splitlines()
        except FileNotFoundError:
            return []
        return [Report(*json.loads(line)) for line in lines]
