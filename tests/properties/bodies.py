"""Bodies that a portal or a proxy might send in the place of a valid one."""

import json

from hypothesis import strategies as st

from .contract import replies

# JSON of every type, and such as its readers stumble over.
ODD_JSON = [
    "null", "true", "0", "-1", "1.5", '""', '"x"', "[]", "{}", "[null]", '[["status","settled"]]',
    "NaN", "Infinity", "-Infinity", "1e400", "1e999999999", "1e99999999999999999999", "-0", "0.1e-400",
    '"\\ud800"', '"NaN"', '"1e5"', '"-1"', '"' + "9" * 40 + '"', "9" * 5000, "[" * 2000, "[" * 200_000,
    '{"a":' * 2000, "[" * 500 + "]" * 500,
]  # fmt: skip


def _members(text):
    body = json.loads(text)
    return body if isinstance(body, dict) and body else {"error": "x"}


def _written(members):
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


@st.composite
def _with_an_odd_value(draw, text):
    """A field gone, null, or of another type; at the top or one level below."""
    body = {name: json.dumps(value) for name, value in _members(text).items()}
    name = draw(st.sampled_from(sorted(body)))
    inner = json.loads(body[name])
    if isinstance(inner, dict) and inner and draw(st.booleans()):
        body[name] = draw(_with_an_odd_value(body[name]))
    elif draw(st.integers(0, 3)) == 0:
        del body[name]
    else:
        body[name] = draw(st.sampled_from(ODD_JSON))
    return _written(body.items())


@st.composite
def _with_a_duplicate_key(draw, text):
    members = [(name, json.dumps(value)) for name, value in _members(text).items()]
    name = draw(st.sampled_from(members))[0]
    return _written([*members, (name, draw(st.sampled_from(ODD_JSON)))])


# Each takes the text of a valid body and gives a strategy of bytes.
MUTATIONS = {
    "as it is": lambda text: st.just(text.encode()),
    "an odd value": lambda text: _with_an_odd_value(text).map(str.encode),
    "a duplicate key": lambda text: _with_a_duplicate_key(text).map(str.encode),
    "odd JSON": lambda text: st.sampled_from(ODD_JSON).map(str.encode),
    "a byte order mark": lambda text: st.just(b"\xef\xbb\xbf" + text.encode()),
    "another encoding": lambda text: st.sampled_from(["utf-16", "utf-16-le", "utf-32", "utf-7"]).map(text.encode),
    "bad UTF-8": lambda text: st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00"]).flatmap(
        lambda bad: st.integers(0, len(text.encode())).map(lambda at: text.encode()[:at] + bad + text.encode()[at:])
    ),
    "truncated": lambda text: st.integers(0, len(text.encode())).map(lambda at: text.encode()[:at]),
    "concatenated": lambda text: st.sampled_from([text.encode(), b"{}", b"garbage", b"\x00"]).map(
        lambda more: text.encode() + more
    ),
    "2 MiB": lambda text: st.sampled_from([b" ", b"x", b"[", b"\x00"]).map(lambda fill: text.encode() + fill * 2**21),
    "any bytes": lambda text: st.binary(max_size=200),
    "any text": lambda text: st.text(max_size=200).map(str.encode),
    "a web page": lambda text: st.just(b"<!doctype html><h1>Bad gateway</h1>"),
}


def mutated(operation, status, mutation):
    """Bodies that are made by this mutation of what the contract documents for a pair."""
    return replies(operation, status).map(lambda reply: reply.body.decode()).flatmap(MUTATIONS[mutation])
