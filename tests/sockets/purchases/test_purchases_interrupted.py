"""Real programs that buy: interrupted with Ctrl-C at every moment, and two of them with the same key."""

import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nous_billing.mock import Fault
from nous_billing.mock.faults import FaultQueue
from tests.auth.support import child_environment, until
from tests.registry import KEY
from tests.sockets.shop import AMOUNT, Shop

SECONDS = 30


class Buyer:
    """A process that buys what it is told to."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parents[1] / "buyer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def order(self, kind, shop, key=KEY):
        order = {
            "kind": kind,
            "url": shop.portal.url,
            "token": shop.portal.issue_token(),
            "store": str(shop.folder),
            "key": key,
            "amount": AMOUNT,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def until_heard(self, heard):
        while self._lines.get(timeout=SECONDS) != {"heard": heard}:
            pass

    def ended(self):
        while "ended" not in (line := self._lines.get(timeout=SECONDS)):
            pass
        return line

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)

    def close(self):
        self._process.kill()
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def buyers():
    """Two processes for all tests of this module: to start one takes longer than a purchase."""
    both = [Buyer(), Buyer()]
    try:
        for buyer in both:
            buyer.until_heard("ready")
        yield both
    finally:
        for buyer in both:
            buyer.close()


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    # What is interrupted while it waits would wait for long.
    mock_portal.settle_after = 1000
    return Shop(client_kind, mock_portal, tmp_path)


MOMENTS = {
    # The faults that the program meets, the operation that it is in or what it was told, what is left, the charges.
    "before anything is sent": ([("get_billing_state", Fault.stall())], "get_billing_state", None, 0),
    "in the post, and it is charged": ([("post_charge", Fault.stall(acts=True))], "post_charge", "sending", 1),
    "in the post, and it is not charged": ([("post_charge", Fault.stall())], "post_charge", "sending", 0),
    # Where the signal comes late, it comes in the second post.
    "between two posts": (
        [("post_charge", Fault.drop(acts=True)), ("post_charge", Fault.stall())],
        "error",
        "sending",
        1,
    ),
    "waiting": ([], "pending", "pending", 1),
}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
@pytest.mark.parametrize(("faults", "moment", "left", "charges"), MOMENTS.values(), ids=MOMENTS)
def test_ctrl_c_says_what_it_leaves_open_and_the_same_key_goes_on(faults, moment, left, charges, buyers, shop):
    for operation, fault in faults:
        shop.portal.inject(fault, operation)
    buyer = buyers[0]
    buyer.order(shop.kind.name, shop)
    if moment in ("get_billing_state", "post_charge"):
        until(lambda: any(request.operation == moment for request in list(shop.portal.requests)), SECONDS)
        # The portal notes a request before it acts on it.
        until(lambda: len(shop.ledger()) == charges, SECONDS)
    else:
        buyer.until_heard(moment)
    buyer.interrupt()
    end = buyer.ended()
    assert end["interrupt"] is True
    if shop.kind.is_async or left is None:
        assert end["ended"] == "KeyboardInterrupt"
    else:
        assert end["ended"] == "BillingPurchaseInterrupted"
        assert f"(Key {KEY}, started " in end["text"]
        assert end["charge_id"] == (shop.portal.organisation.charges[0].id if left == "pending" else None)
    kept = shop.kept()
    assert (kept and kept.status) == left
    assert len(shop.ledger()) == charges

    # The second fault of two may not have been met.
    shop.portal.faults = FaultQueue()
    shop.portal.settle_after = 0
    shop.portal.clock.advance(1000)
    client = shop.client()
    outcomes = client.resume_purchases(shop.folder)
    assert [outcome.charge_id for outcome in outcomes] == ([] if left is None else [kept.charge_id])
    # That never makes a charge.
    assert len(shop.ledger()) == charges
    shop.assert_paid(shop.press(client))
    shop.assert_one_charge(posts=len(shop.posts()))


@pytest.mark.parametrize("fault", [None, Fault.drop(acts=True)], ids=["good", "a reply lost"])
def test_two_programs_with_the_same_key_are_one_purchase(fault, buyers, mock_portal, tmp_path, client_kind):
    mock_portal.settle_after = 0
    shop = Shop(client_kind, mock_portal, tmp_path)
    if fault is not None:
        shop.portal.inject(fault, "post_charge")
    for buyer, kind in zip(buyers, ("sync", client_kind.name), strict=True):
        buyer.order(kind, shop)
    ends = [buyer.ended() for buyer in buyers]
    (charge,) = shop.portal.organisation.charges
    assert ends == [{"ended": "settled", "charge_id": charge.id}] * 2
    assert shop.kept().status == "settled"
    shop.assert_one_charge(posts=len(shop.posts()))
