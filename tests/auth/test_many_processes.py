"""Eight processes that share one login: whoever is first refreshes it, for all."""

import json
from collections import Counter
from functools import partial

import pytest

from nous_billing.mock import MockPortal
from tests.auth.support import House, Nursery, asked, end_worker, start_worker, state_status, until

PROCESSES = 8
CALLS = 50


@pytest.fixture
def live(tmp_path):
    """A portal on real time, as processes of their own have no other."""
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield House(portal, tmp_path / "config" / "login.json")
    assert portal.violations == []


def start(nursery, house, pause):
    """Fork the processes, let them go at the same moment, and return where they write what came of it."""
    go = house.path.with_name("go")
    results = [house.path.with_name(f"result-{number}") for number in range(PROCESSES)]
    for number, result in enumerate(results):
        kind = "async" if number % 2 else "sync"
        nursery.fork("calls", kind, house.path, CALLS, pause, go, result)
    go.touch()
    return results


def end(nursery, results):
    assert [nursery.ended() for _ in results] == [0] * PROCESSES
    return sum((Counter(json.loads(result.read_text())) for result in results), Counter())


def test_eight_processes_on_an_expired_login_refresh_it_once(live):
    login = live.put_expired()
    with Nursery() as nursery:
        assert end(nursery, start(nursery, live, 0)) == {"ok": PROCESSES * CALLS}
    assert live.refreshes() == [login.refresh_token]
    assert {request.status for request in asked(live.portal, "get_billing_state")} == {200}
    assert state_status(live.portal, live.entry()["access_token"]) == 200


def test_eight_processes_on_tokens_of_two_seconds_spend_no_refresh_token_twice(live, monkeypatch):
    live.put_expired()
    monkeypatch.setattr(live.portal.oauth, "log_in", partial(live.portal.oauth.log_in, lifetime=2))
    with Nursery() as nursery:
        assert end(nursery, start(nursery, live, 0.055)) == {"ok": PROCESSES * CALLS}
    sent = live.refreshes()
    assert 2 <= len(sent) == len(set(sent)) <= 12
    assert not live.portal._session(live.entry()["access_token"]).revoked


def test_a_token_that_is_rejected_in_the_middle_costs_eight_processes_one_refresh(live):
    live.put_expired()
    with Nursery() as nursery:
        results = start(nursery, live, 0.005)
        until(lambda: len(asked(live.portal, "get_billing_state")) > 120, seconds=30)
        rejected = live.entry()["access_token"]
        live.portal.expire(rejected)
        assert end(nursery, results) == {"ok": PROCESSES * CALLS}
    sent = live.refreshes()
    assert len(sent) == len(set(sent)) == 2
    statuses = Counter(request.status for request in asked(live.portal, "get_billing_state"))
    assert statuses[200] == PROCESSES * CALLS
    assert 1 <= statuses[401] <= PROCESSES * 5
    assert state_status(live.portal, live.entry()["access_token"]) == 200


def test_a_process_that_was_not_forked_takes_the_pair_of_another(live):
    login = live.put_expired()
    token = live.source().resolve().access_token
    worker = start_worker("ask", "client", live.path)
    try:
        output, errors = worker.communicate(timeout=20)
    finally:
        end_worker(worker)
    assert (output, errors) == ("answered\n", "")
    assert live.refreshes() == [login.refresh_token]
    assert live.entry()["access_token"] == token
    live.close()
