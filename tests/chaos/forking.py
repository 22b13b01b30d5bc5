"""A process that has imported everything, and forks a worker for each thing to do: a start costs milliseconds."""

import asyncio
import contextlib
import gc
import json
import os
import select
import signal
import sys
import traceback

from nous_billing import AsyncBillingClient, BillingClient, BillingError, StaticToken, StoredLogin
from nous_billing.auth import oauth
from tests.chaos.worker import work

# A worker that lives longer hangs.
WORKER_SECONDS = 120


def _warm_up(url: str) -> None:
    """Load what is loaded on first use, down to the TLS context."""
    import filelock
    import platformdirs

    assert filelock
    assert platformdirs
    with contextlib.suppress(BillingError), BillingClient(StaticToken("none"), base_url=url) as client:
        client.get_billing_state()

    async def ask() -> None:
        async with AsyncBillingClient(StaticToken("none"), base_url=url) as client:
            with contextlib.suppress(BillingError):
                await client.get_billing_state()

    asyncio.run(ask())
    with contextlib.suppress(BillingError):
        StoredLogin("/nonexistent/login.json", portal_base_url=url).resolve()
    # A request for a token is given up on this machine's compressed time too.
    vars(oauth)["_REQUEST_SECONDS"] = 0.7
    gc.collect()
    gc.freeze()


class _Forking:
    """The other side."""

    def __init__(self) -> None:
        self._alive: set[int] = set()
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)

    def run(self) -> None:
        """Do what each line of standard input says, tell of each process that ends; in the end kill the rest."""
        waiting = b""
        while True:
            ready, _, _ = select.select([0, self._woken], [], [])
            if self._woken in ready:
                self._reap()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    break
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
        for process in self._alive:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _reap(self) -> None:
        os.read(self._woken, 4096)
        while self._alive and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            self._alive.discard(ended[0])
            print("ended", ended[0], os.waitstatus_to_exitcode(ended[1]), flush=True)

    def _obey(self, order: dict | int) -> None:
        if isinstance(order, int):
            # One that has ended and is not reaped yet still has its number; no other process is hit.
            if order in self._alive:
                os.kill(order, signal.SIGKILL)
            return
        child = os.fork()
        if not child:
            self._work(order)
        self._alive.add(child)
        print("forked", child, flush=True)

    def _work(self, task: dict) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._woken)
        os.close(self._wakes)
        signal.alarm(WORKER_SECONDS)
        try:
            work(task)
        except BaseException:  # noqa: BLE001 - the parent is told by the exit code
            traceback.print_exc()
            os._exit(1)
        os._exit(0)


if __name__ == "__main__":
    _warm_up(sys.argv[1])
    print("forked 0", flush=True)
    _Forking().run()
