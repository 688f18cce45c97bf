"""HTTP errors as `application/problem+json` (RFC 9457). Each error message says what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from string import Formatter
from types import MappingProxyType
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from common.errors import PartUnavailable, SoukError
from common.request_path import address_of

MEDIA_TYPE = "application/problem+json"

PROBLEM = "souk.problem"
"""Key of a problem's `ErrorDescription` in the ASGI scope of the request that was answered with it."""

log = structlog.get_logger()


class ProblemDetails(BaseModel):
    """The body of every error response (RFC 9457)."""

    type: str = Field(
        description="A URI that identifies the kind of problem.", examples=["urn:souk:problem:unknown-seller"]
    )
    title: str = Field(description="The kind of problem in words.", examples=["Unknown seller"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What happened and what to do next.")
    instance: str = Field(description="The path of the request.", examples=["/v1/sellers/nobody/sales"])


class Problem(SoukError):
    """An error with an HTTP status. Its message says what to do next. `problem` declares most of them."""

    status: int = 500
    kind: str = "internal"
    title: str = "Something went wrong"
    retry_after_s: int | None = None
    """After how many seconds the client may try again; an instance may set its own."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Additional headers of the response."""
    extensions: Mapping[str, Any] = MappingProxyType({})
    """Additional JSON members of this problem."""


class PartProblem(Problem, PartUnavailable):
    """A problem whose cause is that a part of the platform does not answer."""


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem. Called with the values that its text names, it returns the error to raise."""

    status: int
    kind: str
    title: str
    detail: str
    """The text, with the values in the format of `str.format`: `There is no setting {name!r}.`"""
    members: Mapping[str, str]
    """Additional JSON members → the value that each has."""
    error: type[Problem]
    retry_after_s: int | None = None

    def __call__(self, *, retry_after_s: int | None = None, **values: Any) -> Problem:
        """Return the error; `values` are those of `fields`."""
        made = self.error(self.detail.format_map(values))
        made.status, made.kind, made.title = self.status, self.kind, self.title
        made.retry_after_s = self.retry_after_s if retry_after_s is None else retry_after_s
        made.extensions = {member: values[value] for member, value in self.members.items()}
        return made

    @property
    def fields(self) -> frozenset[str]:
        """The names of the values that a call takes."""
        named = {name.partition(".")[0] for _, name, _, _ in Formatter().parse(self.detail) if name}
        return frozenset(named | {*self.members.values()})

    def matches(self, error: Exception) -> bool:
        """Return whether an error is of this kind."""
        return isinstance(error, Problem) and error.kind == self.kind


def problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    *,
    retry_after_s: int | None = None,
    members: Mapping[str, str] | None = None,
    error: type[Problem] = Problem,
) -> ProblemKind:
    """Declare a kind of problem: `UNKNOWN_SETTING = problem(404, "unknown-setting", …, "No {name!r}.")`.

    `raise UNKNOWN_SETTING(name=name)` raises it. `error` is its class: `PartProblem` if a part is down.
    """
    return ProblemKind(status, kind, title, detail, dict(members or {}), error, retry_after_s)


@dataclass(frozen=True, slots=True)
class ErrorDescription:
    """An error as the client sees it."""

    status: int
    kind: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The URI of the kind of problem."""
        return f"urn:souk:problem:{self.kind}"


def describe_problem(problem: Problem) -> ErrorDescription:
    """Return a `Problem` as the client sees it."""
    retry = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    return ErrorDescription(
        problem.status,
        problem.kind,
        problem.title,
        str(problem),
        {**retry, **problem.headers},
        problem.extensions,
    )


def describe_error(request: Request, error: Exception) -> ErrorDescription:
    """Return any exception as the client sees it. Logs an unexpected one with its traceback.

    A `Problem` is also in the request's scope as `PROBLEM`, so that the request's line in the log has it.
    """
    described = _describe(request, error)
    if isinstance(error, Problem):
        request.scope[PROBLEM] = described
    return described


def _describe(request: Request, error: Exception) -> ErrorDescription:
    if isinstance(error, Problem):
        return describe_problem(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        detail = f"{where}: {first['msg']}. See /docs for the parameters of this address."
        return ErrorDescription(422, "bad-parameter", "A parameter can't be used", detail)
    if isinstance(error, HTTPException):
        title = HTTPStatus(error.status_code).phrase
        detail = f"{request.method} {request.url.path}: {error.detail}. See /docs for all addresses."
        return ErrorDescription(
            error.status_code, title.lower().replace(" ", "-"), title, detail, dict(error.headers or {})
        )
    route = getattr(request.scope.get("route"), "path", "other")  # the path may contain personal data
    log.error("unexpected error", route=route, exc_info=error)
    detail = "This is a bug. The server's log has the details: ./souk logs"
    return ErrorDescription(500, "internal", "Something went wrong", detail)


def problem_body(description: ErrorDescription, path: str) -> dict[str, Any]:
    """Return the JSON members of the error. `path` is that of the request."""
    return {
        "type": description.type,
        "title": description.title,
        "status": description.status,
        "detail": description.detail,
        "instance": path,
        **description.extensions,
    }


def problem_response(request: Request, description: ErrorDescription) -> Response:
    """Return the error as an `application/problem+json` response."""
    body = orjson.dumps(problem_body(description, address_of(request).partition("?")[0]))
    headers = {"Cache-Control": "no-store", **description.headers}
    return Response(body, description.status, headers, MEDIA_TYPE)


def install_error_handlers(app: FastAPI, render: Callable[[Request, ErrorDescription], Response]) -> None:
    """Answer known errors with `render(request, describe_error(...))`.

    A middleware handles unexpected errors.
    """

    async def handle(request: Request, error: Exception) -> Response:
        return render(request, describe_error(request, error))

    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
