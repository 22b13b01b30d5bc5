"""What a given client raises: whether the charge may have been made."""

import functools

import httpx
import pytest
from httpx_aiohttp import HttpxAiohttpClient

import nous_billing as nb
from nous_billing import AsyncBillingClient, StaticToken
from tests.plain import NO_ROOTS
from tests.sockets.harness import charge, failure
from tests.sockets.raw_server import Answer, RawServer, answer
from tests.tracers import views

from .given import both_libraries, given, hook, transport

ACCEPTED = answer(202, {"chargeId": "ch_1"})


def refuse(*_):
    raise RuntimeError("the program's own rule")


def unreported(request):
    request.extensions = {}


@pytest.fixture
def gone():
    """The address of a server that is gone."""
    with RawServer() as server:
        pass
    return server.url


@both_libraries
@pytest.mark.parametrize(
    "arguments",
    [
        lambda kind, library: {"event_hooks": {"request": [hook(kind, refuse)]}},
        # It refuses to write it.
        lambda kind, library: {"headers": {"X-Theirs": "a\0b"}},
        lambda kind, library: {"params": {"x": "\ud800"}},
    ],
    ids=["hook", "header", "parameter"],
)
def test_what_fails_before_the_library_sends_is_not_sent(arguments, library, client_kind, server):
    error = failure(charge, given(client_kind, library, server.url, **arguments(client_kind, library)))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
    assert server.requests == []


@both_libraries
@pytest.mark.parametrize("retries", [0, 1])
def test_the_librarys_own_transport_that_cannot_connect_has_sent_nothing(retries, library, client_kind, gone):
    own = getattr(library, "AsyncHTTPTransport" if client_kind.is_async else "HTTPTransport")(retries=retries)
    error = failure(charge, given(client_kind, library, gone, mounts={"all://": own}))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)


@both_libraries
def test_what_a_proxy_is_asked_is_not_the_request(library, client_kind, server):
    server.script.append(answer(407, b"", then="close"))
    error = failure(charge, given(client_kind, library, "https://portal.test", proxy=server.url))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
    assert [request.method for request in server.requests] == ["CONNECT"]


@both_libraries
@pytest.mark.parametrize(
    "hooks", [[], [unreported]], ids=["reported", "a hook that takes away what the transport reports to"]
)
def test_a_lost_reply_may_be_that_of_a_charge(hooks, library, client_kind, server):
    server.script.append(Answer(then="reset"))
    hooks = {"request": [hook(client_kind, each) for each in hooks]}
    error = failure(charge, given(client_kind, library, server.url, event_hooks=hooks))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, True)
    assert len(server.requests) == 1


@both_libraries
def test_a_transport_that_tries_again_may_have_sent_although_it_cannot_connect(library, client_kind, server, gone):
    def again(request, send):
        """Fail over to another backend, as wrappers of the library's transport do."""
        request.url = library.URL(f"{gone}/api/billing/charge")
        request.extensions = {}
        return send(request)

    def once(request, send):
        try:
            return send(request)
        except library.TransportError:
            return again(request, send)

    async def aonce(request, send):
        try:
            return await send(request)
        except library.TransportError:
            return await again(request, send)

    server.script.append(Answer(then="reset"))
    wrapped = transport(client_kind, library, aonce if client_kind.is_async else once)
    error = failure(charge, given(client_kind, library, server.url, transport=wrapped))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, True)
    assert len(server.requests) == 1


@both_libraries
@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("ConnectError", nb.BillingNetworkError),
        ("ConnectTimeout", nb.BillingTimeout),
        ("ReadError", nb.BillingNetworkError),
        ("ReadTimeout", nb.BillingTimeout),
        (RuntimeError("odd"), nb.BillingNetworkError),
        (OSError(5, "odd"), nb.BillingNetworkError),
        (UnicodeEncodeError("ascii", "x", 0, 1, "odd"), nb.BillingNetworkError),
    ],
    ids=str,
)
def test_a_transport_of_somebody_else_may_have_sent_whatever_it_raises(raised, kind, library, client_kind):
    def handler(request):
        raise getattr(library, raised)("odd") if isinstance(raised, str) else raised

    mock = library.MockTransport(handler)
    error = failure(charge, given(client_kind, library, "https://portal.test", transport=mock))
    assert (type(error), error.error, error.outcome_unknown) == (kind, "network_error", True)


@both_libraries
@pytest.mark.parametrize(("raised", "unknown"), [("ConnectError", False), ("ReadTimeout", True)])
def test_what_a_test_answers_instead_of_the_network_is_taken_at_its_word(
    raised, unknown, library, client_kind, monkeypatch
):
    name, method = "HTTPTransport", "handle_request"
    if client_kind.is_async:
        name, method = "AsyncHTTPTransport", "handle_async_request"

    def handler(self, request):
        raise getattr(library, raised)("odd")

    monkeypatch.setattr(getattr(library, name), method, handler)
    assert failure(charge, given(client_kind, library, "http://localhost")).outcome_unknown is unknown


