"""What the drivers do with a question to the caller, and with what the caller's own code raises."""

import asyncio

import pytest

from nous_billing.clock import AsyncSystemClock, SystemClock
from nous_billing.credentials import Credentials
from nous_billing.errors import BillingInvalidRequest, BillingNetworkError
from nous_billing.protocol.exchange import CallUser, Resolve, RunBlocking
from nous_billing.transport.async_driver import AsyncDriver
from nous_billing.transport.driver import Driver


class Source:
    """Counts how often it is asked; says that nothing has changed, whatever a step-up did."""

    def __init__(self):
        self.asked = 0

    def fingerprint(self):
        return "the same"

    def resolve(self, *, rejected=None):
        self.asked += 1
        return Credentials(f"token-{self.asked}")


def run(flow, source=None):
    return Driver(None, SystemClock(), source or Source()).run(flow)


def arun(flow, source=None):
    async def running():
        return await AsyncDriver(None, AsyncSystemClock(), source or Source()).run(flow)

    return asyncio.run(running())


EACH_DRIVER = pytest.mark.parametrize("run", [run, arun])


def asking(question):
    return (yield CallUser(question))


@EACH_DRIVER
@pytest.mark.parametrize("answer", [True, False, None, "yes"])
def test_a_plain_function_is_asked_and_its_answer_handed_on_as_it_is(run, answer):
    assert run(asking(lambda: answer)) is answer


@pytest.mark.parametrize("answer", [True, False])
def test_what_a_question_returns_is_awaited_where_there_is_a_loop(answer):
    async def step_up():
        await asyncio.sleep(0)
        return answer

    assert arun(asking(step_up)) is answer


@EACH_DRIVER
def test_a_token_is_remembered_and_forgotten_after_a_question(run):
    def flow():
        tokens = []
        for question in (False, False, True):
            if question:
                yield CallUser(lambda: True)
            tokens.append((yield Resolve(float("inf"))).access_token)
        return tokens

    assert run(flow()) == ["token-1", "token-1", "token-2"]


@EACH_DRIVER
@pytest.mark.parametrize("step", [CallUser, RunBlocking])
def test_a_typed_error_is_thrown_into_the_flow(run, step):
    error = BillingNetworkError("The browser did not open.")

    def fails():
        raise error

    def flow():
        try:
            yield step(fails)
        except BillingNetworkError as caught:
            return caught

    assert run(flow()) is error


@pytest.mark.parametrize("step", [CallUser, RunBlocking])
def test_a_stop_iteration_of_the_callers_own_is_not_taken_for_the_end_of_the_flow(step):
    ended = []

    def flow():
        yield step(lambda: next(iter(())))
        ended.append(True)

    with pytest.raises(StopIteration):
        run(flow())
    assert ended == []


def test_a_stop_iteration_of_the_callers_own_is_not_taken_for_the_end_of_the_flow_in_a_loop():
    with pytest.raises(RuntimeError, match="StopIteration"):
        arun(asking(lambda: next(iter(()))))


def test_a_closed_client_says_what_to_do():
    driver = Driver(None, SystemClock(), Source())
    driver.close()
    with pytest.raises(BillingInvalidRequest, match=r"^This client was closed\. Make a new one\.$"):
        driver.run(resolving())


def resolving():
    return (yield Resolve(float("inf")))
