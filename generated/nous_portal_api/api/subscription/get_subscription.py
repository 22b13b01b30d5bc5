from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.invalid_token import InvalidToken
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.session_revoked import SessionRevoked
    from ...models.subscription import Subscription
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import Response

    _Parsed = (
        Any
        | InvalidToken
        | SessionRevoked
        | OrgAccessDenied
        | RemoteSpendingRevoked
        | Subscription
        | TemporarilyUnavailable
    )


def _get_kwargs() -> dict[str, Any]:
    _kwargs: dict[str, Any] = {"method": "get", "url": "/api/billing/subscription"}
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.invalid_token import InvalidToken
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.session_revoked import SessionRevoked
    from ...models.subscription import Subscription
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import first_that_fits

    if response.status_code == 200:
        response_200 = Subscription.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        return first_that_fits(response.json(), InvalidToken, SessionRevoked)

    if response.status_code == 403:
        return first_that_fits(response.json(), OrgAccessDenied, RemoteSpendingRevoked)

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


def sync_detailed(*, client: AuthenticatedClient | Client) -> Response[_Parsed]:
    """Read the subscription of the token's organisation, and the tiers there are.

     Needs a valid token and no scope. A portal that is older than the route answers `404` with a page.

    Older portals say `id` instead of `tierId`, and `name` instead of `tierName`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | InvalidToken | SessionRevoked | OrgAccessDenied | RemoteSpendingRevoked | Subscription | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs()
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(*, client: AuthenticatedClient | Client) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs()
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(*, client: AuthenticatedClient | Client) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(client=client).parsed


async def asyncio(*, client: AuthenticatedClient | Client) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(client=client)).parsed
