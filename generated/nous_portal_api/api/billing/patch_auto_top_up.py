from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.auto_top_up_off_request import AutoTopUpOffRequest
from ...models.auto_top_up_request import AutoTopUpRequest
from ...models.auto_top_up_saved import AutoTopUpSaved
from ...models.cli_billing_disabled import CliBillingDisabled
from ...models.insufficient_scope import InsufficientScope
from ...models.invalid_token import InvalidToken
from ...models.no_payment_method import NoPaymentMethod
from ...models.org_access_denied import OrgAccessDenied
from ...models.remote_spending_revoked import RemoteSpendingRevoked
from ...models.role_required import RoleRequired
from ...models.session_revoked import SessionRevoked
from ...models.temporarily_unavailable import TemporarilyUnavailable
from ...models.validation_failed import ValidationFailed
from ...types import Response


def _get_kwargs(
    *,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/api/billing/auto-top-up",
    }

    if isinstance(body, AutoTopUpRequest):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
    Any
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
    | None
):
    if response.status_code == 200:
        response_200 = AutoTopUpSaved.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ValidationFailed.from_dict(response.json())

        return response_400

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
        ) -> (
            CliBillingDisabled
            | InsufficientScope
            | NoPaymentMethod
            | OrgAccessDenied
            | RemoteSpendingRevoked
            | RoleRequired
        ):
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_0 = InsufficientScope.from_dict(data)

                return response_403_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_1 = RemoteSpendingRevoked.from_dict(data)

                return response_403_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_2 = RoleRequired.from_dict(data)

                return response_403_type_2
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_3 = OrgAccessDenied.from_dict(data)

                return response_403_type_3
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_403_type_4 = CliBillingDisabled.from_dict(data)

                return response_403_type_4
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_403_type_5 = NoPaymentMethod.from_dict(data)

            return response_403_type_5

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
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> Response[
    Any
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
]:
    """Configure auto-reload.

     Needs the scope `billing:manage`.

    Not settled: what a server wants in `threshold` and `topUpAmount` when `enabled` is false. Send the
    current values, and
    `0` where there are none.
    Not settled: whether a saved card is asked for here too; `no_payment_method` is declared in case it
    is.

    Args:
        body (AutoTopUpOffRequest | AutoTopUpRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | AutoTopUpSaved | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | TemporarilyUnavailable | ValidationFailed]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> (
    Any
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
    | None
):
    """Configure auto-reload.

     Needs the scope `billing:manage`.

    Not settled: what a server wants in `threshold` and `topUpAmount` when `enabled` is false. Send the
    current values, and
    `0` where there are none.
    Not settled: whether a saved card is asked for here too; `no_payment_method` is declared in case it
    is.

    Args:
        body (AutoTopUpOffRequest | AutoTopUpRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | AutoTopUpSaved | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | TemporarilyUnavailable | ValidationFailed
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> Response[
    Any
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
]:
    """Configure auto-reload.

     Needs the scope `billing:manage`.

    Not settled: what a server wants in `threshold` and `topUpAmount` when `enabled` is false. Send the
    current values, and
    `0` where there are none.
    Not settled: whether a saved card is asked for here too; `no_payment_method` is declared in case it
    is.

    Args:
        body (AutoTopUpOffRequest | AutoTopUpRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | AutoTopUpSaved | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | TemporarilyUnavailable | ValidationFailed]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: AutoTopUpOffRequest | AutoTopUpRequest,
) -> (
    Any
    | AutoTopUpSaved
    | CliBillingDisabled
    | InsufficientScope
    | NoPaymentMethod
    | OrgAccessDenied
    | RemoteSpendingRevoked
    | RoleRequired
    | InvalidToken
    | SessionRevoked
    | TemporarilyUnavailable
    | ValidationFailed
    | None
):
    """Configure auto-reload.

     Needs the scope `billing:manage`.

    Not settled: what a server wants in `threshold` and `topUpAmount` when `enabled` is false. Send the
    current values, and
    `0` where there are none.
    Not settled: whether a saved card is asked for here too; `no_payment_method` is declared in case it
    is.

    Args:
        body (AutoTopUpOffRequest | AutoTopUpRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | AutoTopUpSaved | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | TemporarilyUnavailable | ValidationFailed
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
