"""The form that the OAuth endpoints take, and the errors that they answer with."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from .replies import Reply, Request

CLIENT_ID = "hermes-cli"


class OAuthError(Exception):
    """Ends an OAuth handler with an error reply."""

    def __init__(
        self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.reply: Reply = Reply(status, {"error": error, "error_description": description}, headers or {})


def read_form(request: Request) -> dict[str, str]:
    """The fields of a form from a known client. Raises OAuthError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "The body must be sent as application/x-www-form-urlencoded.")
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise OAuthError("invalid_request", "The body is not a form.") from error
    if form.get("client_id") != CLIENT_ID:
        raise OAuthError("invalid_client", "The client is not one of this portal.")
    return form
