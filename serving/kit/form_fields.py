"""Reads the fields of a form that a browser has sent."""

from urllib.parse import parse_qsl

from fastapi import Request

from common.content_type import media_type
from common.problems import Problem
from serving.kit.request_body import read_body

CONTENT_TYPE = "application/x-www-form-urlencoded"


class NotAForm(Problem):
    """The body of a request is not that of a form."""

    status, kind, title = 415, "not-a-form", "This body is not a form"

    def __init__(self) -> None:
        super().__init__(f"Send {CONTENT_TYPE}, as a form of the page does. Programs use the API: see /docs.")


def has_form(request: Request) -> bool:
    """Return whether the body of a request is declared as that of a form."""
    return media_type(request.headers) == CONTENT_TYPE


async def read_fields(request: Request, limit: int, max_fields: int) -> list[tuple[str, str]]:
    """Return the fields (name, value) in the body of a request, in their order.

    Raises:
        NotAForm: the body has another content type.
        BodyTooLarge: the body has more than `limit` bytes.
        ValueError: the body is malformed or not UTF-8, or has more than `max_fields` fields.
    """
    if not has_form(request):
        raise NotAForm
    body = (await read_body(request, limit)).decode("ascii")  # a browser escapes everything else
    return parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=max_fields)
