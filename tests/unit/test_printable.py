"""Text of the portal reaches no terminal with characters that a terminal obeys."""

import pytest

from nous_billing._printable import printable, printable_value
from nous_billing.errors import BillingError
from nous_billing.models import BillingState, ChargeFailed, ChargePending, ChargeStatus
from nous_billing.protocol import operations
from nous_billing.protocol.decoding import read
from nous_billing.protocol.failures import error_from_reply
from tests.unit.drive import reply

ROWS = {
    "Your card was declined.": "Your card was declined.",
    "": "",
    "Grüße, 東京, 👩\u200d💻, \u05e9\u05dd": "Grüße, 東京, 👩\u200d💻, \u05e9\u05dd",
    "\x1b[31mred\x1b[0m": "red",
    "\x1b[2J\x1b[1;1Hgone": "gone",
    "\x1b[?25l\x1b[ qx": "x",
    "\x9b31mred": "red",
    "\x1b]0;title\x07text": "text",
    "\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\": "link",
    "\x9d0;title\x9ctext": "text",
    "\x1bPq#0\x1b\\\x1bXa\x9c\x1b^b\x07\x1b_c\x1b\\text": "text",
    "\x90a\x9c\x98b\x9c\x9ec\x9c\x9fd\x9ctext": "text",
    "\x1bcreset": "creset",
    "one\r\ntwo\tthree\x0bfour\x85five\u2028six\u2029seven\x1ceight": "one two three four five six seven eight",
    "a\x00b\x07c\x08d\x1fe\x7ff\x80g\x9fh": "abcdefg",
    "\u202agpj.\u202b\u202c\u202d\u202eexe\u2066\u2067\u2068\u2069": "gpj.exe",
    "\u200ea\u200fb\u061cc\ufeffd\U000e0041\U000e0000\U000e007fe": "abcde",
    "half \ud83d a \udc00": "half \ufffd a \ufffd",
    "tail\x1b[": "tail[",
    "\u2027\u202f\u2065\u206a": "\u2027\u202f\u2065\u206a",
}


@pytest.mark.parametrize("text", ROWS, ids=ascii)
def test_only_what_can_be_printed_on_one_line_is_left(text):
    assert printable(text) == ROWS[text]
    printable(text).encode()
    assert printable(printable(text)) == printable(text)


def test_every_text_of_an_error_can_be_printed_and_its_payload_is_as_it_was_sent():
    payload = {"code": "a\x1b[1m", "actor": "b\u202e", "recovery": "c\x07", "message": "d\x00"}
    error = BillingError("no\x1b[2J\nway", error="e\x9b1m", payload=payload)
    assert (str(error), error.message, error.args) == ("no way", "no way", ("no way",))
    assert (error.error, error.code) == ("e\ufffd1m", "a\ufffd[1m")
    assert (error.actor, error.recovery) == ("b\ufffd", "c\ufffd")
    assert error.payload == payload
    assert BillingError("x").error is None


def test_results_for_a_person_can_be_printed_and_ids_are_exact():
    hostile, shown = "a\x1b[1mb", "a\ufffd[1mb"
    failed = read(ChargeFailed, {"status": "failed", "reason": hostile}, "https://portal.test")
    assert (failed.reason, failed.raw["reason"]) == (shown, hostile)
    state = {
        "org": dict.fromkeys(("id", "slug", "name", "role"), hostile),
        "balanceUsd": "1",
        "cliBillingEnabled": True,
        "chargePresets": [],
        "bounds": {"minUsd": "1", "maxUsd": "2"},
        "card": None,
        "monthlyCap": None,
        "autoReload": {
            "enabled": False,
            "thresholdUsd": None,
            "reloadToUsd": None,
            "card": {"kind": "distinct", "paymentMethodId": hostile, "brand": hostile, "last4": None},
        },
    }
    org = read(BillingState, state, "https://portal.test").org
    assert (org.id, org.slug, org.name, org.role) == (hostile, shown, shown, shown)
    card = read(BillingState, state, "https://portal.test").auto_reload.card
    assert (card.payment_method_id, card.brand) == (hostile, shown)


UNPRINTABLE = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F)]
UNPRINTABLE += [*range(0x2066, 0x206A), 0xD800, 0xDFFF, 0xFEFF, 0xE0000, 0xE007F]


@pytest.mark.parametrize("character", list(map(chr, UNPRINTABLE)), ids=ascii)
def test_an_unknown_value_does_not_become_one_that_is_known(character):
    for value in (f"settled{character}", f"{character}settled", f"set{character}tled"):
        assert printable_value(value) == value.replace(character, "\ufffd")
        status = read(ChargeStatus, {"status": value}, "https://portal.test")
        assert (type(status), status.status) == (ChargePending, printable_value(value))
        assert BillingError("x", error=value).error == printable_value(value)


@pytest.mark.parametrize("value", ["settled", "Grüße \u200d 東京", "\u2027\u202f\u2065\u206a\u200d\u2010", " ~\xa0"])
def test_a_value_that_can_be_printed_stays_as_it_is(value):
    assert printable_value(value) == value


LONG = "x" * 100_000


@pytest.mark.parametrize("status", [400, 403, 409, 503])
@pytest.mark.parametrize(
    "body", [{"error": "role_required", "message": LONG}, {"error": LONG}, {"error": "x", "portalUrl": f"/{LONG}"}]
)
def test_a_person_is_not_shown_a_text_of_any_length_and_the_payload_has_it_whole(status, body):
    operation = operations.post_charge(50, "key-1")
    error = error_from_reply(reply(status, body), "https://portal.test", operation)
    assert len(str(error)) < 1300
    assert max(len(error.error), len(error.portal_url or "")) <= 1001
    assert str(error).endswith("key, never a new one.") is error.outcome_unknown
    assert error.payload == body
    failed = read(ChargeFailed, {"status": "failed", "reason": LONG}, "https://portal.test")
    assert (failed.reason, failed.raw["reason"]) == (f"{LONG[:1000]}…", LONG)


@pytest.mark.parametrize("message", ["\x07", "\x1b[0m", "\u202e \n"])
def test_a_message_of_which_nothing_is_left_is_none(message):
    operation = operations.get_billing_state()
    bodies = ({"error": "role_required", **more} for more in ({}, {"message": message}))
    first, second = (error_from_reply(reply(403, body), "https://portal.test", operation) for body in bodies)
    assert str(first) == str(second) != ""
