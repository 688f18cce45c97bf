"""Writes responses as JSON, CSV or Parquet with an ETag, and describes the problems that routes share."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from fastapi import Depends, Query, Request
from starlette.responses import Response

from common.openapi import Responses, openapi_problem
from serving.kit.csv_writer import csv_columns, csv_lines, csv_rows, money_fields
from serving.kit.http_caching import PRIVATE, PRIVATE_NO_STORE, etag_of, has_current
from serving.kit.parquet_writer import PARQUET, ColumnKind, money_columns, write_parquet

BAD_PARAMETER = openapi_problem(422, "A parameter can't be used; the detail says which and why.")
UNKNOWN_SELLER = openapi_problem(404, "No seller has this id.")
UNAVAILABLE = openapi_problem(503, "A store does not answer; try again after `Retry-After` seconds.")
UNCHANGED: Responses = {304: {"description": "The response has not changed: its ETag is in `If-None-Match`."}}

JSON, CSV = "application/json", "text/csv"
CSV_RESPONSE: Responses = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}},
}
"""Adds the CSV form to the description of a route's response."""

TABLE_RESPONSE: Responses = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
        }
    },
}
"""Adds the CSV and the Parquet form to the description of a route's response."""

MEDIA_TYPES = {"json": JSON, "csv": CSV, "parquet": PARQUET}

FormatParam = Annotated[
    Literal["json", "csv", "parquet"] | None,
    Query(alias="format", description="The form of the response. Default: as the header `Accept` says."),
]


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a response is written as CSV: its columns, and one row per entry of a list.

    `money` names the columns with minor units, which a file has as decimals of the currency. With the `kinds`
    of the columns, there is a Parquet form, too.
    """

    columns: Sequence[str]
    rows: Callable[[Any], Iterable[Mapping[str, Any]]]
    money: Collection[str] = frozenset()
    kinds: Mapping[str, ColumnKind] | None = None


def csv_list(name: str, entry: type) -> CsvFormat:
    """Return the CSV form of a response whose field `name` is a list of the TypedDict `entry`."""
    return CsvFormat(tuple(entry.__annotations__), lambda content: content[name], money_fields(entry))


def table_of_kinds(
    kinds: Mapping[str, ColumnKind], rows: Callable[[Any], Iterable[Mapping[str, Any]]]
) -> CsvFormat:
    """Return the CSV and Parquet form of a response whose columns have these kinds."""
    return CsvFormat(tuple(kinds), rows, money_columns(kinds), kinds)


def write_csv(form: CsvFormat, content: Mapping[str, Any]) -> bytes:
    """Return the content of a response as CSV in UTF-8: null is empty, times are ISO 8601.

    The currency of money is that of its row, or of the whole content.
    """
    rows = csv_rows(form.columns, form.money, form.rows(content), content.get("currency"))
    return csv_lines([csv_columns(form.columns, form.money)]) + csv_lines(rows)


def write_table(form: CsvFormat, content: Mapping[str, Any], media_type: str) -> bytes:
    """Return the content of a response as CSV, or as Parquet if the form has kinds of columns."""
    if media_type == PARQUET and form.kinds is not None:
        return write_parquet(form.kinds, form.rows(content), content["currency"], content["as_of"])
    return write_csv(form, content)


def prefers_csv(accept: str) -> bool:
    """Return whether an `Accept` header prefers `text/csv` to `application/json` (RFC 9110, 12.5.1)."""
    return preferred_type(accept, (JSON, CSV)) == CSV


def preferred_type(accept: str, offered: Sequence[str]) -> str:
    """Return the media type that an `Accept` header prefers; of several, the first one."""
    return max(offered, key=lambda media_type: _quality(accept, media_type))


class Responder:
    """Writes the response to one request: 304 without a body if the client has the same response already.

    The ETag is a hash of the body. `as_of` can't be the ETag: a late event changes figures of the time before
    `as_of`, and `as_of` stays the same.
    """

    def __init__(self, request: Request, requested: str | None = None) -> None:
        self._request, self._requested = request, requested

    def __call__(self, content: Any, form: CsvFormat | None = None) -> Response:
        """Return the content as JSON, or as CSV or Parquet if it has such a form that the client prefers.

        Stale content (`serving.kit.cache.last_answers`) has no ETag, and nobody stores it.
        """
        stale = content.get("stale", False)
        headers = {"Cache-Control": PRIVATE_NO_STORE if stale else PRIVATE}
        if form is not None:
            headers["Vary"] = "Accept"
        media_type = self._media_type(form)
        if form is not None and media_type != JSON:
            body = write_table(form, content, media_type)
            headers |= csv_headers(self._request, content)
        else:
            body = orjson.dumps(content)
        if stale:
            return Response(body, headers=headers, media_type=media_type)
        headers["ETag"] = etag = etag_of(body)
        if has_current(self._request, etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    def _media_type(self, form: CsvFormat | None) -> str:
        if form is None:
            return JSON
        offered = (JSON, CSV) if form.kinds is None else (JSON, CSV, PARQUET)
        return requested_type(self._request, self._requested, offered)


def requested_type(request: Request, requested: str | None, offered: Sequence[str]) -> str:
    """Return the media type of a response: that of the parameter `format`, else of the header `Accept`."""
    if requested is not None:
        return MEDIA_TYPES[requested]
    return preferred_type(request.headers.get("Accept", ""), offered)


def private_json(content: object) -> Response:
    """Return a JSON response that nobody stores."""
    return Response(orjson.dumps(content), headers={"Cache-Control": PRIVATE_NO_STORE}, media_type=JSON)


def download_headers(file_name: str) -> dict[str, str]:
    """Return the headers of a file to download, which nobody stores."""
    return {
        "Cache-Control": PRIVATE_NO_STORE,
        "Content-Disposition": f'attachment; filename="{file_name}"',
    }


def download(
    request: Request, form: CsvFormat, content: Mapping[str, Any], name: str, media_type: str = CSV
) -> Response:
    """Return the CSV or the Parquet form of a response as a file to download."""
    extension = "csv" if media_type == CSV else "parquet"
    headers = download_headers(f"{name}.{extension}") | csv_headers(request, content)
    return Response(write_table(form, content, media_type), headers=headers, media_type=media_type)


def csv_headers(request: Request, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the next page (RFC 8288), `as_of` and `stale` as headers. A table has no fields for them."""
    headers = {}
    if cursor := content.get("next_cursor"):
        next_page = request.url.include_query_params(cursor=cursor)
        headers["Link"] = f'<{next_page.path}?{next_page.query}>; rel="next"'
    if as_of := content.get("as_of"):
        headers["Souk-As-Of"] = as_of.isoformat()
    if content.get("stale"):
        headers["Souk-Stale"] = "true"
    return headers


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
    weight = next((each.removeprefix("q=") for each in parameters if each.startswith("q=")), "1")
    try:
        return float(weight)
    except ValueError:
        return 0.0


async def _responder(request: Request) -> Responder:
    return Responder(request)


async def _table_responder(request: Request, requested: FormatParam = None) -> Responder:
    return Responder(request, requested)


ResponderDep = Annotated[Responder, Depends(_responder)]
TableResponderDep = Annotated[Responder, Depends(_table_responder)]
"""The responder of a route whose response has a CSV and a Parquet form. It adds the parameter `format`."""
