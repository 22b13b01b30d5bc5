"""What to tell a person about an error: the library's sentence, and what this command knows beyond it."""

from __future__ import annotations

import os

from nous_billing import (
    BillingAuthError,
    BillingError,
    BillingIdempotencyConflict,
    BillingPurchaseUncertain,
    BillingScopeRequired,
)

from .text import duration

NOTHING_CHARGED = "Nothing was charged."
CHARGED_NOTHING_NOW = "This command charged nothing. Whether an earlier one with this key did is not known here."
LOGIN = "nous-billing login"
_TOKEN = "NOUS_TOKEN is used instead of a login: set another one, or unset it."  # noqa: S105 - a sentence


def has_token() -> bool:
    """Whether the environment's token takes the place of a login."""
    return bool(os.environ.get("NOUS_TOKEN", "").strip())


def explain(error: BillingError, claim: str = "") -> str:
    """Return the sentences for an error.

    Args:
        claim: What is certain about money, if the error itself leaves nothing open and does not say it.
    """
    said = [_sentence(error)]
    is_said = claim == NOTHING_CHARGED and "othing " in said[0]
    # A key that was used before may well have charged.
    if not (error.outcome_unknown or isinstance(error, BillingIdempotencyConflict) or is_said):
        said.append(claim)
    if error.retry_after and not isinstance(error, BillingPurchaseUncertain):
        said.append(f"The portal asks to wait {duration(error.retry_after)}.")
    elif error.retry_after:
        said.append(f"The portal asks to wait {duration(error.retry_after)} before that.")
    if isinstance(error, (BillingAuthError, BillingScopeRequired)):
        if has_token():
            said.append("" if "NOUS_TOKEN" in error.message else _TOKEN)
        elif not _can_log_in(error):
            said.append("After that, log in again.")
    return " ".join(filter(None, said))


def next_command(error: BillingError) -> str | None:
    """Return the command to run next, if there is one that helps."""
    needs_login = isinstance(error, (BillingAuthError, BillingScopeRequired)) and not has_token()
    return LOGIN if needs_login and _can_log_in(error) else None


def _can_log_in(error: BillingError) -> bool:
    # What is wrong with the file of the login has to be fixed first: logging in would fail the same way.
    return "login.json" not in error.message


def _sentence(error: BillingError) -> str:
    if isinstance(error, BillingIdempotencyConflict):
        return (
            "This key was already used for something else. Run the command with what it was used for; a new purchase "
            "needs a new key. Nothing more was charged."
        )
    if isinstance(error, BillingAuthError) and error.message.startswith("Not logged in"):
        return "You are not logged in."
    if isinstance(error, BillingAuthError) and has_token():
        # A login would not be used beside the token.
        return error.message.removesuffix(" Log in again.")
    return error.message
