"""Describes in OpenAPI the API as a whole, and what FastAPI can't infer: bodies, headers and problems."""

from typing import Any

from pydantic import TypeAdapter

from common.problems import ProblemDetails
from schemas.services import SERVICES

Responses = dict[int | str, dict[str, Any]]


def _inline_schema(model: Any) -> dict[str, Any]:
    """Return the JSON schema of a model with all its definitions inlined, and without names of these."""
    schema = TypeAdapter(model).json_schema()
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rsplit("/", 1)[1]])
        return {name: resolve(each) for name, each in part.items() if name != "discriminator"}

    whole: dict[str, Any] = resolve(schema)
    return whole


def openapi_problem(status: int, description: str, model: type[ProblemDetails] = ProblemDetails) -> Responses:
    """Return the description of one problem of a route; `model` has the members of the response."""
    content = {"application/problem+json": {"schema": _inline_schema(model)}}
    return {status: {"description": description, "content": content}}


NOT_JSON = openapi_problem(415, "The `Content-Type` is not `application/json`.")


def json_request_body(model: Any, example: object, idempotency_key: bool = False) -> dict[str, Any]:
    """Return the `openapi_extra` of a route whose JSON body FastAPI does not parse, and so can't describe.

    `idempotency_key` adds the header `Idempotency-Key`.
    """
    content = {"application/json": {"schema": _inline_schema(model), "example": example}}
    described: dict[str, Any] = {"requestBody": {"required": True, "content": content}}
    if idempotency_key:
        described["parameters"] = [_IDEMPOTENCY_KEY]
    return described


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["9f1c2d3e-one-checkout"]},
    "description": "A key that is generated once per checkout. A repeated request with the same key and body "
    "returns the first response and buys nothing twice. The same key with another body is refused (409). "
    "Keys of other senders have no effect.",
}

OPTIONAL_KEY = {
    **_IDEMPOTENCY_KEY,
    "required": False,
    "description": "A key that is generated once per change. For 24 hours, a repeated request with the same "
    "key and body returns the first response, and changes nothing. The same key with another body is refused "
    "(409).",
}
"""The header `Idempotency-Key` of a write that also works without it."""

DESCRIPTION = """Sales figures of a marketplace and its sellers, exact to the cent and fresh to the second.

* Money is an integer in minor units (cents) beside its currency.
* `from` is inclusive, `to` is exclusive; days, weeks and months are those of the shop's time zone.
* Sales include orders that were cancelled or unavailable later; `cancelled` has their number and amounts.
* A period that is not over is compared with the same part of the previous one; `compared` has that part.
* Send `Accept: text/csv` to get a list as CSV. Its header `Link` has the next page, `Souk-As-Of` has `as_of`.
  There, money is a decimal of the currency in the column `currency`, and no column's name ends in `_minor`.
  Texts that a spreadsheet would run as a formula begin with an apostrophe.
* Metrics, their rows and the results of SQL are Parquet with `Accept: application/vnd.apache.parquet` or
  `format=parquet`. There, money is a decimal of the currency, and times are UTC.
* Responses with figures or products have an `ETag`. With `If-None-Match`, an unchanged response is a 304.
* `as_of` is the event time up to which a figure is complete.
* While ClickHouse does not answer, you get the last figures of the same request: `stale` is true (CSV: the
  header `Souk-Stale`), and `as_of` says up to when they are complete.
* Every error is `application/problem+json` (RFC 9457) and says what to do next."""

TAGS = [
    {"name": "sellers", "description": "What one seller sold."},
    {"name": "metrics", "description": "The catalogue of metrics, and their values, splits and rows."},
    {"name": "sql", "description": "A seller's own queries, over views of what belongs to that seller."},
    {"name": "marketplace", "description": "What all sellers sold."},
    {"name": "products", "description": "What is on offer, and what is popular right now."},
    {"name": "recommendations", "description": "Products to show a shopper next."},
    {"name": "experiments", "description": "Administration: experiments, trainings, the log of answers."},
    *({"name": tag, "description": text} for room in SERVICES.values() for tag, text in room.tags.items()),
    {"name": "events", "description": "Browsing events of shoppers."},
    {"name": "operations", "description": "Health and readiness."},
]
