"""Reads a request's body, up to a limit, and the fields of a form in it."""

from urllib.parse import parse_qsl

from fastapi import Request

from common.content_type import media_type
from common.problems import Problem
from serving.kit.problems import BodyTooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request. Reading stops after `limit` bytes.

    Raises:
        BodyTooLarge: the body has more than `limit` bytes, whatever its `Content-Length` says.
        ClientDisconnect: the client closed the connection before the end of the body.
    """
    content_length = request.headers.get("Content-Length", "")
    if content_length.isdecimal() and int(content_length) > limit:
        raise BodyTooLarge(limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
    return b"".join(parts)


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
