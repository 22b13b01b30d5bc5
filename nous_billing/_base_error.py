"""What every error of a billing call carries; public in ``errors``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._printable import printable, printable_value
from ._reply_headers import ReplyHeaders, request_id


class BillingError(Exception):
    """A billing call failed. ``str()`` of it is a sentence for a person.

    A terminal can print every text of it but ``payload``, which is as the portal sent it: control characters, escape
    sequences and marks that turn the direction of text are left out of the sentence, and replaced in codes.

    Attributes:
        message: The sentence.
        status: The HTTP status of the reply, or None if no reply came.
        error: The code of the failure: the portal's own (``"no_payment_method"``), or this SDK's if the portal gave
            none (``"network_error"``, ``"invalid_amount"``); None if a reply had no code.
        portal_url: An absolute link to the page on which a person can fix it, or None.
        retry_after: Seconds to wait before trying again, or None.
        payload: The decoded JSON body of the reply; empty if there was none.
        headers: The headers of the reply, found by their names in any case; empty if there was none.
        outcome_unknown: True if a charge may have been made despite the error: send the same idempotency key again,
            never a new one. Also True if settings may have been saved: read the billing state.

    Examples:
        >>> payload = {"recovery": "reconnect"}
        >>> error = BillingError("Refused.", status=403, payload=payload)
        >>> str(error), error.status, error.recovery, error.outcome_unknown
        ('Refused.', 403, 'reconnect', False)
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
        self.message: str = message
        self.status: int | None = status
        self.error: str | None = error
        self.portal_url: str | None = portal_url
        self.retry_after: int | None = retry_after
        self.payload: dict[str, Any] = dict(payload or {})
        self.headers: ReplyHeaders = ReplyHeaders(headers)
        self.outcome_unknown: bool = outcome_unknown

    @property
    def code(self) -> str | None:
        """The portal's later name of the failure; older portals send none."""
        return self._text("code")

    @property
    def actor(self) -> str | None:
        """Who stopped the spending: ``"self"``, ``"admin"``, or None if the portal does not say."""
        return self._text("actor")

    @property
    def recovery(self) -> str | None:
        """What helps: ``"login"``, ``"reconnect"``, ``"enable_account_toggle"``, or None if the portal does not say."""
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
    error.__dict__.update({"headers": ReplyHeaders(), **attributes})
    return error
