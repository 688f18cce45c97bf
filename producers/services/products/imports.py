"""The routes of files of listings: send one, see how far it is and what was refused, export all listings."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from pydantic import TypeAdapter
from starlette.responses import Response, StreamingResponse
from typing_extensions import TypedDict

from common.content_type import media_type
from common.guarded_route import policy
from common.ids import PRINTABLE, Uuid, new_id
from common.openapi import Responses, openapi_problem
from common.problems import problem
from producers.kit.http.endpoint import transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.postgres.statements import statement
from producers.services.products import store
from producers.services.products.import_worker import UNFINISHED, ImportStatus
from producers.services.products.listing_cells import csv_rows, header_of, written
from producers.services.products.model import LIST, NAME, READ, Listing

Row = TypeVar("Row")

MAX_BYTES = 64 << 20
MAX_UNFINISHED = 10
"""Limit of files of one seller that wait."""

KEPT_FOR = timedelta(days=90)
PAGE_ROWS = 1_000

CSV = "text/csv"
_FILE_TYPES = (
    CSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/octet-stream",
)
"""Browsers send none of them to another site without a CORS preflight. The content says what a file is."""

_EXAMPLE = "sku,name,category,price,stock\nLAMP-7,Desk lamp,Lamps,149.00,25\n"
_FILE = {"schema": {"type": "string", "format": "binary"}}

PRUNE_IMPORTS = """
    DELETE FROM listing_imports
    WHERE import_id IN (SELECT import_id FROM listing_imports WHERE ended_at < now() - $1::interval LIMIT $2)
"""

NOT_A_FILE = problem(
    415,
    "not-a-file",
    "The body is not a file of listings",
    "Send a CSV file with the header `Content-Type: text/csv`, or a workbook with its own type. Nothing was "
    "saved.",
)
EMPTY_FILE = problem(
    422,
    "empty-file",
    "The file is empty",
    "The body has no bytes. Send the file as the body. Nothing was saved.",
)
TOO_MANY_IMPORTS = problem(
    429,
    "too-many-imports",
    "Too many files wait",
    "{limit} files of seller {seller_id} are not applied yet. Send this one when they are. Nothing was "
    "saved.",
    retry_after_s=60,
)
UNKNOWN_IMPORT = problem(
    404,
    "unknown-import",
    "Unknown import",
    "Seller {seller_id} has no import {import_id}. GET /v1/sellers/{seller_id}/listing_imports lists them.",
)


@dataclass(frozen=True, slots=True)
class ListingImport:
    """A file of listings that a seller has sent.

    `rows` is null until the file was read. `position` rows are done: `applied`, `unchanged` or `refused`.
    `code` and `reason` say why an import has failed; rows before the failure are applied.
    """

    import_id: str
    file_name: str | None
    dry_run: bool
    status: ImportStatus
    code: str | None
    reason: str | None
    rows: int | None
    position: int
    applied: int
    unchanged: int
    refused: int
    created_at: datetime
    ended_at: datetime | None


class ListingImports(TypedDict):
    """Imports of a seller. `next_cursor` continues; null at the end."""

    imports: list[ListingImport]
    next_cursor: str | None


NO_IMPORT = openapi_problem(404, "There is no such import, or the seller is not one of the sender's.")
REFUSED: Responses = (
    openapi_problem(409, "The seller may not sell now.")
    | openapi_problem(415, "The `Content-Type` is not that of a table.")
    | openapi_problem(422, "The file is empty.")
    | openapi_problem(429, "Too many files of the seller wait.")
)
CSV_FILE: Responses = {200: {"description": "The file.", "content": {CSV: {}}}}

ImportPath = Annotated[Uuid, Path(description="The import's id.")]

router = APIRouter(prefix="/v1", tags=["listings"], route_class=PublicRoute)


async def _read_file(request: Request, _model: TypeAdapter[Any]) -> bytes:
    """Return the bytes of a file.

    Raises:
        NOT_A_FILE, EMPTY_FILE: the body is none.
    """
    require(media_type(request.headers) in _FILE_TYPES, NOT_A_FILE())
    return require(await request.body() or None, EMPTY_FILE())


@router.post(
    "/sellers/{seller_id}/listing_imports",
    summary="Import a file of listings",
    status_code=202,
    responses=REFUSED,
)
@policy(LIST)
async def import_listings(
    request: Request,
    seller_id: SellerPath,
    file: Annotated[
        bytes,
        JsonBody(
            limit=MAX_BYTES,
            read=_read_file,
            is_json=False,
            other={CSV: {**_FILE, "example": _EXAMPLE}} | dict.fromkeys(_FILE_TYPES[1:], _FILE),
        ),
    ],
    dry_run: Annotated[bool, Query(description="Report what would happen, and change nothing.")] = False,
    again: Annotated[bool, Query(description="Apply a file that was applied before once more.")] = False,
    file_name: Annotated[
        str | None, Query(max_length=200, pattern=PRINTABLE, description="Is shown beside the import.")
    ] = None,
) -> ListingImport:
    """List new products and change listings by a file with a row for each: CSV, or a workbook.

    Columns that the file does not have stay as they are. The same file sent again is answered with the same
    import. A worker applies the rows: `GET …/listing_imports/{import_id}` says how far it is.
    """
    digest = await asyncio.to_thread(lambda: sha256(file).digest())
    content = await asyncio.to_thread(zlib.compress, file, 1)
    scopes = principal_of(request).scopes
    sets_stock = scopes is None or "stock:write" in scopes
    async with transaction(request, NAME, seller_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        found = await _find_same(tx, seller_id, digest, dry_run, again)
        if found is not None:
            return found
        if await _count_unfinished(tx, seller_id) >= MAX_UNFINISHED:
            raise TOO_MANY_IMPORTS(limit=MAX_UNFINISHED, seller_id=seller_id)
        import_id = new_id()
        return await _insert(tx, import_id, seller_id, digest, file_name, dry_run, sets_stock, content)


@router.get("/sellers/{seller_id}/listing_imports", summary="The files of listings of a seller")
@policy(READ)
async def listing_imports(
    request: Request, seller_id: SellerPath, cursor: Cursor = None, limit: Limit = 50
) -> ListingImports:
    """Return the imports of a seller of the last 90 days, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        found = await _find_imports(sql, seller_id, Position.of(cursor), limit + 1)
    shown, next_cursor = cut_page(found, limit, lambda it: Position(it.created_at, it.import_id, 0))
    return {"imports": list(shown), "next_cursor": next_cursor}


