"""What the service says of a purchase: the HTTP status, and a JSON body with a sentence for a person.

| status | outcome | meaning |
|---|---|---|
| 200 | paid | |
| 202 | not_known | accepted, or it may have been: ask again, or send the same request again |
| 402 | declined | the payment failed; nothing was charged |
| 403 | not_authorised | this login may not buy, or not see this purchase |
| 404 | not_found | this service does not know the purchase |
| 422 | refused | nothing was charged |
| 409 | refused | this request charged nothing: the action was begun with another amount |
| 429, 503 | refused | nothing was charged; try again later |
| 503 | not_known | the database does not answer |
"""

from collections.abc import Awaitable
from typing import Literal

from starlette.responses import JSONResponse

from nous_billing import (
    BillingAuthError,
    BillingError,
    BillingIdempotencyConflict,
    BillingNetworkError,
    BillingPurchaseNotFound,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
    BillingRateLimited,
    BillingRemoteSpendingRevoked,
    BillingRoleRequired,
    BillingScopeRequired,
    BillingServerError,
    Purchase,
)

Outcome = Literal["paid", "declined", "not_known", "refused", "not_authorised", "not_found"]

_NOT_AUTHORISED = (BillingAuthError, BillingScopeRequired, BillingRoleRequired, BillingRemoteSpendingRevoked)
_TRY_LATER = (BillingNetworkError, BillingPurchaseStoreError, BillingServerError)


async def answer(key: str, asked: Awaitable[Purchase]) -> JSONResponse:
    try:
        purchase = await asked
    except BillingError as error:
        return of_error(error, key)
    return JSONResponse(body_of(purchase), status_of(purchase))


def status_of(purchase: Purchase) -> int:
    match purchase.status:
        case "settled":
            return 200
        case "sending" | "pending":
            return 202
        case "failed":
            return 402
        case "not_made":
            return 422


def body_of(purchase: Purchase) -> dict[str, str | None]:
    return {
        "key": purchase.key,
        "outcome": outcome_of(purchase),
        "message": purchase.message,
        "amount_usd": str(purchase.amount_usd),
        "charge_id": purchase.charge_id,
        "portal_url": purchase.portal_url,
    }


def outcome_of(purchase: Purchase) -> Outcome:
    match purchase.status:
        case "settled":
            return "paid"
        case "sending" | "pending":
            return "not_known"
        case "failed":
            return "declined"
        case "not_made":
            return "refused"


def of_error(error: BillingError, key: str) -> JSONResponse:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return JSONResponse(body_of_error(error, key), _status_and_outcome(error)[0], headers)


def body_of_error(error: BillingError, key: str) -> dict[str, str | None]:
    _, outcome = _status_and_outcome(error)
    message, portal_url = error.message, error.portal_url
    if _is_for_another_organisation(error):
        # The SDK's own sentences name the other organisation, the amount and the charge.
        message, portal_url = "Your login is not for the organisation of this purchase.", None
    return {"key": key, "outcome": outcome, "message": message, "portal_url": portal_url}


def _is_for_another_organisation(error: BillingError) -> bool:
    # Of a purchase that is open the SDK says that its end is not known, and why.
    cause: BillingError | None = error
    while cause is not None and cause.error != "wrong_organisation":
        cause = getattr(cause, "last_error", None)
    return cause is not None


def _status_and_outcome(error: BillingError) -> tuple[int, Outcome]:
    if _is_for_another_organisation(error):
        return 403, "not_authorised"
    if isinstance(error, BillingPurchaseNotFound):
        return 404, "not_found"
    if error.outcome_unknown:
        cause = error.last_error if isinstance(error, BillingPurchaseUncertain) else error
        # A 202 would promise that the store has the purchase.
        return 503 if isinstance(cause, BillingPurchaseStoreError) else 202, "not_known"
    if isinstance(error, _NOT_AUTHORISED):
        return 403, "not_authorised"
    if isinstance(error, BillingRateLimited):
        return error.status or 429, "refused"
    if isinstance(error, _TRY_LATER):
        return 503, "refused"
    return 409 if isinstance(error, BillingIdempotencyConflict) else 422, "refused"