@both_libraries
def test_a_client_that_sends_in_a_way_of_its_own_may_have_sent(library, client_kind, server):
    kind = getattr(library, "AsyncClient" if client_kind.is_async else "Client")

    class Own(kind):
        def send(self, *_, **__):
            raise ValueError("lost")

    http = client_kind.keep(Own(verify=NO_ROOTS))
    client = client_kind.client(StaticToken("t"), base_url=server.url, http_client=http)
    assert failure(charge, client).outcome_unknown is True


@both_libraries
def test_a_client_whose_sending_is_only_looked_on_sends_as_the_librarys(library, client_kind, server, monkeypatch):
    kind = getattr(library, "AsyncClient" if client_kind.is_async else "Client")
    own = kind.send

    # As Sentry does.
    @functools.wraps(own)
    def look_on(self, *args, **kwargs):
        return own(self, *args, **kwargs)

    monkeypatch.setattr(kind, "send", look_on)
    hooks = {"request": [hook(client_kind, refuse)]}
    error = failure(charge, given(client_kind, library, server.url, event_hooks=hooks))
    assert (error.outcome_unknown, server.requests) == (False, [])


@both_libraries
@pytest.mark.parametrize(("status", "kind"), [(401, nb.BillingAuthError), (429, nb.BillingRateLimited)])
@pytest.mark.parametrize("is_read", [False, True])
def test_what_a_hook_raises_for_a_status_is_the_answer(status, kind, is_read, library, client_kind, server):
    async def refuse_read(response):
        await response.aread()
        response.raise_for_status()

    def read_and_refuse(response):
        response.read()
        response.raise_for_status()

    plain = hook(client_kind, lambda response: response.raise_for_status())
    refuse = (refuse_read if client_kind.is_async else read_and_refuse) if is_read else plain
    server.otherwise = answer(status, {"message": "The portal's own words."}, {"Retry-After": "7"})
    error = failure(charge, given(client_kind, library, server.url, event_hooks={"response": [refuse]}))
    assert (type(error), error.status, error.retry_after, error.outcome_unknown) == (kind, status, 7, False)
    assert (error.message == "The portal's own words.") is is_read


@both_libraries
@pytest.mark.parametrize("moment", ["request", "response", "connection"])
def test_what_a_given_client_raises_shows_no_token(moment, library, client_kind, server, gone):
    def quote(event):
        headers = getattr(event, "request", event).headers
        raise ValueError(f"refused: {headers['authorization']}")

    hooks = {} if moment == "connection" else {moment: [hook(client_kind, quote)]}
    url = gone if moment == "connection" else server.url
    error = failure(charge, given(client_kind, library, url, token="canary", event_hooks=hooks))
    cause = error.__cause__
    # An error of the library has the request as an attribute.
    shown = [str(error), *views(cause), *views(getattr(getattr(cause, "_request", None), "headers", None))]
    assert not [view for view in shown if "canary" in view]


@both_libraries
@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_hook_raises_for_the_status_of_another_request_is_no_answer(is_known, library, client_kind, server):
    other = library.Response(429, request=library.Request("GET", "http://elsewhere.test") if is_known else None)

    def raising(request):
        raise library.HTTPStatusError("429", request=request, response=other)

    refuse = hook(client_kind, raising)
    error = failure(charge, given(client_kind, library, server.url, event_hooks={"request": [refuse]}))
    assert (type(error), error.status, error.outcome_unknown) == (nb.BillingNetworkError, None, False)


@pytest.mark.anyio
async def test_a_lost_reply_over_aiohttp_is_no_matter_of_time(server):
    server.script.append(Answer(then="close"))
    async with HttpxAiohttpClient() as http:
        client = AsyncBillingClient(StaticToken("t"), base_url=server.url, http_client=http)
        with pytest.raises(nb.BillingNetworkError) as caught:
            await client.post_charge(amount_usd=50, idempotency_key="k")
        assert (type(caught.value), caught.value.outcome_unknown) == (nb.BillingNetworkError, True)
        server.script.append(ACCEPTED)
        assert (await client.post_charge(amount_usd=50, idempotency_key="k")).charge_id == "ch_1"
    assert [request.headers["connection"] for request in server.requests] == ["close", "close"]


def test_the_names_that_are_not_public_are_there():
    """Without them a charge is still sent on its own connection, but may be answered by what an earlier one left."""
    from nous_billing.transport.httpx_pool import transport_for

    with httpx.Client() as http:
        own = transport_for(http, httpx.URL("https://portal.test"))
        assert type(own) is httpx.HTTPTransport
        assert (own._pool.connections, own._pool._requests) == ([], [])
