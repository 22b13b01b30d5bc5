"""What a server can do to a reply, byte by byte: always a result or a typed error, and the truth about a charge."""

import gzip
import json
import threading
import time
from functools import partial

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from tests.documented import CALLS, CHANGING, OPERATIONS, success
from tests.registry import KEY
from tests.sockets.harness import charge, failure, poll, read, save
from tests.sockets.raw_server import Answer, RawServer, answer

LIMIT = 1024 * 1024
STATE = success("get_billing_state")[1]
GOOD = {operation: answer(*success(operation)) for operation in OPERATIONS}
ACCEPTED = answer(202, {"chargeId": "ch_1"})


def chunked(reply, size=32):
    """The same reply in chunks of at most so many bytes."""
    head, _, body = reply.data.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0]
    parts = [body[at : at + size] for at in range(0, len(body), size)] + [b""]
    data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return Answer(status + b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + data)


def until_the_end(reply):
    """The same reply without a length: it ends with the connection."""
    head, _, body = reply.data.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return Answer(b"\r\n".join(kept) + b"\r\n\r\n" + body)


def assert_unusable(error, operation):
    """No usable reply: typed, and the outcome of a charge is not known."""
    assert type(error) in (nb.BillingNetworkError, nb.BillingResponseError)
    assert error.error in ("network_error", "invalid_response")
    assert error.outcome_unknown is (operation in CHANGING)
    assert str(error).endswith(".")


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize(
    ("operation", "framing"),
    [
        ("get_billing_state", lambda reply: reply),
        ("post_charge", lambda reply: reply),
        ("post_charge", chunked),
        ("post_charge", until_the_end),
    ],
    ids=["state", "charge", "charge in chunks", "charge without a length"],
)
def test_a_connection_that_ends_at_any_byte_is_a_typed_error(operation, framing, then, raw_client, server):
    whole = framing(GOOD[operation]).data
    for length in range(len(whole)):
        server.script.append(Answer(whole[:length], then))
        asked, connected = len(server.requests), server.connections
        error = failure(CALLS[operation], raw_client)
        assert_unusable(error, operation)
        # A drop on a new connection is no reason to send again.
        assert (len(server.requests), server.connections) == (asked + 1, connected + 1), length
    server.script.append(Answer(whole, "close"))
    result = CALLS[operation](raw_client)
    assert isinstance(result, nb.BillingState if operation == "get_billing_state" else nb.ChargeAccepted)


def test_a_reset_connection_reads_the_same_in_both_clients(raw_client, server):
    server.script.append(Answer(b"", "reset"))
    assert str(failure(read, raw_client)) == "Could not reach the portal: the connection broke."


NO_HTTP = [
    b"garbage\r\n\r\n",
    b"\x16\x03\x01\x00\xa5" + bytes(160),
    b"SSH-2.0-OpenSSH_9.7\r\n",
    b"HTTP/1.1 202\xff Accepted\r\n\r\n",
    b"HTTP/1.1 twohundred OK\r\n\r\n",
    b"HTTP/1.1 99 Odd\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 1000 Odd\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_bytes_that_are_no_http_are_a_typed_error(operation, raw_client, server):
    for number, data in enumerate(NO_HTTP, 1):
        server.script.append(Answer(data, "close"))
        error = failure(CALLS[operation], raw_client)
        assert type(error) is nb.BillingNetworkError, data[:40]
        assert error.error == "network_error"
        assert error.outcome_unknown is (operation in CHANGING)
        assert len(server.requests) == number


@pytest.mark.parametrize("length", ["1", "1000"])
def test_a_wrong_content_length_is_never_taken_for_a_reply(length, raw_client, server):
    data = ACCEPTED.data.replace(b"Content-Length: 20", b"Content-Length: " + length.encode())
    assert data != ACCEPTED.data
    server.script.append(Answer(data, "close"))
    assert_unusable(failure(charge, raw_client), "post_charge")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_status_that_http_does_not_know_is_a_failing_server(operation, raw_client, server):
    for status in (520, 599, 600, 999):
        server.script.append(answer(status, {"error": "odd"}))
        error = failure(CALLS[operation], raw_client)
        assert (type(error), error.status, error.error) == (nb.BillingServerError, status, "odd")
        assert error.outcome_unknown is (operation in CHANGING)


def test_informational_replies_are_passed_over(raw_client, server):
    server.script.append(Answer(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ACCEPTED.data))
    assert charge(raw_client).charge_id == "ch_1"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_switching_protocols_is_a_typed_error(operation, raw_client, server):
    server.script.append(Answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "close"))
    error = failure(CALLS[operation], raw_client)
    assert type(error) in (nb.BillingNetworkError, nb.BillingResponseError)
    assert error.outcome_unknown is (operation in CHANGING)


