"""Each step is answered with what was sent for it, and the type checkers know the type of that answer."""

from typing import assert_type

import pytest

from nous_billing.credentials import Credentials
from nous_billing.protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Sleep
from nous_billing.protocol.replies import Failure, Reply
from tests.unit.drive import PREVIEW, charge, credentials, play, reply


def resolving() -> Flow[object]:
    return assert_type((yield from Resolve(1.0)), Credentials | Failure)


def sending() -> Flow[object]:
    return assert_type((yield from Send(charge(), PREVIEW, None, 1.0)), Reply | Failure)


def sleeping() -> Flow[object]:
    yield from Sleep(1.0)
    return None


def working() -> Flow[object]:
    return assert_type((yield from RunBlocking(lambda: 3)), int)


def asking() -> Flow[object]:
    return assert_type((yield from CallUser(lambda: True)), object)


@pytest.mark.parametrize(
    ("flow", "answer"), [(resolving, credentials()), (sending, reply()), (sleeping, None), (working, 3), (asking, True)]
)
def test_a_step_evaluates_to_its_answer(flow, answer):
    assert play(flow(), answer).result is answer
