from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.pending_change import PendingChange
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.subscription_mutation_rejected import SubscriptionMutationRejected
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import Response

    _Parsed = (
        Any
        | CliBillingDisabled
        | InsufficientScope
        | OrgAccessDenied
        | RemoteSpendingRevoked
        | RoleRequired
        | SubscriptionMutationRejected
        | InvalidToken
        | SessionRevoked
        | PendingChange
        | RateLimited
        | SubscriptionMutationRejected
        | TemporarilyUnavailable
    )


def _get_kwargs() -> dict[str, Any]:
    _kwargs: dict[str, Any] = {"method": "delete", "url": "/api/billing/subscription/pending-change"}
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.pending_change import PendingChange
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.subscription_mutation_rejected import SubscriptionMutationRejected
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import first_that_fits

    if response.status_code == 200:
        response_200 = PendingChange.from_dict(response.json())

        return response_200

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
            SubscriptionMutationRejected,
        )

    if response.status_code == 409:
        response_409 = SubscriptionMutationRejected.from_dict(response.json())

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
        response_503 = TemporarilyUnavailable.from_dict(response.json())

        return response_503

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


def sync_detailed(*, client: AuthenticatedClient) -> Response[_Parsed]:
    """Keep the subscription as it is, whether a change or its end was pending.

     Needs the scope `billing:manage`. Charges nothing, but lets the subscription renew again.

    Not settled: what is answered where nothing is pending; the mock portal answers as if something
    were.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | CliBillingDisabled | InsufficientScope | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | SubscriptionMutationRejected | InvalidToken | SessionRevoked | PendingChange | RateLimited | SubscriptionMutationRejected | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs()
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(*, client: AuthenticatedClient) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs()
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(*, client: AuthenticatedClient) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(client=client).parsed


async def asyncio(*, client: AuthenticatedClient) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(client=client)).parsed
