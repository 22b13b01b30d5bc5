from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.card_expired import CardExpired
    from ...models.card_mismatch import CardMismatch
    from ...models.card_paused import CardPaused
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
    from ...models.subscription_mutation_rejected import SubscriptionMutationRejected
    from ...models.subscription_upgrade import SubscriptionUpgrade
    from ...models.subscription_upgrade_request import SubscriptionUpgradeRequest
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...models.upgrade_cap_exceeded import UpgradeCapExceeded
    from ...models.validation_failed import ValidationFailed
    from ...types import Response

    _Parsed = (
        Any
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
        | SubscriptionMutationRejected
        | IdempotencyConflict
        | SubscriptionMutationRejected
        | IdempotencyKeyRequired
        | ValidationFailed
        | InvalidToken
        | SessionRevoked
        | RateLimited
        | UpgradeCapExceeded
        | StripeUnavailable
        | TemporarilyUnavailable
        | SubscriptionUpgrade
    )


def _get_kwargs(*, body: SubscriptionUpgradeRequest, idempotency_key: str) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {"method": "post", "url": "/api/billing/subscription/upgrade"}
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.card_expired import CardExpired
    from ...models.card_mismatch import CardMismatch
    from ...models.card_paused import CardPaused
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
    from ...models.subscription_mutation_rejected import SubscriptionMutationRejected
    from ...models.subscription_upgrade import SubscriptionUpgrade
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...models.upgrade_cap_exceeded import UpgradeCapExceeded
    from ...models.validation_failed import ValidationFailed
    from ...types import first_that_fits

    if response.status_code == 200:
        response_200 = SubscriptionUpgrade.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        return first_that_fits(response.json(), ValidationFailed, IdempotencyKeyRequired)

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
            SubscriptionMutationRejected,
        )

    if response.status_code == 409:
        return first_that_fits(response.json(), IdempotencyConflict, SubscriptionMutationRejected)

    if response.status_code == 429:
        return first_that_fits(response.json(), RateLimited, UpgradeCapExceeded)

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


def sync_detailed(
    *, client: AuthenticatedClient, body: SubscriptionUpgradeRequest, idempotency_key: str
) -> Response[_Parsed]:
    """Upgrade the subscription now, and charge the card for the rest of the period.

     Needs the scope `billing:manage`. **Money moves.** The same key charges once. After a `500`, `502`,
    `504` or a lost
    reply the upgrade may have been made: send the same key again, or read the subscription.

    Not settled: what the same key with another tier is answered; `idempotency_conflict` is declared, as
    for a charge.

    Args:
        idempotency_key (str):
        body (SubscriptionUpgradeRequest): The tier to upgrade to. Example: {'subscriptionTypeId':
            'tier_plus'}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | CardExpired | CardMismatch | CardPaused | CliBillingDisabled | ConsentRequired | InsufficientScope | MonthlyCapExceeded | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | SubscriptionMutationRejected | IdempotencyConflict | SubscriptionMutationRejected | IdempotencyKeyRequired | ValidationFailed | InvalidToken | SessionRevoked | RateLimited | UpgradeCapExceeded | StripeUnavailable | TemporarilyUnavailable | SubscriptionUpgrade]
    """

    kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SubscriptionUpgradeRequest, idempotency_key: str
) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs(body=body, idempotency_key=idempotency_key)
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(*, client: AuthenticatedClient, body: SubscriptionUpgradeRequest, idempotency_key: str) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(client=client, body=body, idempotency_key=idempotency_key).parsed


async def asyncio(
    *, client: AuthenticatedClient, body: SubscriptionUpgradeRequest, idempotency_key: str
) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(client=client, body=body, idempotency_key=idempotency_key)).parsed
