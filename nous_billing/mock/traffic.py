"""What the server shares with the portal: the requests so far, and the faults to come."""

import threading

from .faults import FaultQueue
from .recording import RecordedRequest


class Traffic:
    """The requests so far, the violations of the contract, and the faults to come. Hold `lock` while using them."""

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Begin anew, under the same lock."""
        self.requests: list[RecordedRequest] = []
        self.violations: list[str] = []
        self.faults: FaultQueue = FaultQueue()