@router.get(
    "/sellers/{seller_id}/listing_imports/{import_id}", summary="An import of listings", responses=NO_IMPORT
)
@policy(READ)
async def listing_import(request: Request, seller_id: SellerPath, import_id: ImportPath) -> ListingImport:
    """Return how far an import is."""
    async with transactions(request, NAME).connection() as sql:
        return await _require_import(sql, seller_id, import_id)


@router.get(
    "/sellers/{seller_id}/listing_imports/{import_id}/report.csv",
    summary="The rows of an import that were refused",
    response_class=Response,
    responses=CSV_FILE | NO_IMPORT,
)
@policy(READ)
async def listing_import_report(request: Request, seller_id: SellerPath, import_id: ImportPath) -> Response:
    """Return a file with a row for each defect: the row and the column, the value, a code and the reason.

    Rows have the numbers of the spreadsheet, in which the header is row 1.
    """
    opened = transactions(request, NAME)
    async with opened.connection() as sql:
        await _require_import(sql, seller_id, import_id)
    return _csv_file(
        opened,
        f"import-{import_id}.csv",
        ("row", "column", "value", "code", "reason"),
        lambda sql, last: _find_defects(sql, import_id, last or {"row": 0, "position": 0}, PAGE_ROWS),
        dict,
    )


@router.get(
    "/sellers/{seller_id}/listings.csv",
    summary="Export all listings of a seller",
    response_class=Response,
    responses=CSV_FILE,
)
@policy(READ)
async def listings_csv(request: Request, seller_id: SellerPath) -> Response:
    """Return a file of all listings, which can be changed and sent back to `POST …/listing_imports`.

    The column `stock` is empty, because an older count must not replace a newer one. Fill it in to set it.
    """
    opened = transactions(request, NAME)
    async with opened.connection() as sql:
        header = header_of(await _find_attribute_keys(sql, seller_id))
    return _csv_file(
        opened,
        "listings.csv",
        header,
        lambda sql, last: _find_after(sql, seller_id, last.product_id if last else "", PAGE_ROWS),
        written,
    )


