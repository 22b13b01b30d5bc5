"""The forms of the pages."""

from urllib.parse import parse_qsl

from .replies import Reply, Request


def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form that a browser sent."""
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def see_other(address: str) -> Reply:
    """The answer to a form: the browser opens the page anew, so that a reload does not submit twice."""
    return Reply(303, headers={"Location": address}, media_type=None)
