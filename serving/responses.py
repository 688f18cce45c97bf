"""Writes responses as JSON or CSV with an ETag, and describes the problems that routes share."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from serving.http_caching import PRIVATE, PRIVATE_NO_STORE, etag_of, has_current
from serving.openapi import Responses, openapi_problem

BAD_PARAMETER = openapi_problem(422, "A parameter can't be used; the detail says which and why.")
UNKNOWN_SELLER = openapi_problem(404, "No seller has this id.")
UNAVAILABLE = openapi_problem(503, "A store does not answer; try again after `Retry-After` seconds.")
UNCHANGED: Responses = {304: {"description": "The response has not changed: its ETag is in `If-None-Match`."}}

JSON, CSV = "application/json", "text/csv"
CSV_RESPONSE: Responses = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}},
}
"""Adds the CSV form to the description of a route's response."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a response is written as CSV: the columns of its header, and one row per entry of a list."""

    columns: Sequence[str]
    rows: Callable[[Any], Iterable[Mapping[str, Any]]]


def csv_list(name: str, entry: type) -> CsvFormat:
    """Return the CSV form of a response whose field `name` is a list of the TypedDict `entry`."""
    return CsvFormat(tuple(entry.__annotations__), lambda content: content[name])


def write_csv(form: CsvFormat, content: object) -> bytes:
    """Return the content of a response as CSV (RFC 4180) in UTF-8: null is empty, times are ISO 8601."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(form.columns)
    writer.writerows([_csv_value(row[column]) for column in form.columns] for row in form.rows(content))
    return text.getvalue().encode()


def prefers_csv(accept: str) -> bool:
    """Return whether an `Accept` header prefers `text/csv` to `application/json` (RFC 9110, 12.5.1)."""
    return _quality(accept, CSV) > _quality(accept, JSON)


class Responder:
    """Writes the response to one request: 304 without a body if the client has the same response already.

    The ETag is a hash of the body. `as_of` can't be the ETag: a late event changes figures of the time before
    `as_of`, and `as_of` stays the same.
    """

    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, content: Any, form: CsvFormat | None = None) -> Response:
        """Return the content as JSON, or as CSV if it has a CSV form that the client prefers.

        Stale content (`serving.cache.last_answers`) has no ETag, and nobody stores it.
        """
        stale = content.get("stale", False)
        headers = {"Cache-Control": PRIVATE_NO_STORE if stale else PRIVATE}
        if form is not None:
            headers["Vary"] = "Accept"
        if form is not None and prefers_csv(self._request.headers.get("Accept", "")):
            body, media_type = write_csv(form, content), CSV
            headers |= csv_headers(self._request, content)
        else:
            body, media_type = orjson.dumps(content), JSON
        if stale:
            return Response(body, headers=headers, media_type=media_type)
        headers["ETag"] = etag = etag_of(body)
        if has_current(self._request, etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)


def csv_headers(request: Request, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the next page (RFC 8288), `as_of` and `stale` as headers. CSV has no fields for them."""
    headers = {}
    if cursor := content.get("next_cursor"):
        next_page = request.url.include_query_params(cursor=cursor)
        headers["Link"] = f'<{next_page.path}?{next_page.query}>; rel="next"'
    if as_of := content.get("as_of"):
        headers["Souk-As-Of"] = as_of.isoformat()
    if content.get("stale"):
        headers["Souk-Stale"] = "true"
    return headers


def _csv_value(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _quality(accept: str, media_type: str) -> float:
    """Return the quality that an `Accept` header gives a media type; the most specific range counts."""
    best = (-1, 1.0 if not accept.strip() else 0.0)
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        specificity = {media_type: 2, media_type.split("/")[0] + "/*": 1, "*/*": 0}.get(name, -1)
        if specificity > best[0]:
            best = specificity, _weight(parameters)
    return best[1]


def _weight(parameters: Iterable[str]) -> float:
    """Return the weight `q` of a media range; 1 by default, 0 if it is not a number."""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter.removeprefix("q="))
            except ValueError:
                return 0.0
    return 1.0


async def _responder(request: Request) -> Responder:
    return Responder(request)


ResponderDep = Annotated[Responder, Depends(_responder)]