def _csv_file(
    opened: Transactions,
    name: str,
    header: Sequence[str],
    read: Callable[[Any, Row | None], Awaitable[Sequence[Row]]],
    texts_of: Callable[[Row], Mapping[str, Any]],
) -> Response:
    """Return a file that is read from the database while it is sent.

    `read` returns the next `PAGE_ROWS` rows after the last one that it has returned; `texts_of` returns the
    cells of a row by column.
    """

    def lines(rows: Sequence[Row]) -> bytes:
        return csv_rows([str(texts.get(column, "")) for column in header] for texts in map(texts_of, rows))

    async def parts() -> AsyncIterator[bytes]:
        yield "\ufeff".encode() + csv_rows([header])  # Excel needs the byte order mark to read UTF-8
        last: Row | None = None
        while True:
            async with opened.connection() as sql:
                rows = await read(sql, last)
            if rows:
                last = rows[-1]
                yield await asyncio.to_thread(lines, rows)
            if len(rows) < PAGE_ROWS:
                return

    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts(), headers=headers, media_type=CSV)


async def _require_import(sql: Any, seller_id: str, import_id: str) -> ListingImport:
    unknown = UNKNOWN_IMPORT(seller_id=seller_id, import_id=import_id)
    return require(await _find_import(sql, seller_id, import_id), unknown)


_SHOWN = """
    import_id, file_name, dry_run, status, code, reason, rows, applied + unchanged + refused AS position,
    applied, unchanged, refused, created_at, ended_at
"""


@statement(f"""
    SELECT {_SHOWN} FROM listing_imports
    WHERE seller_id = $seller_id::text AND sha256 = $digest::bytea AND dry_run = $dry_run
        AND (NOT $unfinished::boolean OR {UNFINISHED})
    ORDER BY created_at DESC LIMIT 1
""")
async def _find_same(
    tx: Transaction, seller_id: str, digest: bytes, dry_run: bool, unfinished: bool
) -> ListingImport | None:
    """Return the newest import of a file, or of those that are `unfinished`."""


@statement(
    f"SELECT count(*)::integer FROM listing_imports WHERE seller_id = $seller_id::text AND {UNFINISHED}"
)
async def _count_unfinished(tx: Transaction, seller_id: str) -> int:
    """Return how many imports of a locked seller have not ended."""


@statement(f"""
    WITH saved AS (
        INSERT INTO listing_imports (
            import_id, seller_id, sha256, file_name, dry_run, sets_stock, status, created_at, due_at
        )
        VALUES (
            $import_id, $seller_id, $digest, $file_name, $dry_run, $sets_stock, 'waiting', $tx.now, $tx.now
        )
        RETURNING *
    ), stored AS (
        INSERT INTO listing_import_files (import_id, content) VALUES ($import_id, $content::bytea)
    )
    SELECT {_SHOWN} FROM saved
""")
async def _insert(
    tx: Transaction,
    import_id: str,
    seller_id: str,
    digest: bytes,
    file_name: str | None,
    dry_run: bool,
    sets_stock: bool,
    content: bytes,
) -> ListingImport:
    """Store a file that waits."""


@statement(f"""
    SELECT {_SHOWN} FROM listing_imports
    WHERE seller_id = $seller_id::text
        AND (created_at, import_id) < ($after.at::timestamptz, $after.row_id::text)
    ORDER BY created_at DESC, import_id DESC
    LIMIT $limit::integer
""")
async def _find_imports(sql: Any, seller_id: str, after: Position, limit: int) -> list[ListingImport]:
    """Return imports of a seller, the newest first."""


@statement(f"""
    SELECT {_SHOWN} FROM listing_imports WHERE seller_id = $seller_id::text AND import_id = $import_id::text
""")
async def _find_import(sql: Any, seller_id: str, import_id: str) -> ListingImport | None:
    """Return an import of a seller."""


@statement("""
    SELECT row_number AS row, column_name AS "column", value, code, reason, position
    FROM listing_import_defects
    WHERE import_id = $import_id::text
        AND (row_number, position) > ($after.row::integer, $after.position::bigint)
    ORDER BY row_number, position
    LIMIT $limit::integer
""")
async def _find_defects(sql: Any, import_id: str, after: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return defects of an import by row, those after one of them."""


@statement("""
    SELECT DISTINCT key FROM listings, jsonb_object_keys(attributes) AS key WHERE seller_id = $seller_id::text
""")
async def _find_attribute_keys(sql: Any, seller_id: str) -> list[str]:
    """Return the keys of all attributes of a seller's listings."""


@statement("""
    SELECT * FROM listings
    WHERE seller_id = $seller_id::text AND product_id > $after::text
    ORDER BY product_id
    LIMIT $limit::integer
""")
async def _find_after(sql: Any, seller_id: str, after: str, limit: int) -> list[Listing]:
    """Return listings of a seller by product id, without their owners."""
