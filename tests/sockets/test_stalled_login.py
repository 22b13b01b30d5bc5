"""A file system that does not answer, such as a dead network drive with the login: what it holds and what not."""

import asyncio
import os
import threading
import time
from concurrent.futures import Future

import pytest

import nous_billing as nb
from nous_billing import AsyncBillingClient, StoredLogin
from nous_billing.credentials import CredentialMemo
from tests.sockets.harness import failure, read

SECONDS = 0.4
pytestmark = pytest.mark.usefixtures("approved_at_once")


@pytest.fixture
def login(mock_portal, tmp_path):
    def make(name):
        login = StoredLogin(tmp_path / name / "login.json", portal_base_url=mock_portal.url)
        login.login(lambda code: mock_portal.approve_device(code.user_code))
        made.append(login)
        return login

    made = []
    yield make
    for each in made:
        each.close()


@pytest.fixture
def stalled(monkeypatch):
    """Files that ``os.stat`` does not find until they are let go."""
    real, stalled = os.stat, {}

    def stat(path, *arguments, **more):
        if os.fspath(path) in stalled:
            stalled[os.fspath(path)].wait(30)
        return real(path, *arguments, **more)

    class Files:
        def add(self, login):
            stalled[str(login.path)] = threading.Event()

        def let_go(self):
            for event in stalled.values():
                event.set()
            stalled.clear()

    monkeypatch.setattr(os, "stat", stat)
    files = Files()
    yield files
    files.let_go()


def beside():
    """The threads for credentials."""
    names = ("nous-billing-look", "nous-billing-credentials")
    return [thread for thread in threading.enumerate() if thread.name in names]


def test_a_file_that_stalls_holds_a_call_until_its_deadline_and_one_thread(client_kind, login, stalled):
    home = login("a")
    client = client_kind.client(home, timeout=SECONDS)
    read(client)
    before = len(beside())
    stalled.add(home)
    for _ in range(4):
        begun = time.monotonic()
        error = failure(read, client)
        assert time.monotonic() - begun < 5 * SECONDS
        assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, False)
        assert str(error) == (
            "The portal did not answer in time: the credentials were still being read or renewed when the time was up."
        )
    assert len(beside()) <= before + 1
    stalled.let_go()
    read(client)


def test_a_stall_ends_with_the_call_that_waits_for_it(client_kind, login, stalled):
    home = login("a")
    client = client_kind.client(home, timeout=20)
    read(client)
    stalled.add(home)
    threading.Timer(0.1, stalled.let_go).start()
    read(client)


def test_a_file_that_stalls_before_the_first_call_holds_one_thread(client_kind, login, stalled):
    home = login("a")
    client = client_kind.client(home, timeout=SECONDS)
    before = len(beside())
    stalled.add(home)
    for _ in range(3):
        assert type(failure(read, client)) is nb.BillingTimeout
    # Longer than other work is shared.
    time.sleep(1.1)
    assert type(failure(read, client)) is nb.BillingTimeout
    assert len(beside()) <= before + 1


def test_one_login_that_stalls_does_not_hold_another(client_kind, login, stalled):
    dead, alive = login("a"), login("b")
    clients = [client_kind.client(each) for each in (dead, alive)]
    for client in clients:
        read(client)
    stalled.add(dead)
    assert type(failure(read, clients[0], timeout=SECONDS)) is nb.BillingTimeout
    read(clients[1])


def test_a_logout_is_noticed_at_once(client_kind, login):
    home = login("a")
    client = client_kind.client(home)
    for _ in range(3):
        read(client)
    home.logout()
    assert type(failure(read, client)) is nb.BillingAuthError


@pytest.mark.parametrize("warm", [True, False])
def test_an_event_loop_goes_on_while_a_file_stalls(login, stalled, warm):
    home, longest = login("a"), 0.0

    async def beat():
        nonlocal longest
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - begun)

    async def run():
        async with AsyncBillingClient(home, timeout=SECONDS) as client:
            if warm:
                await client.get_billing_state()
            stalled.add(home)
            beating = asyncio.create_task(beat())
            calls = [client.get_billing_state() for _ in range(20)]
            errors = await asyncio.gather(*calls, return_exceptions=True)
            beating.cancel()
            return {type(error) for error in errors}

    assert asyncio.run(run()) == {nb.BillingTimeout}
    assert longest < SECONDS


def test_a_look_that_ends_without_an_answer_lets_the_source_be_asked(client_kind, mock_portal, monkeypatch):
    over = Future()
    over.set_result(None)
    looks = [over]
    monkeypatch.setattr(CredentialMemo, "stalled", property(lambda self: looks.pop() if looks else None))
    client = client_kind.client(nb.StaticToken(mock_portal.issue_token()), base_url=mock_portal.url)
    assert client.get_billing_state().org.name == "Acme"
    assert looks == []
