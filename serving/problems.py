"""Errors over HTTP: every one is `application/problem+json` (RFC 9457) that says what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from common.errors import PartUnavailable, SoukError

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


class UnknownSeller(Problem):
    """No registration and no sale of this seller is known."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(
            f"No seller has the id {seller_id!r}. "
            "Find sellers with GET /v1/sellers?q=, by id, city, state or name."
        )


class UnknownProduct(Problem):
    """Nobody ever listed this product."""

    status, kind, title = 404, "unknown-product", "Unknown product"

    def __init__(self, product_id: str) -> None:
        super().__init__(
            f"No product has the id {product_id!r}. Look for it by its name: GET /v1/products?q="
        )


class UnknownOrder(Problem):
    """The orders service knows no such order."""

    status, kind, title = 404, "unknown-order", "Unknown order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"No order has the id {order_id!r}. Check the address that you were given.")


class BodyTooLarge(Problem):
    """A request's body is longer than its address takes."""

    status, kind, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"This address takes at most {limit:,} bytes. Send less, in several requests.")


class BadPeriod(Problem):
    """`from` and `to` make no period that can be served."""

    status, kind, title = 422, "bad-period", "This period can't be served"


class RepeatedParameter(Problem):
    """A parameter was given more than once."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"


class BadCursor(Problem):
    """A cursor that this API did not give out."""

    status, kind, title = 422, "bad-cursor", "This cursor is not ours"


class MissingProduct(Problem):
    """A list beside a product was asked for without the product."""

    status, kind, title = 422, "missing-product", "A parameter is missing"


class BadBody(Problem):
    """A request's body is not what its address takes."""

    status, kind, title = 422, "bad-body", "This body can't be used"


class ClickHouseUnavailable(Problem, PartUnavailable):
    """ClickHouse does not answer, or not yet."""

    status, kind, title = 503, "clickhouse-unavailable", "The figures are out of reach"
    retry_after_s = 5


class RedisUnavailable(Problem, PartUnavailable):
    """Redis does not answer."""

    status, kind, title = 503, "redis-unavailable", "The rankings are out of reach"
    retry_after_s = 5


class CommerceUnavailable(Problem, PartUnavailable):
    """The services of orders, stock and payments do not answer."""

    status, kind, title = 503, "commerce-unavailable", "The shop's till is out of reach"
    retry_after_s = 2


class KafkaUnavailable(Problem, PartUnavailable):
    """Kafka does not take events."""

    status, kind, title = 503, "kafka-unavailable", "Events can't be taken right now"
    retry_after_s = 5


class RegistryUnavailable(Problem, PartUnavailable):
    """The schema registry does not answer."""

    status, kind, title = 503, "registry-unavailable", "Events can't be taken right now"
    retry_after_s = 5


@dataclass(frozen=True, slots=True)
class Described:
    """What an error says to whoever asked."""

    status: int
    kind: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


def describe(request: Request, error: Exception) -> Described:
    """Put any exception into words; what nobody foresaw is logged with its traceback."""
    if isinstance(error, Problem):
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return Described(error.status, error.kind, error.title, str(error), headers)
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
    detail = "This is a bug. The server's log holds the details: ./souk logs serving"
    return Described(500, "internal", "Something went wrong", detail)


def as_json(request: Request, described: Described) -> Response:
    """A problem as `application/problem+json`."""
    body = {
        "type": f"urn:souk:problem:{described.kind}",
        "title": described.title,
        "status": described.status,
        "detail": described.detail,
        "instance": request.url.path,
    }
    headers = {"Cache-Control": "no-store", **described.headers}
    return Response(orjson.dumps(body), described.status, headers, MEDIA_TYPE)


def answer_errors(app: FastAPI, show: Callable[[Request, Described], Response]) -> None:
    """Make `describe` the handler of foreseen errors, `show` that of its answer; the guard has the rest."""

    async def handle(request: Request, error: Exception) -> Response:
        return show(request, describe(request, error))

    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
