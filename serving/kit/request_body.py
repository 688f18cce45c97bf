"""Reads a request's body, up to a limit: JSON, the fields of a form, and its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from typing import TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError

from common.content_type import has_json_content_type, media_type
from common.problems import problem
from serving.kit.problems import BAD_BODY, BODY_TOO_LARGE

Model = TypeVar("Model", bound=BaseModel)

BODY_NOT_JSON = problem(
    415,
    "not-json",
    "This body is not JSON",
    "The Content-Type is {content_type!r}. Send application/json.",
)
CONTENT_TYPE = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
NOT_A_FORM = problem(
    415,
    "not-a-form",
    "This body is not a form",
    f"Send {CONTENT_TYPE}, as a form of the page does. Programs use the API: see /docs.",
)


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request. Reading stops after `limit` bytes.

    Raises:
        BODY_TOO_LARGE: the body has more than `limit` bytes, whatever its `Content-Length` says.
        ClientDisconnect: the client closed the connection before the end of the body.
    """
    content_length = request.headers.get("Content-Length", "")
    if content_length.isdecimal() and int(content_length) > limit:
        raise BODY_TOO_LARGE(limit=limit)
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            raise BODY_TOO_LARGE(limit=limit)
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, limit: int) -> bytes:
    """Return the body of a request, which must be declared as JSON.

    Raises:
        BODY_NOT_JSON: the body has another content type.
        BODY_TOO_LARGE: the body has more than `limit` bytes.
    """
    if not has_json_content_type(request.headers):
        raise BODY_NOT_JSON(content_type=request.headers.get("Content-Type", "")[:80])
    return await read_body(request, limit)


async def read_model(request: Request, model: type[Model], limit: int, what: str) -> Model:
    """Return the body of a request as a model. `what` says in messages what to send.

    Raises:
        BODY_NOT_JSON, BODY_TOO_LARGE: see `read_json`.
        BAD_BODY: a field is wrong.
    """
    body = await read_json(request, limit)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise BAD_BODY(detail=f"{place}: {first['msg']}. Send {what}.") from error


def has_form(request: Request) -> bool:
    """Return whether the body of a request is declared as that of a form."""
    return media_type(request.headers) == CONTENT_TYPE


async def read_fields(request: Request, limit: int, max_fields: int) -> list[tuple[str, str]]:
    """Return the fields (name, value) in the body of a request, in their order.

    Raises:
        NOT_A_FORM: the body has another content type.
        BODY_TOO_LARGE: the body has more than `limit` bytes.
        ValueError: the body is malformed or not UTF-8, or has more than `max_fields` fields.
    """
    if not has_form(request):
        raise NOT_A_FORM()
    body = (await read_body(request, limit)).decode("ascii")  # a browser escapes everything else
    return parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=max_fields)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file, with the type and the name that its sender says it has."""

    media_type: str
    content: bytes
    name: str = ""


async def read_multipart(
    request: Request, limit: int, max_fields: int
) -> tuple[list[tuple[str, str]], list[tuple[str, SentFile]]]:
    """Return the fields and the files (name, value) of a form with files. An empty choice of a file is none.

    Raises:
        NOT_A_FORM: the body has another content type.
        BODY_TOO_LARGE: the body has more than `limit` bytes.
        ValueError: the body is malformed or not UTF-8, or has more than `max_fields` fields.
    """
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != MULTIPART or not isinstance(boundary, str):
        raise NOT_A_FORM()
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, SentFile]] = []
    for head, content in _parts(await read_body(request, limit), boundary.encode()):
        name = head.get_param("name", header="content-disposition")
        if not isinstance(name, str) or len(fields) + len(files) == max_fields:
            raise ValueError("a part has no name, or there are too many")
        file_name = head.get_param("filename", header="content-disposition")
        if file_name is None:
            fields.append((name, content.decode()))
        elif content:
            files.append((name, SentFile(head.get_content_type(), content, str(file_name))))
    return fields, files


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[Message, bytes]]:
    """Yield the headers and the content of each part of a multipart body (RFC 7578)."""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            return
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            break
        yield HeaderParser().parsestr(head.lstrip().decode()), content
    raise ValueError("the body has no end")
