"""A request is told of also where it ends with an exception, or nothing can be loaded any more."""

import pytest

from nous_billing import _reporting
from nous_billing.events import ExchangeEnded
from nous_billing.protocol.exchange import Send
from nous_billing.transport.watching import Watched
from tests.unit.drive import PREVIEW, FakeClock, charge


def watch(clock):
    return Watched(Send(charge(), PREVIEW, None, 15.0), {}, clock)


def test_an_exception_ends_a_request_and_says_nothing_of_how_far_it_came():
    events, clock = [], FakeClock()

    def interrupted():
        clock.sleep(0.5)
        raise KeyboardInterrupt

    with _reporting.in_call(_reporting.Listener(events.append)), pytest.raises(KeyboardInterrupt), watch(clock):
        interrupted()
    (ended,) = (event for event in events if isinstance(event, ExchangeEnded))
    told = (ended.error, ended.status, ended.milliseconds, ended.was_sent, ended.connection)
    assert told == ("KeyboardInterrupt", None, 500.0, True, None)


def test_at_the_end_of_the_interpreter_nothing_is_told():
    def make(call):
        raise ImportError

    events = []
    with _reporting.in_call(_reporting.Listener(events.append)):
        assert _reporting.emit(make) is None
    assert [type(event).__name__ for event in events] == ["CallEnded"]
