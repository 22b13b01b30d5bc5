from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.charge_failed import ChargeFailed
    from ...models.charge_other_status import ChargeOtherStatus
    from ...models.charge_pending import ChargePending
    from ...models.charge_settled import ChargeSettled
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.no_payment_method import NoPaymentMethod
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import Response

    _Parsed = (
        Any
        | ChargeFailed
        | ChargeOtherStatus
        | ChargePending
        | ChargeSettled
        | CliBillingDisabled
        | InsufficientScope
        | NoPaymentMethod
        | OrgAccessDenied
        | RemoteSpendingRevoked
        | RoleRequired
        | InvalidToken
        | SessionRevoked
        | RateLimited
        | TemporarilyUnavailable
    )


def _get_kwargs(charge_id: str) -> dict[str, Any]:
    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/billing/charge/{charge_id}".format(charge_id=quote(str(charge_id), safe="")),
    }
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> _Parsed | None:
    from ...models.charge_failed import ChargeFailed
    from ...models.charge_other_status import ChargeOtherStatus
    from ...models.charge_pending import ChargePending
    from ...models.charge_settled import ChargeSettled
    from ...models.cli_billing_disabled import CliBillingDisabled
    from ...models.insufficient_scope import InsufficientScope
    from ...models.invalid_token import InvalidToken
    from ...models.no_payment_method import NoPaymentMethod
    from ...models.org_access_denied import OrgAccessDenied
    from ...models.rate_limited import RateLimited
    from ...models.remote_spending_revoked import RemoteSpendingRevoked
    from ...models.role_required import RoleRequired
    from ...models.session_revoked import SessionRevoked
    from ...models.temporarily_unavailable import TemporarilyUnavailable
    from ...types import first_that_fits

    if response.status_code == 200:
        return first_that_fits(response.json(), ChargePending, ChargeSettled, ChargeFailed, ChargeOtherStatus)

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
        )

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


def sync_detailed(charge_id: str, *, client: AuthenticatedClient) -> Response[_Parsed]:
    """Poll a charge.

     Needs the scope `billing:manage`. An unknown or foreign id is answered `pending`, never `404` and
    never with another
    organisation's data, so a `pending` that does not end is a timeout and not an error. A charge takes
    about 3 s to
    settle; the balance moves only then.

    An id that breaks the schema is answered like an unknown one: there is no `400` here.

    Not settled: whether the limiter counts polls, and whether the role and the kill-switch gate them;
    all are declared.

    Args:
        charge_id (str): An opaque id that the portal made.

            Not settled: its alphabet and its greatest length.
             Example: ch_3PqXyZ.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ChargeFailed | ChargeOtherStatus | ChargePending | ChargeSettled | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | RateLimited | TemporarilyUnavailable]
    """

    kwargs = _get_kwargs(charge_id=charge_id)
    response = client.get_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


async def asyncio_detailed(charge_id: str, *, client: AuthenticatedClient) -> Response[_Parsed]:
    """`sync_detailed`, to be awaited."""
    kwargs = _get_kwargs(charge_id=charge_id)
    response = await client.get_async_httpx_client().request(**kwargs)
    return _build_response(client=client, response=response)


def sync(charge_id: str, *, client: AuthenticatedClient) -> _Parsed | None:
    """`sync_detailed`, but what was parsed only."""
    return sync_detailed(charge_id=charge_id, client=client).parsed


async def asyncio(charge_id: str, *, client: AuthenticatedClient) -> _Parsed | None:
    """`sync`, to be awaited."""
    return (await asyncio_detailed(charge_id=charge_id, client=client)).parsed
