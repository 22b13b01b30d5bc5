from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.billing_state import BillingState
from ...models.invalid_token import InvalidToken
from ...models.org_access_denied import OrgAccessDenied
from ...models.remote_spending_revoked import RemoteSpendingRevoked
from ...models.session_revoked import SessionRevoked
from ...models.temporarily_unavailable import TemporarilyUnavailable
from ...types import Response


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/billing/state",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
    | None
):
    if response.status_code == 200:
        response_200 = BillingState.from_dict(response.json())

        return response_200

    if response.status_code == 401:

        def _parse_response_401(data: object) -> InvalidToken | SessionRevoked:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_401_type_0 = InvalidToken.from_dict(data)

                return response_401_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_401_type_1 = SessionRevoked.from_dict(data)

            return response_401_type_1

        response_401 = _parse_response_401(response.json())

        return response_401

    if response.status_code == 403:

        def _parse_response_403(
            data: object,
        ) -> OrgAccessDenied | RemoteSpendingRevoked:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_0 = OrgAccessDenied.from_dict(data)

                return response_403_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_403_type_1 = RemoteSpendingRevoked.from_dict(data)

            return response_403_type_1

        response_403 = _parse_response_403(response.json())

        return response_403

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
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
]:
    """Read the billing state of the token's organisation.

     Needs a valid token and no scope. What a `MEMBER` may not see (`card`, `monthlyCap`, `autoReload`)
    is null.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | BillingState | InvalidToken | SessionRevoked | OrgAccessDenied | RemoteSpendingRevoked | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs()

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
) -> (
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
    | None
):
    """Read the billing state of the token's organisation.

     Needs a valid token and no scope. What a `MEMBER` may not see (`card`, `monthlyCap`, `autoReload`)
    is null.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | BillingState | InvalidToken | SessionRevoked | OrgAccessDenied | RemoteSpendingRevoked | TemporarilyUnavailable
    """

    return sync_detailed(
        client=client,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
]:
    """Read the billing state of the token's organisation.

     Needs a valid token and no scope. What a `MEMBER` may not see (`card`, `monthlyCap`, `autoReload`)
    is null.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | BillingState | InvalidToken | SessionRevoked | OrgAccessDenied | RemoteSpendingRevoked | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs()

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
) -> (
    Any
    | BillingState
    | InvalidToken
    | SessionRevoked
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | TemporarilyUnavailable
    | None
):
    """Read the billing state of the token's organisation.

     Needs a valid token and no scope. What a `MEMBER` may not see (`card`, `monthlyCap`, `autoReload`)
    is null.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | BillingState | InvalidToken | SessionRevoked | OrgAccessDenied | RemoteSpendingRevoked | TemporarilyUnavailable
    """

    return (
        await asyncio_detailed(
            client=client,
        )
    ).parsed
