"""Both clients do the same, always: the same requests, and the same result or error."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import nous_billing as nb
from tests.documented import CALLS
from tests.sockets.harness import Source
from tests.sockets.raw_server import Answer, RawServer, answer
from tests.unit.drive import OWNER_STATE, FakeClock

BODIES = [
    {"status": "pending"},
    {"status": "settled", "amountUsd": "50.25", "settledAt": "2026-06-13T10:00:00Z"},
    {"status": "failed", "reason": "card_declined"},
    {"chargeId": "ch_1"},
    {"ok": True},
    OWNER_STATE,
    *({"error": code, "portalUrl": "/billing"} for code in ("invalid_token", "session_revoked", "role_required")),
    {"error": "monthly_cap_exceeded", "remainingUsd": "1.50", "isDefaultCeiling": True},
    {"error": "temporarily_unavailable", "message": "Later."},
    [],
    b"",
    b"<h1>Bad gateway</h1>",
    b"\xff",
    b"[" * 100_000,
]
STATUSES = [200, 200, 200, 202, 204, 302, 400, 401, 401, 403, 404, 409, 429, 500, 503, 520]
HEADERS = [{}, {}, {"Retry-After": "7"}, {"Retry-After": "soon"}, {"Connection": "close"}, {"Content-Encoding": "gzip"}]


@st.composite
def answers(draw):
    """A reply, whole or not. A connection ends after a whole one only where it says so: whether a client saw it in time
    would be a matter of chance."""
    status = draw(st.sampled_from(STATUSES))
    headers = draw(st.sampled_from(HEADERS))
    body = b"" if status == 204 else draw(st.sampled_from(BODIES))
    whole = answer(status, body, headers, then="close" if "Connection" in headers else "keep")
    if draw(st.integers(0, 3)):
        return whole
    return Answer(
        whole.data[: int(draw(st.floats(0, 0.99)) * len(whole.data))], draw(st.sampled_from(["close", "reset"]))
    )


class AwaitedFakeClock(FakeClock):
    """The same for a task."""

    async def sleep(self, seconds):
        super().sleep(seconds)


@dataclass(frozen=True)
class Call:
    """A call, and what the server answers to its requests, one after the other."""

    name: str
    answers: list[Answer]


WAIT = "wait_for_charge"
SCRIPTS = st.lists(
    st.builds(Call, st.sampled_from([*CALLS, WAIT, WAIT]), st.lists(answers(), max_size=5)), min_size=1, max_size=6
)


def perform(kind, script, tokens):
    """Return what came of each call and poll, and when, what was asked of the source, and all that was sent."""
    polls: list[Any] = []
    source, clock = Source(tokens), AwaitedFakeClock() if kind.is_async else FakeClock()

    def on_poll(outcome):
        polls.extend([clock.passed, outcome])

    outcomes = []
    with RawServer() as server:
        client = kind.client(source, base_url=server.url, timeout=5, clock=clock)
        for call in script:
            server.script.clear()
            server.script.extend(call.answers)
            try:
                if call.name == WAIT:
                    outcomes.append(client.wait_for_charge("ch_1", interval=3, cap=10, on_poll=on_poll))
                else:
                    outcomes.append(CALLS[call.name](client))
            except nb.BillingError as error:
                outcomes.append(error)
        client.close()
        sent = [(request.connection, request.raw.replace(server.url[7:].encode(), b"")) for request in server.requests]
        shown = [comparable(outcome, server.url) for outcome in outcomes + polls]
    return shown, source.rejected, clock.passed, sent


def comparable(outcome, url):
    """All that a caller can see of a result or an error, without the server's own address."""
    if isinstance(outcome, BaseException):
        seen = {name: comparable(value, url) for name, value in vars(outcome).items()}
        return type(outcome), {**seen, "cause": type(outcome.__cause__)}
    if dataclasses.is_dataclass(outcome):
        return type(outcome), {f.name: comparable(getattr(outcome, f.name), url) for f in dataclasses.fields(outcome)}
    return outcome.replace(url, "") if isinstance(outcome, str) else outcome


def test_both_clients_do_the_same_with_the_same_script(both_kinds, for_all):
    def same(script, tokens):
        of_sync, of_async = (perform(kind, script, tokens) for kind in both_kinds)
        assert of_sync == of_async

    for_all(same, SCRIPTS, st.sampled_from([["one"], ["one", "two"], ["one", "two", "one"]]), share=0.6)
