"""Errors over HTTP: every one is `application/problem+json` (RFC 9457) that says what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from common.errors import SoukError

MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger()


class ProblemDetails(BaseModel):
    """What every error answer looks like (RFC 9457)."""

    type: str = Field(
        description="What kind of problem this is.", examples=["urn:souk:problem:unknown-seller"]
    )
    title: str = Field(description="The kind of problem in words.", examples=["Unknown seller"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What happened and what to do next.")
    instance: str = Field(description="The path that was asked.", examples=["/v1/sellers/nobody/sales"])


class Problem(SoukError):
    """An error with an HTTP status; its message says what to do next."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong"
    retry_after_s: ClassVar[int | None] = None

    @property
    def extensions(self) -> Mapping[str, Any]:
        """Members of its JSON beyond those that every problem has."""
        return {}


@dataclass(frozen=True, slots=True)
class Described:
    """What an error says to whoever asked."""

    status: int
    kind: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The URI of its kind."""
        return f"urn:souk:problem:{self.kind}"


def describe_problem(problem: Problem) -> Described:
    """A foreseen error in words."""
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    said = str(problem)
    return Described(problem.status, problem.kind, problem.title, said, headers, problem.extensions)


def describe(request: Request, error: Exception) -> Described:
    """Put any exception into words; what nobody foresaw is logged with its traceback."""
    if isinstance(error, Problem):
        return describe_problem(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        detail = f"{where}: {first['msg']}. See /docs for what this address takes."
        return Described(422, "bad-parameter", "A parameter can't be used", detail)
    if isinstance(error, HTTPException):
        title = HTTPStatus(error.status_code).phrase
        detail = f"{request.method} {request.url.path}: {error.detail}. See /docs for every address there is."
        return Described(
            error.status_code, title.lower().replace(" ", "-"), title, detail, dict(error.headers or {})
        )
    log.error("unforeseen error", path=request.url.path, exc_info=error)
    detail = "This is a bug. The server's log holds the details: ./souk logs"
    return Described(500, "internal", "Something went wrong", detail)


def as_json(request: Request, described: Described) -> Response:
    """A problem as `application/problem+json`."""
    body = {
        "type": described.type,
        "title": described.title,
        "status": described.status,
        "detail": described.detail,
        "instance": request.url.path,
        **described.extensions,
    }
    headers = {"Cache-Control": "no-store", **described.headers}
    return Response(orjson.dumps(body), described.status, headers, MEDIA_TYPE)


def answer_errors(app: FastAPI, show: Callable[[Request, Described], Response]) -> None:
    """Make `describe` the handler of foreseen errors, `show` that of its answer; a guard has the rest."""

    async def handle(request: Request, error: Exception) -> Response:
        return show(request, describe(request, error))

    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
