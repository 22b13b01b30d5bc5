from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
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


def _get_kwargs(
    charge_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/billing/charge/{charge_id}".format(
            charge_id=quote(str(charge_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> (
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
    | None
):
    if response.status_code == 200:

        def _parse_response_200(
            data: object,
        ) -> ChargeFailed | ChargeOtherStatus | ChargePending | ChargeSettled:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_charge_status_type_0 = ChargePending.from_dict(data)

                return componentsschemas_charge_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_charge_status_type_1 = ChargeSettled.from_dict(data)

                return componentsschemas_charge_status_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_charge_status_type_2 = ChargeFailed.from_dict(data)

                return componentsschemas_charge_status_type_2
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_charge_status_type_3 = ChargeOtherStatus.from_dict(data)

            return componentsschemas_charge_status_type_3

        response_200 = _parse_response_200(response.json())

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
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[
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
]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    charge_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[
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
]:
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

    kwargs = _get_kwargs(
        charge_id=charge_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    charge_id: str,
    *,
    client: AuthenticatedClient,
) -> (
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
    | None
):
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
        Any | ChargeFailed | ChargeOtherStatus | ChargePending | ChargeSettled | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | RateLimited | TemporarilyUnavailable
    """

    return sync_detailed(
        charge_id=charge_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    charge_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[
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
]:
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

    kwargs = _get_kwargs(
        charge_id=charge_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    charge_id: str,
    *,
    client: AuthenticatedClient,
) -> (
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
    | None
):
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
        Any | ChargeFailed | ChargeOtherStatus | ChargePending | ChargeSettled | CliBillingDisabled | InsufficientScope | NoPaymentMethod | OrgAccessDenied | RemoteSpendingRevoked | RoleRequired | InvalidToken | SessionRevoked | RateLimited | TemporarilyUnavailable
    """

    return (
        await asyncio_detailed(
            charge_id=charge_id,
            client=client,
        )
    ).parsed
