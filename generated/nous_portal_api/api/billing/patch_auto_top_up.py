from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.auto_top_up_disabled_failures import AutoTopUpDisabledFailures
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

    _Parsed = (
        Any
        | AutoTopUpDisabledFailures
        | CliBillingDisabled
        | InsufficientScope
        | NoPaymentMethod
        | OrgAccessDenied
        | RemoteSpendingRevoked
        | RoleRequired
        | AutoTopUpSaved
        | InvalidToken
        | SessionRevoked
        | TemporarilyUnavailable
        | ValidationFailed
    )


def _get_kwargs(*, body: AutoTopUpOffRequest | AutoTopUpRequest) -> dict[str, Any]:
    from ...models.auto_top_up_request import AutoTopUpRequest

    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {"method": "patch", "url": "/api/billing/auto-top-up"}

    if isinstance(body, AutoTopUpRequest):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.auto_top_up_disabled_failures import AutoTopUpDisabledFailures
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
    from ...types import first_that_fits

    if response.status_code == 200:
        response_200 = AutoTopUpSaved.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ValidationFailed.from_dict(response.json())

        return response_400

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
            AutoTopUpDisabledFailures,
        )

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


def sync_detailed(*, client: AuthenticatedClient, body: AutoTopUpOffRequest | AutoTopUpRequest) -> Response[_Parsed]:
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
        Response[Any | AutoTopUpDisabledFailures | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | AutoTopUpSaved | InvalidToken | SessionRevoked | TemporarilyUnavailable | ValidationFailed]
    """

    kwargs = _get_kwargs(body=body)
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: AutoTopUpOffRequest | AutoTopUpRequest
) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs(body=body)
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(*, client: AuthenticatedClient, body: AutoTopUpOffRequest | AutoTopUpRequest) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(client=client, body=body).parsed


async def asyncio(*, client: AuthenticatedClient, body: AutoTopUpOffRequest | AutoTopUpRequest) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(client=client, body=body)).parsed