# --- Size


def test_a_reply_of_one_mebibyte_is_read(raw_client, server):
    body = json.dumps(STATE).encode()
    server.script.append(answer(200, body + b" " * (LIMIT - len(body))))
    assert read(raw_client).org.name == "Acme"


@pytest.mark.parametrize(
    ("framing", "frames"),
    [(lambda reply: reply, 0), (partial(chunked, size=1024), 7 * 1088)],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("operation", ["get_billing_state", "post_charge"])
def test_a_larger_reply_is_refused_without_reading_on(operation, framing, frames, raw_client, server):
    # What comes after is held back: who waits for it runs into the deadline. The slack is a read's buffer, the head
    # and, of chunks, seven bytes around each.
    first = framing(answer(200, b" " * 2 * LIMIT)).data[: LIMIT + 65536 + 1024 + frames]
    server.script.append(Answer(first, "hold"))
    error = failure(CALLS[operation], raw_client)
    assert (type(error), error.error) == (nb.BillingResponseError, "invalid_response")
    assert error.outcome_unknown is (operation in CHANGING)
    assert "1048576" in str(error)
    assert server.hung_up(1)


def test_a_large_refusal_keeps_its_class(raw_client, server):
    server.otherwise = answer(403, b" " * (LIMIT + 1))
    error = failure(poll, raw_client)
    assert (type(error), error.status, error.payload) == (nb.BillingAccessDenied, 403, {})
    # Whose refusal it is cannot be seen.
    error = failure(charge, raw_client)
    assert (type(error), error.status, error.outcome_unknown) == (nb.BillingResponseError, 403, True)


# --- Compression


CODINGS = ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "unheard-of"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_compressed_reply_is_refused_unread(operation, raw_client, server):
    body = gzip.compress(json.dumps(STATE).encode())
    for number, coding in enumerate(CODINGS, 1):
        # Not one byte of the body is sent: nobody can have decompressed any.
        server.script.append(Answer(answer(200, body, {"Content-Encoding": coding}).data[: -len(body)], "hold"))
        started = time.monotonic()
        error = failure(CALLS[operation], raw_client)
        assert time.monotonic() - started < 2
        assert (type(error), error.error) == (nb.BillingResponseError, "invalid_response"), coding
        assert error.outcome_unknown is (operation in CHANGING)
        assert "compressed" in str(error)
        assert server.hung_up(number)


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_the_identity_coding_is_accepted(coding, raw_client, server):
    server.script.append(answer(202, {"chargeId": "ch_1"}, {"Content-Encoding": coding}))
    assert charge(raw_client).charge_id == "ch_1"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_identity_is_what_is_asked_for(operation, raw_client, server):
    server.script.append(answer(400, {}))
    failure(CALLS[operation], raw_client)
    headers = server.requests[0].headers
    assert headers["accept-encoding"] == "identity"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"] == f"nous-billing/{nb.__version__}"


# --- Redirects and cookies


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_stays(status, operation, raw_client, server):
    with RawServer() as elsewhere:
        for location in (f"{elsewhere.url}/api/billing/state", f"//127.0.0.1:{elsewhere.port}/", "/other"):
            server.script.append(answer(status, b"", {"Location": location}))
            asked = len(server.requests)
            error = failure(CALLS[operation], raw_client)
            assert (type(error), error.status, error.error) == (nb.BillingResponseError, status, "endpoint_unavailable")
            assert error.outcome_unknown is (operation in CHANGING)
            assert len(server.requests) == asked + 1
        assert elsewhere.connections == 0


@pytest.mark.parametrize("location", ["::bad", "http://[", "http://h:port/", "\xff"])
def test_a_redirect_to_nowhere_is_a_typed_error(location, raw_client, server):
    for operation, call in CALLS.items():
        server.script.append(answer(302, b"", {"Location": location}))
        assert_unusable_redirect(failure(call, raw_client), operation)
    assert len(server.requests) == len(CALLS)


def assert_unusable_redirect(error, operation):
    # The HTTP library reads the address even where it must not follow it, and may refuse the reply for it.
    assert type(error) in (nb.BillingNetworkError, nb.BillingResponseError)
    assert error.outcome_unknown is (operation in CHANGING)


def test_a_cookie_is_not_sent_back(raw_client, server):
    server.otherwise = answer(200, {"status": "pending"}, {"Set-Cookie": "session=stolen; Path=/"})
    for _ in range(2):
        poll(raw_client)
    assert all("cookie" not in request.headers for request in server.requests)


# --- Kept-alive connections that are dead


def dies_on_second_use(then):
    """A server whose connections serve one request; the second is met by the end of the connection."""
    used = set()

    def reply(request):
        if request.connection in used:
            return Answer(b"", then)
        used.add(request.connection)
        return {"GET": answer(200, {"status": "pending"}), "POST": ACCEPTED}.get(
            request.method, answer(200, {"ok": True})
        )

    return reply


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_get_on_a_dead_connection_is_sent_again_once_on_a_new_one(then, raw_client, server):
    server.otherwise = dies_on_second_use(then)
    poll(raw_client)
    assert poll(raw_client).status == "pending"
    assert [request.connection for request in server.requests] == [1, 1, 2]
    assert len({request.raw for request in server.requests}) == 1


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_get_is_sent_again_once_only(then, raw_client, server):
    server.script.append(answer(200, {"status": "pending"}))
    server.otherwise = Answer(b"", then)
    poll(raw_client)
    assert type(failure(poll, raw_client)) is nb.BillingNetworkError
    assert [request.connection for request in server.requests] == [1, 1, 2]


def test_a_get_is_not_sent_a_third_time_where_the_new_connection_dies_too(client_kind, raw_client, server):
    both = threading.Barrier(2)

    def when_both_are_here(request):
        both.wait(5)
        return answer(200, {"status": "pending"})

    server.script += [when_both_are_here] * 2
    client_kind.together(raw_client, 2, "get_charge_status", "ch_1")
    server.otherwise = Answer(b"", "close")
    assert type(failure(poll, raw_client)) is nb.BillingNetworkError
    assert [request.connection for request in server.requests][3:] == [3]


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_charge_on_a_connection_that_dies_is_not_sent_again(then, raw_client, server):
    server.script.append(Answer(b"", then))
    server.otherwise = ACCEPTED
    error = failure(charge, raw_client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, True)
    assert [request.method for request in server.requests] == ["POST"]
    assert charge(raw_client).charge_id == "ch_1"
    assert [request.headers.get("idempotency-key") for request in server.requests] == [KEY, KEY]


@pytest.mark.parametrize("then", ["close", "reset"])
def test_settings_on_a_dead_connection_are_not_sent_again(then, raw_client, server):
    server.otherwise = dies_on_second_use(then)
    poll(raw_client)
    error = failure(save, raw_client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, True)
    assert str(error).endswith("The settings may have been saved: read the billing state to find out.")
    assert [request.method for request in server.requests] == ["GET", "PATCH"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_is_known_to_be_dead_is_replaced_unseen(operation, raw_client, server):
    closed_later = server.otherwise.data
    server.script.append(Answer(closed_later, "close"))
    server.script.append(GOOD[operation])
    poll(raw_client)
    assert server.hung_up(1)
    CALLS[operation](raw_client)
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize("operation", ["get_billing_state", "get_charge_status"])
def test_a_reply_that_breaks_off_on_a_kept_connection_is_not_asked_for_again(operation, client_kind, server):
    client = client_kind.client(StaticToken("token-1"), base_url=server.url, timeout=5)
    server.script.append(server.otherwise)
    poll(client)
    server.otherwise = Answer(GOOD["get_billing_state"].data[:-5], "close")
    assert type(failure(CALLS[operation], client)) is nb.BillingNetworkError
    assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_garbage_on_a_kept_connection_is_not_asked_for_again(operation, raw_client, server):
    poll(raw_client)
    server.otherwise = Answer(b"garbage\r\n\r\n", "close")
    error = failure(CALLS[operation], raw_client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, operation in CHANGING)
    assert len(server.requests) == 2
