"""How long to leave the token endpoint alone after it failed."""

from __future__ import annotations

from ..protocol.replies import Failure, Reply, retry_after

# A `Retry-After` that is wrong must not lock a person out for days.
LONGEST_PAUSE = 3600
_FIRST_PAUSE = 5
_GROWTH = 3
_LONGEST_BACKOFF = 300
# Nothing reached the portal, and a person who is back online should not wait for long.
_LONGEST_BACKOFF_UNSENT = 30
# Keeps the power small.
_MOST_FAILURES = 10


def wanted_pause(answer: Reply | Failure) -> int | None:
    """Return the seconds that a reply asks for in ``Retry-After``, an hour at most; None where it asks for none."""
    seconds = retry_after(answer) if isinstance(answer, Reply) else None
    return min(seconds, LONGEST_PAUSE) if seconds else None


def pause_after(answer: Reply | Failure, failures: int) -> int:
    """Return the seconds until the next renewal may be tried: what the portal asks for, or exponential backoff.

    Args:
        failures: How many renewals in a row failed before this one.
    """
    is_unsent = isinstance(answer, Failure) and not answer.sent
    longest = _LONGEST_BACKOFF_UNSENT if is_unsent else _LONGEST_BACKOFF
    return wanted_pause(answer) or backoff(failures, longest)


def backoff(failures: int, longest: int = _LONGEST_BACKOFF) -> int:
    """Return the seconds of exponential backoff after so many failures in a row before this one."""
    pause: int = min(_FIRST_PAUSE * _GROWTH ** min(failures, _MOST_FAILURES), longest)
    return pause
