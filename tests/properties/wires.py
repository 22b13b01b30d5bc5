"""What can happen to a reply on its way: each takes the bytes that the portal sent and says what arrives."""

import gzip
import re
from functools import partial

from hypothesis import strategies as st

from tests.sockets.raw_server import Answer

ENDS = st.sampled_from(["close", "reset"])
# Ten mebibytes of zeros, and what a client would have that unpacked them twice.
BOMB = gzip.compress(bytes(10 * 2**20))
STATUS_LINES = [
    b"", b"\x00", b"garbage", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 abc OK", b"HTTP/1.1 20 OK", b"HTTP/9.9 202 OK",
    b"HTTP/0.9 202 OK", b"http/1.1 202 OK", b"HTTP/1.1 0202 OK", b"HTTP/1.1 -202 OK", b"HTTP/1.1 2\xc2\xb2 OK",
    b"HTTP/1.1  202 OK", b"HTTP/1.0 202 OK", b"HTTP/2 202", b"ICY 202 OK", b"SSH-2.0-OpenSSH_9.7", b"HTTP/1.1 199 OK",
    b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 100 Continue", b"HTTP/1.1 204 No Content", b"HTTP/1.1 99999 OK",
]  # fmt: skip
LENGTHS = [b"0", b"1", b"-1", b"two", b"", b"1e3", b"0x10", b"99999", b"9" * 30, b"+20", b"20, 20", b"20, 21"]
CHUNKS = [
    b"0\r\n\r\n", b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"-1\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n",
    b"2;x=y\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}", b"2\r\n{}\r\n0\r\nX: y\r\n\r\n", b"\r\n\r\n", b"2{}0",
]  # fmt: skip
LOCATIONS = [
    "{elsewhere}/api/billing/state", "//{elsewhere_host}/", "/other", "", "?", "#", "::bad", "http://[", "http://h:x/",
    "javascript:alert(1)", "data:,x", "file:///etc/passwd", "ftp://127.0.0.1/", "https://user:word@127.0.0.1/",
    "\xff", "x" * 5000, "{elsewhere}", "http:{elsewhere_host}", "\\\\{elsewhere_host}", "{here}/api/billing/charge",
]  # fmt: skip


def _split(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, [line for line in lines if not line.lower().startswith(b"content-length:")], body


def _joined(first, lines, body):
    return b"\r\n".join([first, *lines]) + b"\r\n\r\n" + body


def _cut(reply, *, share, then):
    return Answer(reply[: int(share * len(reply))], then)


def _with_status_line(reply, *, line, then):
    _, lines, body = _split(reply)
    return Answer(_joined(line, [*lines, b"Content-Length: %d" % len(body)], body), then)


def _with_lengths(reply, *, lengths, then):
    first, lines, body = _split(reply)
    return Answer(_joined(first, [*lines, *(b"Content-Length: " + length for length in lengths)], body), then)


def _in_chunks(reply, *, chunks, then):
    first, lines, _ = _split(reply)
    return Answer(_joined(first, [*lines, b"Transfer-Encoding: chunked"], chunks), then)


def _with_headers(reply, *, size, count, then):
    first, lines, body = _split(reply)
    more = [b"X-%d: " % number + b"x" * size for number in range(count)]
    return Answer(_joined(first, [*lines, *more, b"Content-Length: %d" % len(body)], body), then)


def _with_noise(reply, *, at, noise, then):
    # What says which status it is stays: a refusal in its place could not be told from a true one.
    start = len(b"HTTP/1.1 202")
    place = start + int(at * (len(reply) - start))
    return Answer(reply[:place] + noise + reply[place + len(noise) :], then)


def _redirect(reply, *, status, location, then):
    where = location.encode("latin-1")
    return Answer(_joined(b"HTTP/1.1 %d Moved" % status, [b"Location: " + where, b"Content-Length: 0"], b""), then)


def _compressed(reply, *, coding, body, then):
    first, lines, _ = _split(reply)
    more = [b"Content-Encoding: " + coding, b"Content-Length: %d" % len(body)]
    return Answer(_joined(first, [*lines, *more], body), then)


def _replaced(reply, *, data, then):
    # Nor may noise say by chance that the portal refused.
    return Answer(re.sub(rb"^HTTP/1", b"XTTP/1", data), then)


MANGLED = {
    "cut": st.builds(partial, st.just(_cut), share=st.floats(0, 1), then=ENDS),
    "status line": st.builds(partial, st.just(_with_status_line), line=st.sampled_from(STATUS_LINES), then=ENDS),
    "length": st.builds(
        partial,
        st.just(_with_lengths),
        lengths=st.lists(st.sampled_from(LENGTHS) | st.integers(0, 300).map(lambda n: b"%d" % n), max_size=2),
        then=ENDS,
    ),
    "chunks": st.builds(
        partial, st.just(_in_chunks), chunks=st.sampled_from(CHUNKS) | st.binary(max_size=50), then=ENDS
    ),
    "headers": st.builds(
        partial, st.just(_with_headers), size=st.integers(0, 200_000), count=st.integers(1, 3), then=ENDS
    )
    | st.builds(partial, st.just(_with_headers), size=st.just(10), count=st.integers(100, 5000), then=ENDS),
    "noise": st.builds(
        partial, st.just(_with_noise), at=st.floats(0, 1), noise=st.binary(min_size=1, max_size=20), then=ENDS
    ),
    "redirect": st.builds(
        partial,
        st.just(_redirect),
        status=st.integers(300, 399),
        location=st.sampled_from(LOCATIONS),
        then=ENDS | st.just("keep"),
    ),
    "compressed": st.builds(
        partial,
        st.just(_compressed),
        coding=st.sampled_from([b"gzip", b"gzip, gzip", b"deflate", b"br", b"zstd", b"x", b"identity, gzip"]),
        body=st.sampled_from([BOMB, gzip.compress(BOMB), b"", b"{}"]),
        then=ENDS,
    ),
    "other bytes": st.builds(partial, st.just(_replaced), data=st.binary(max_size=100), then=ENDS),
}
