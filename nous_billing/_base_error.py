"""What every error of a billing call carries; public in ``errors``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._printable import printable, printable_value
from ._reply_headers import NO_HEADERS, ReplyHeaders, request_id


class BillingError(Exception):
    """A billing call failed. ``str()`` of it is a sentence for a person.

    A terminal can print every text of it but ``payload``, which is as the portal sent it: control characters, escape
    sequences and marks that turn the direction of text are left out of the sentence, and replaced in codes.

    Attributes:
        message: The sentence.
        status: The HTTP status of the reply, or None where there was none.
        error: The code of the failure: the portal's own (``"no_payment_method"``), or this SDK's where the portal gave
            none (``"network_error"``, ``"invalid_amount"``); None where a reply had no code.
        portal_url: An absolute link where a person can put it right, or None.
        retry_after: Seconds to wait before trying again, or None.
        payload: The decoded JSON body of the reply; empty where there was none.
        headers: The headers of the reply, found by their names in any case; empty where there was none.
        outcome_unknown: True when a charge may have been made all the same: send the same idempotency key again, never
            a new one. Also True when settings may have been saved all the same: read the billing state.

    Examples:
        >>> error = BillingError("The card was refused.", status=403, payload={"recovery": "reconnect"})
        >>> str(error), error.status, error.recovery, error.outcome_unknown
        ('The card was refused.', 403, 'reconnect', False)
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        error: str | None = None,
        portal_url: str | None = None,
        retry_after: int | None = None,
        payload: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        message = printable(message)
        error = None if error is None else printable_value(error)
        super().__init__(message)
        self.message = message
        self.status = status
        self.error = error
        self.portal_url = portal_url
        self.retry_after = retry_after
        self.payload: dict[str, Any] = dict(payload or {})
        self.headers: ReplyHeaders = ReplyHeaders(headers) if headers else NO_HEADERS
        self.outcome_unknown = outcome_unknown

    @property
    def code(self) -> str | None:
        """The portal's later name of the failure; older portals send none."""
        return self._text("code")

    @property
    def actor(self) -> str | None:
        """Who stopped the spending: ``"self"``, ``"admin"``, or None where the portal does not say."""
        return self._text("actor")

    @property
    def recovery(self) -> str | None:
        """What helps: ``"login"``, ``"reconnect"``, ``"enable_account_toggle"``, or None where it is not said."""
        return self._text("recovery")

    @property
    def request_id(self) -> str | None:
        """The id of the request at the portal, or None where no reply has one. Tell it to the portal's support."""
        return request_id(self.headers)

    def _text(self, key: str) -> str | None:
        value = self.payload.get(key)
        return printable_value(value) if isinstance(value, str) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.args, self.__dict__)


def _unpickle(cls: type[BillingError], args: tuple[Any, ...], attributes: dict[str, Any]) -> BillingError:
    error = cls.__new__(cls, *args)
    # A version without headers may have pickled it.
    error.__dict__.update({"headers": NO_HEADERS, **attributes})
    return error
