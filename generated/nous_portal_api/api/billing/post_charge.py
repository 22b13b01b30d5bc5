from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.amount_out_of_bounds import AmountOutOfBounds
    from ...models.card_expired import CardExpired
    from ...models.card_mismatch import CardMismatch
    from ...models.card_paused import CardPaused
    from ...models.charge_accepted import ChargeAccepted
    from ...models.charge_request import ChargeRequest
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.consent_required import ConsentRequired
    from ...models.idempotency_conflict import IdempotencyConflict
    from ...models.idempotency_key_required import IdempotencyKeyRequired
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.monthly_cap_exceeded import MonthlyCapExceeded
    from ...models.no_payment_method import NoPaymentMethod
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.stripe_unavailable import StripeUnavailable
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...models.validation_failed import ValidationFailed
    from ...types import Response

    _Parsed = (
        AmountOutOfBounds
        | IdempotencyKeyRequired
        | ValidationFailed
        | Any
        | CardExpired
        | CardMismatch
        | CardPaused
        | CliBillingDisabled
        | ConsentRequired
        | InsufficientScope
        | MonthlyCapExceeded
        | NoPaymentMethod
        | OrgAccessDenied
        | RemoteSpendingRevoked
        | RoleRequired
        | ChargeAccepted
        | IdempotencyConflict
        | InvalidToken
        | SessionRevoked
        | RateLimited
        | StripeUnavailable
        | TemporarilyUnavailable
    )


def _get_kwargs(*, body: ChargeRequest, idempotency_key: str) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {"method": "post", "url": "/api/billing/charge"}
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.amount_out_of_bounds import AmountOutOfBounds
    from ...models.card_expired import CardExpired
    from ...models.card_mismatch import CardMismatch
    from ...models.card_paused import CardPaused
    from ...models.charge_accepted import ChargeAccepted
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.consent_required import ConsentRequired
    from ...models.idempotency_conflict import IdempotencyConflict
    from ...models.idempotency_key_required import IdempotencyKeyRequired
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.monthly_cap_exceeded import MonthlyCapExceeded
    from ...models.no_payment_method import NoPaymentMethod
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.stripe_unavailable import StripeUnavailable
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...models.validation_failed import ValidationFailed
    from ...types import first_that_fits

    if response.status_code == 202:
        response_202 = ChargeAccepted.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        return first_that_fits(response.json(), ValidationFailed, AmountOutOfBounds, IdempotencyKeyRequired)

    if response.status_code == 401:
        return first_that_fits(response.json(), InvalidToken, SessionRevoked)

    if response.status_code == 403:
        return first_that_fits(
            response.json(),
            InsufficientScope,
            RemoteSpendingRevoked,
            RoleRequired,
            OrgAccessDenied,
            CliBillingDisabled,
            NoPaymentMethod,
            MonthlyCapExceeded,
            ConsentRequired,
            CardPaused,
            CardExpired,
            CardMismatch,
        )

    if response.status_code == 409:
        response_409 = IdempotencyConflict.from_dict(response.json())

        return response_409

    if response.status_code == 429:
        response_429 = RateLimited.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = response.json()
        return response_500

    if response.status_code == 502:
        response_502 = response.json()
        return response_502

    if response.status_code == 503:
        return first_that_fits(response.json(), TemporarilyUnavailable, StripeUnavailable)

    if response.status_code == 504:
        response_504 = response.json()
        return response_504

    if client.raise_on_unexpected_status:
        from ...errors import UnexpectedStatus

        raise UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[_Parsed]:
    from http import HTTPStatus

    from ...types import Response

    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(*, client: AuthenticatedClient, body: ChargeRequest, idempotency_key: str) -> Response[_Parsed]:
    """Buy credits.

     Needs the scope `billing:manage`. `202` means accepted, **not** paid: follow the link to the
    charge's status.

    The same key with the same amount answers with the same `chargeId` and makes one charge; with
    another amount it is
    `409`. After a `500`, `502`, `504` or a lost reply the charge may have been made: send the same key
    again.

    Args:
        idempotency_key (str):
        body (ChargeRequest): A purchase. The amount must also lie within the `bounds` of the
            billing state. Example: {'amountUsd': 50}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AmountOutOfBounds | IdempotencyKeyRequired | ValidationFailed | Any | CardExpired | CardMismatch | CardPaused | CliBillingDisabled | ConsentRequired | InsufficientScope | MonthlyCapExceeded | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | ChargeAccepted | IdempotencyConflict | InvalidToken | SessionRevoked | RateLimited | StripeUnavailable | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: ChargeRequest, idempotency_key: str
) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(*, client: AuthenticatedClient, body: ChargeRequest, idempotency_key: str) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(client=client, body=body, idempotency_key=idempotency_key).parsed


async def asyncio(*, client: AuthenticatedClient, body: ChargeRequest, idempotency_key: str) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(client=client, body=body, idempotency_key=idempotency_key)).parsed
