"""Which connections are kept, and which is used next."""

import threading

import pytest

from nous_billing.transport import idle_connections
from nous_billing.transport.endpoint import Endpoint
from nous_billing.transport.idle_connections import IdleConnections

HERE, ELSEWHERE = Endpoint(True, "portal.test", 443), Endpoint(True, "other.test", 443)


class Connection:
    """Of a connection, what is asked of one."""

    def __init__(self, to=HERE):
        self.endpoint = to
        self.kept = self.usable = True
        self.has_expired = self.closed = False

    def may_be_kept(self):
        return self.kept

    def may_be_used(self):
        return self.usable

    def close(self):
        self.closed = True


@pytest.fixture
def idle():
    return IdleConnections()


def kept(idle, *connections):
    for each in connections:
        idle.give_back(each)
    return connections


def test_the_connection_that_was_used_last_is_used_first(idle):
    assert idle.take(HERE) is None
    first, second = kept(idle, Connection(), Connection())
    assert [idle.take(HERE) for _ in range(3)] == [second, first, None]
    assert not first.closed


def test_a_connection_to_one_portal_is_not_used_for_another(idle):
    here, _ = kept(idle, Connection(), Connection(ELSEWHERE))
    assert [idle.take(HERE), idle.take(HERE)] == [here, None]


def test_what_cannot_be_kept_is_closed(idle):
    connection = Connection()
    connection.kept = False
    idle.give_back(connection)
    assert connection.closed
    assert idle.take(HERE) is None


def test_what_cannot_be_used_any_more_is_closed_and_the_next_is_taken(idle):
    good, bad = kept(idle, Connection(), Connection())
    bad.usable = False
    assert idle.take(HERE) is good
    assert (good.closed, bad.closed) == (False, True)


def test_what_was_kept_for_too_long_is_closed_though_it_is_never_used_again(idle):
    old = kept(idle, Connection(ELSEWHERE), Connection())
    for each in old:
        each.has_expired = True
    (new,) = kept(idle, Connection())
    assert [each.closed for each in old] == [True, True]
    assert idle.take(HERE) is new


def test_no_more_are_kept_than_are_used(idle, monkeypatch):
    monkeypatch.setattr(idle_connections, "CONNECTIONS", 2)
    connections = kept(idle, Connection(ELSEWHERE), Connection(), Connection())
    assert [each.closed for each in connections] == [True, False, False]


def test_none_to_a_portal_is_kept_that_is_in_doubt(idle):
    *doubtful, other = kept(idle, Connection(), Connection(), Connection(ELSEWHERE))
    idle.evict(HERE)
    assert [each.closed for each in doubtful] == [True, True]
    assert (idle.take(HERE), idle.take(ELSEWHERE)) == (None, other)


def test_a_connection_that_comes_back_after_the_end_is_closed(idle):
    early, late = Connection(), Connection()
    kept(idle, early)
    assert not idle.is_closed
    idle.close()
    kept(idle, late)
    assert (idle.is_closed, early.closed, late.closed) == (True, True, True)


def test_one_that_comes_back_while_all_are_closed_is_closed_too(idle):
    connection = Connection()
    connection.may_be_kept = lambda: idle.close() is None
    idle.give_back(connection)
    assert connection.closed


def test_one_that_another_thread_has_taken_meanwhile_is_left_to_it(idle):
    other, good = kept(idle, Connection(), Connection())
    # While this one is looked at, another thread takes and uses the other.
    good.may_be_used = lambda: idle._idle.remove(other)
    assert idle.take(HERE) is None
    assert (good.closed, other.closed) == (True, False)


def test_one_that_another_thread_is_closing_is_left_to_it(idle):
    other, connection = kept(idle, Connection(), Connection())
    other.close = lambda: idle._idle.remove(connection)
    idle.evict(HERE)
    assert not connection.closed


def test_one_that_is_too_old_when_it_comes_back_is_closed(idle):
    connection = Connection()
    connection.has_expired = True
    idle.give_back(connection)
    assert connection.closed


def test_no_two_threads_use_one_connection_at_once(idle):
    using, twice, made = set(), [], []

    def use():
        for _ in range(500):
            connection = idle.take(HERE)
            if connection is None:
                connection = Connection()
                made.append(connection)
            if connection in using:
                twice.append(connection)
            using.add(connection)
            using.discard(connection)
            idle.give_back(connection)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert twice == []
    assert set(idle._idle) == set(made)
    assert len(idle._idle) == len(made) <= 8
