"""What a login file may contain, and what is no login."""

import json

import pytest

from nous_billing._secrets import Secret, reveal_in_json
from nous_billing.auth.login_document import Unusable, recognise

DOCUMENTS = [
    {},
    {"portals": {}},
    {"version": 1},
    {"active_portal": "p", "note": 1},
    {"version": 1, "portals": {"p": None, "q": {"x": 1}, "r": "x", "s": [{}], "t": 1}},
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_has_a_key_of_ours_or_is_empty(document):
    assert recognise(json.dumps(document).encode()) == document


def test_tokens_are_secrets():
    document = recognise(b'{"portals": {"p": {"access_token": "a"}}}')
    assert isinstance(document["portals"]["p"]["access_token"], Secret)


def test_every_string_that_is_not_known_to_be_harmless_is_a_secret_and_is_written_as_it_was():
    login = {"agent_key": " k ", "keys": ["a", ["\ud800", {"secret": "s"}], 1], "note": {"x": "y"}, "scope": "a b"}
    dates = {"obtained_at": "2025-06-15T15:06:40Z", "expires_at": "x", "grant_expires_at": "y", "token_type": "Bearer"}
    content = {"version": 1, "active_portal": "p", "portals": {"p": {**login, **dates}}, "later": "l"}
    document = recognise(json.dumps(content).encode())
    shown = repr(document)
    assert [value for value in ("' k '", "'a'", "ud800", "'s'", "'y'", "'l'") if value in shown] == ["'y'"]
    assert (shown.count("***"), document["portals"]["p"]["scope"]) == (6, "a b")
    assert json.dumps(document, default=reveal_in_json) == json.dumps(content)


def test_lists_that_are_nested_as_deep_as_the_decoder_can_are_no_broken_login():
    content = b'{"later": ' + b"[" * 90 + b'"x"' + b"]" * 90 + b', "portals": {}}'
    json.loads(content)
    assert isinstance(recognise(content), dict)


BROKEN = (b'{"version": 1, "portals": {"x', b'{\r\n\t"version" :1,"active_portal" : "', b'{"version": 1, "portals":')
NOT_JSON = (b'{"version": 1, "portals": {}} more', b'{"version": 1, "portals": {"\xff": {}}}')
PORTALS: tuple = ([], "x", None, 1)
MISSHAPEN = [json.dumps({"version": 1, "portals": portals}).encode() for portals in PORTALS]


@pytest.mark.parametrize("content", [*BROKEN, *NOT_JSON, *MISSHAPEN])
def test_what_this_sdk_began_to_write_is_broken(content):
    assert recognise(content) is Unusable.BROKEN


@pytest.mark.parametrize("content", [b"", b" \n", b" " * 200])
def test_a_file_of_white_space_is_empty(content):
    assert recognise(content) is Unusable.EMPTY


@pytest.mark.parametrize("content", [bytes(100), b"{", b' {\n "', b'{"vers', b'{"version": 1', b'{"version": 1, "po'])
def test_what_any_program_may_have_begun_to_write_is_unclear(content):
    assert recognise(content) is Unusable.UNCLEAR


TEXTS = (b"alias ll='ls -l'\n", b"{'", b'{"versio"', b'{"x', b"x{", bytes(range(256)), b" " * 100 + b"x")
OTHERS = (b'{"version": 1, "updated_at": "', b'{"version": 1, "lockfileVersion": 2', b'{"version": 1, "x": 2}\n#')
WITHOUT_VERSION = (b'{"po', b'{"portals": {"x', b'{"active_portal": "', b'{"portals": []}')
HERMES = (b'{"version": 1, "providers": {}}', b'{"version": 1, "active_portal": "p", "credential_pool": {}}')
JSON = (b"[]", b'"login"', b"null", b"1", b'{"editor": "vi"}')
TORN_JSON = (b'[{"version": 1, ', b'{"editor": {"version": 1')


@pytest.mark.parametrize("content", [*TEXTS, *OTHERS, *WITHOUT_VERSION, *HERMES, *JSON, *TORN_JSON])
def test_anything_else_is_foreign(content):
    assert recognise(content) is Unusable.FOREIGN


def nested(depth):
    return '{"version": 1, "portals": {}, "later": ' + "[" * depth + "]" * depth + "}"


LONG_NUMBER = '{"version": 1, "portals": {}, "later": ' + "1" * 5000 + "}"


@pytest.mark.parametrize("content", [nested(100), nested(990), nested(200_000), "[" * 200_000, LONG_NUMBER])
def test_what_python_may_not_read_or_write_is_not_broken(content):
    assert recognise(content.encode()) is Unusable.UNREADABLE
    assert recognise(nested(98).encode()) == json.loads(nested(98))


@pytest.mark.parametrize("version", ["2", "0", "true", '"1"', "1.0", "null"])
def test_a_version_other_than_1_is_of_another_sdk(version):
    assert recognise(f'{{"version": {version}, "portals": []}}'.encode()) is Unusable.OTHER_VERSION


@pytest.mark.parametrize("content", [b'{"version": 2, "por', b'{\n "version" : 12,\n', b'{"version":10'])
def test_a_torn_file_may_have_another_version(content):
    assert recognise(content) is Unusable.OTHER_VERSION
