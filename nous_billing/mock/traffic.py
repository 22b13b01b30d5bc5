"""What the portal was asked, and what it meets next."""

import threading

from .faults import FaultQueue
from .recording import RecordedRequest


class Traffic:
    """The requests so far, the breaches of the contract, and the faults that wait. Take `lock` to use them."""

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.requests: list[RecordedRequest] = []
        self.violations: list[str] = []
        self.faults: FaultQueue = FaultQueue()
