"""Turns every failure of an exchange into a typed error that says whether the request may have taken effect."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from .. import errors
from .._printable import printable, printable_value, shortened
from ..errors import BillingError
from ..portal import portal_link
from .annotations import field_types, wire_name
from .decoding import ContractBreach, read
from .error_codes import CLASSES, REFUSALS, is_documented
from .operations import Operation
from .replies import Failure, Reply, decode_json, retry_after, unknown_outcome, without_outcome

# Codes of a 503 after which nothing was done, as their descriptions promise.
FAILS_CLOSED = frozenset({"temporarily_unavailable", "stripe_unavailable"})


def error_from_reply(reply: Reply, base_url: str, operation: Operation[object]) -> BillingError:
    """Return the typed error for a reply that is not a success: by its status first, then by its code."""
    payload = _payload(reply)
    code = printable_value(_text(payload, "error") or "") or None
    unknown = not operation.is_read and _may_have_acted(reply.status, code)
    error_class = _class_of_unknown(reply.status) if unknown else _error_class(reply.status, code)
    if error_class is errors.BillingResponseError:
        code = code or "endpoint_unavailable"
    message = shortened(printable(_text(payload, "message") or ""))
    if not message.strip():
        message = _default_message(reply.status, code, unknown=unknown)
    if operation.is_read:
        # An answer to a read says nothing about a charge.
        message = without_outcome(message)
    error = error_class(
        f"{message}{_unknown_outcome(operation)}" if unknown else message,
        status=reply.status,
        error=code,
        portal_url=portal_link(base_url, payload.get("portalUrl")),
        retry_after=retry_after(reply),
        payload=payload,
        headers=reply.headers,
        outcome_unknown=unknown,
    )
    for name, kind in field_types(cast("type", error_class)).items():
        key = wire_name(name)
        with suppress(ContractBreach):
            setattr(error, name, read(kind, payload.get(key), base_url, key))
    return error


def error_from_failure(
    failure: Failure, operation: Operation[object], headers: Mapping[str, str] | None = None
) -> BillingError:
    """Return the typed error for a request that got no complete reply, but for the headers that came of it."""
    unknown = not operation.is_read and failure.sent
    if unknown:
        outcome = _unknown_outcome(operation)
    elif operation.moves_money:
        outcome = " Nothing was charged."
    else:
        outcome = " Nothing was saved." if operation.changes_settings else ""
    error_class = errors.BillingTimeout if failure.timed_out else errors.BillingNetworkError
    error = error_class(
        f"{'The portal did not answer in time' if failure.timed_out else 'Could not reach the portal'}: "
        f"{failure.reason}.{outcome}",
        error="network_error",
        headers=headers,
        outcome_unknown=unknown,
    )
    error.__cause__ = failure.cause
    return error


def response_error(
    reply: Reply, operation: Operation[object], error: str, message: str, payload: object = None
) -> BillingError:
    """Return the typed error for a success whose body breaks the contract."""
    unknown = not operation.is_read
    return errors.BillingResponseError(
        f"{message}{_unknown_outcome(operation) if unknown else ''}",
        status=reply.status,
        error=error,
        payload=payload if isinstance(payload, dict) else None,  # pyright: ignore[reportUnknownArgumentType]
        headers=reply.headers,
        outcome_unknown=unknown,
    )


def _may_have_acted(status: int, code: str | None) -> bool:
    """Whether a request that changes something may have taken effect despite this answer.

    Only the portal's own refusal is definite: JSON with a code and, for a 503, the code of a gate that fails closed. A
    4xx page without a code comes from something in front of the portal, such as a filter of replies. Two statuses need
    no code: a server asks for a login (401) or limits the rate (429) before it handles the request. A 409 with an
    unknown code may mean that the same key is still being processed.
    """
    if status == 409:
        return not is_documented(status, code)
    if 400 <= status < 500 and not _is_of_a_proxy(status):
        return code is None and status not in (401, 429)
    return not (code in FAILS_CLOSED and is_documented(status, code))


def _is_of_a_proxy(status: int) -> bool:
    """Whether a proxy uses this status when it gives up waiting: 408, or a non-standard one such as 460 or 499."""
    from http import HTTPStatus  # Only failures need it.

    return status == HTTPStatus.REQUEST_TIMEOUT or status not in set(HTTPStatus)


def _class_of_unknown(status: int) -> type[BillingError]:
    failing = status >= 500 or (not 300 <= status < 400 and _is_of_a_proxy(status))
    return errors.BillingServerError if failing else errors.BillingResponseError


def _error_class(status: int, code: str | None) -> type[BillingError]:
    if code is not None and is_documented(status, code):
        return REFUSALS[code][1]
    return CLASSES.get(status, _class_of_unknown(status))


def _default_message(status: int, code: str | None, *, unknown: bool) -> str:
    if code is not None and is_documented(status, code):
        return REFUSALS[code][2]
    if 300 <= status < 400:
        return f"The portal's address redirects (HTTP {status}), which is not followed. Check the base URL."
    if _class_of_unknown(status) is errors.BillingServerError:
        return f"The portal is failing (HTTP {status}). Try again shortly."
    if unknown and code not in (None, "endpoint_unavailable"):
        return f"The portal's answer does not say for certain what it did ({code}, HTTP {status})."
    if unknown:
        return f"Something other than the billing API answered (HTTP {status}). Check the base URL."
    if code == "endpoint_unavailable":
        return f"There is no billing API at this address (HTTP {status}). Check the base URL."
    return f"The portal refused the request ({code or f'HTTP {status}'})."


def _unknown_outcome(operation: Operation[object]) -> str:
    if operation.moves_money:
        return unknown_outcome(operation.changes or "payment")
    return f" The {operation.changes or 'settings'} may have been saved: read {operation.shown_by} to find out."


def _payload(reply: Reply) -> dict[str, Any]:
    try:
        payload = decode_json(reply.body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) and value.strip() else None
