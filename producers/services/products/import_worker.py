"""Applies the rows of files of listings (a worker).

Rows are applied in batches. Each batch saves how far the import is in the transaction of its changes, so an
import that was interrupted goes on where it was, and applies no row twice. The inventory service has the
stock: the counts of all rows are sent to it afterwards.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Any, Literal

import structlog

from common.metrics import UNEXPECTED_ERRORS
from common.problems import Problem
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.polling import poll
from producers.kit.postgres.errors import RETRYABLE
from producers.kit.postgres.statements import statement
from producers.services.products import picture_store, store
from producers.services.products.file_reading import ReadFile
from producers.services.products.import_rows import (
    AppliedBatch,
    Known,
    Rules,
    StockCount,
    apply_rows,
    named_in,
    pictures_in,
)
from producers.services.products.listing_cells import BadCell, CellReader
from producers.services.products.listing_files import BadFile, Defect, Row
from producers.services.products.model import NAME
from schemas.product_categories import ProductAttribute

log = structlog.get_logger()

ImportStatus = Literal["waiting", "running", "done", "failed"]

WORKER = "imports"
BATCH_ROWS = 250
"""Rows of one transaction: they take about a fifth of a second."""

STOCK_BATCH = 200
INTERVAL_S = 1.0
LEASE = timedelta(seconds=15)
"""After this time, another process continues an import whose process has ended."""

STOCK_WAIT = timedelta(minutes=5)
"""How long the inventory service may take to learn of a new listing."""

STOCK_RETRY = timedelta(seconds=2)
MAX_OPEN_FILES = 16
"""The number of files that were read and wait on disk. With more imports at a time, files are read again."""

UNFINISHED = "status IN ('waiting', 'running')"
"""The condition of imports that have not ended."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """An import that this process works on until its lease ends."""

    import_id: str
    seller_id: str
    dry_run: bool
    sets_stock: bool
    rows: int | None
    position: int


@dataclass(slots=True)
class _SentStock:
    """The rows whose stock is set, those that are sent again, and why others are refused."""

    done: list[int] = field(default_factory=list)
    postponed: list[int] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


async def run_imports(transactions: Transactions, settings: Settings) -> None:
    """Apply the files that wait, until cancelled (a worker)."""
    UNEXPECTED_ERRORS.labels(NAME, WORKER)  # creates the series with 0, which the alert needs
    importer = Importer(transactions, settings, Peers(settings, NAME))
    try:
        await poll(f"{NAME} {WORKER}", INTERVAL_S, importer.work, settings.stop_timeout_s, drains=True)
    finally:
        importer.close()


class Importer:
    """Applies files of listings, a batch of each in turn. `peers` reaches the inventory service."""

    def __init__(self, transactions: Transactions, settings: Settings, peers: Peers) -> None:
        self._transactions = transactions
        self._currency = settings.shop_currency
        self._peers = peers
        self._files: dict[str, _OpenFile] = {}

    async def work(self) -> int:
        """Apply the next batch of the import that has waited longest; return 0 if none waits.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable; the lease ends.
        """
        async with self._transactions.connection() as sql:
            claimed = await _claim(sql, self._transactions.clock(), LEASE)
        if claimed is None:
            return 0
        try:
            if claimed.rows is not None and claimed.position >= claimed.rows:
                await self._send_stock(claimed)
            else:
                await self._apply_batch(claimed)
        except BadFile as error:
            await self._fail(claimed, error.code, str(error))
        except ServiceNotReady:  # the lease ends, and the stock is sent again
            return 0
        except RETRYABLE:
            raise
        except Exception as error:
            log.error("unexpected error", worker=WORKER, import_id=claimed.import_id, exc_info=error)
            UNEXPECTED_ERRORS.labels(NAME, WORKER).inc()
            await self._fail(
                claimed, "internal", "The file can't be read because of a bug, which was reported."
            )
        return 1

    def close(self) -> None:
        """Remove the files on disk."""
        for import_id in [*self._files]:
            self._files.pop(import_id).close()

    async def _apply_batch(self, claimed: _Claimed) -> None:
        """Apply the next rows of a file.

        Raises:
            BadFile: the file can't be read, or the seller may not sell now.
        """
        file = await self._open(claimed)
        rows = await asyncio.to_thread(file.take, BATCH_ROWS)
        import_id, seller_id = claimed.import_id, claimed.seller_id
        async with self._transactions.begin(Trace.start(import_id, None)) as tx:
            if await _lock_position(tx, import_id) != claimed.position:
                return  # another process has continued
            try:
                await store.lock_approved_seller(tx, seller_id)
            except Problem as refusal:
                raise BadFile(refusal.kind, str(refusal)) from refusal
            outcome = await self._outcome(tx, claimed, file, rows)
            defects = outcome.defects
            if claimed.position == 0:
                defects = [*file.defects_of_header(), *defects]
            if not claimed.dry_run:
                await store.save_all_changed(tx, outcome.changes)
                await _save_stock(tx, import_id, outcome.stock, STOCK_WAIT)
            await _save_defects(tx, import_id, defects)
            await _advance(tx, import_id, file.rows, outcome)

    async def _outcome(
        self, tx: Transaction, claimed: _Claimed, file: "_OpenFile", rows: Sequence[Row]
    ) -> AppliedBatch:
        """Return what rows change, whose listings are locked then."""
        seller_id = claimed.seller_id
        await store.keep_categories(tx)
        categories, attributes = await store.find_categories(tx), await store.find_attributes(tx)
        rules = Rules(
            seller_id=seller_id,
            currency=self._currency,
            now=tx.now,
            is_on_holiday=await store.is_on_holiday(tx, seller_id, tx.now),
            may_set_stock=claimed.sets_stock,
            pictures=await picture_store.use_pictures(tx, seller_id, pictures_in(rows)),
            categories=categories,
            attributes=attributes,
        )
        known = file.known.without_offers() if claimed.dry_run else Known()
        known.add(seller_id, await store.lock_named(tx, seller_id, *named_in(rows, seller_id)))
        file.known = known
        reader = CellReader(self._currency, file.overview.decimal, categories, attributes)
        return await asyncio.to_thread(apply_rows, rows, file.overview.repeated, known, rules, reader)

    async def _open(self, claimed: _Claimed) -> "_OpenFile":
        """Return the file of an import, of which the rows before `position` are taken.

        Raises:
            BadFile: it can't be read.
        """
        file = self._files.pop(claimed.import_id, None)
        if file is not None and file.position != claimed.position:  # a transaction was rolled back
            file.close()
            file = None
        if file is None:
            async with self._transactions.connection() as sql:
                content = await _find_content(sql, claimed.import_id)
                attributes = await store.find_attributes(sql)
            file = await asyncio.to_thread(_OpenFile, content, attributes)
            await asyncio.to_thread(file.take, claimed.position)
        self._files[claimed.import_id] = file
        while len(self._files) > MAX_OPEN_FILES:
            self._files.pop(next(iter(self._files))).close()
        return file

    async def _send_stock(self, claimed: _Claimed) -> None:
        """Send stock to the inventory service, or end the import if none waits.

        A process that ends between the answer and the commit sends the same counts once more, seconds later.

        Raises:
            ServiceNotReady: the inventory service does not answer.
        """
        import_id, now = claimed.import_id, self._transactions.clock()
        async with self._transactions.connection() as sql:
            due = await _find_due_stock(sql, import_id, now, STOCK_BATCH)
        sent = _SentStock()
        for may_wait in (True, False):
            if counts := [each for each in due if each.may_wait == may_wait]:
                await self._set_stock(claimed.seller_id, counts, sent)
        async with self._transactions.begin(Trace.start(import_id, None)) as tx:
            refused = sorted({defect.row for defect in sent.defects})
            await _delete_stock(tx, import_id, [*sent.done, *refused])
            await _postpone_stock(tx, import_id, sent.postponed, tx.now + STOCK_RETRY)
            await _save_defects(tx, import_id, sent.defects)
            await _refuse_applied(tx, import_id, len(refused))
            try_at = await _next_stock_at(tx, import_id)
            if try_at is None:
                await _end(tx, import_id, "done", None, None)
            else:
                await _wait_until(tx, import_id, try_at)
        if try_at is None:
            self._forget(import_id)

    async def _set_stock(self, seller_id: str, counts: Sequence[StockCount], sent: _SentStock) -> None:
        """Send counts, which all may wait or none, in one request, and note in `sent` what became of them.

        If one of them is refused, all are: then send the halves.
        """
        body = [
            {"product_id": each.product_id, "seller_id": seller_id, "on_hand": each.on_hand}
            for each in counts
        ]
        response = await self._peers.send("inventory", "PUT", "/v1/stock", body)
        rows, first = [each.row for each in counts], counts[0]
        if response.is_success:
            sent.done += rows
            return
        refusal: Mapping[str, str] = response.json()
        code = refusal["type"].rpartition(":")[2]
        if code == "not-listed" and first.may_wait:
            sent.postponed += rows
        elif len(counts) == 1:
            sent.defects.append(Defect(first.row, "stock", str(first.on_hand), code, refusal["detail"]))
        else:
            half = len(counts) // 2
            await self._set_stock(seller_id, counts[:half], sent)
            await self._set_stock(seller_id, counts[half:], sent)

    async def _fail(self, claimed: _Claimed, code: str, reason: str) -> None:
        async with self._transactions.begin(Trace.start(claimed.import_id, None)) as tx:
            await _end(tx, claimed.import_id, "failed", code, reason)
        self._forget(claimed.import_id)

    def _forget(self, import_id: str) -> None:
        if (file := self._files.pop(import_id, None)) is not None:
            file.close()


class _OpenFile:
    """The file of an import on disk, which is read batch by batch. `position` rows are taken.

    `known` is what the rows of a dry run would have changed.
    """

    def __init__(self, content: bytes | None, attributes: Mapping[str, ProductAttribute]) -> None:
        """Raises BadFile: it is no table of listings."""
        self._folder = TemporaryDirectory(prefix="souk-import-")
        self.position = 0
        self.known = Known()
        try:
            path = FilePath(self._folder.name) / "file"
            path.write_bytes(zlib.decompress(content or b""))
            self._file = ReadFile(path, attributes)
            self.overview = self._file.overview
        except BaseException:
            self._folder.cleanup()
            raise

    @property
    def rows(self) -> int:
        """The number of rows that are not blank."""
        return self.overview.rows

    def take(self, count: int) -> list[Row]:
        """Return the next rows."""
        rows = self._file.take(count)
        self.position += len(rows)
        return rows

    def defects_of_header(self) -> list[Defect]:
        """Return the columns that are not read, which a typing error may be the cause of."""
        error = BadCell("unknown-column", "No column has this name, so it was not read.")
        return [Defect.of(self.overview.header_row, name, "", error) for name in self.overview.unknown]

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        self._folder.cleanup()


@statement(f"""
    UPDATE listing_imports SET status = 'running', due_at = $now::timestamptz + $lease::interval
    WHERE import_id = (
        SELECT import_id FROM listing_imports AS next
        WHERE {UNFINISHED} AND due_at <= $now::timestamptz AND NOT EXISTS (
            SELECT FROM listing_imports AS earlier
            WHERE earlier.seller_id = next.seller_id AND earlier.{UNFINISHED}
                AND (earlier.created_at, earlier.import_id) < (next.created_at, next.import_id)
        )
        ORDER BY due_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING import_id, seller_id, dry_run, sets_stock, rows, applied + unchanged + refused AS position
""")
async def _claim(sql: Any, now: datetime, lease: timedelta) -> _Claimed | None:
    """Return the import that has waited longest, of the oldest one of each seller."""


@statement("""
    SELECT applied + unchanged + refused FROM listing_imports
    WHERE import_id = $import_id::text AND status = 'running'
    FOR UPDATE
""")
async def _lock_position(tx: Transaction, import_id: str) -> int | None:
    """Lock an import, and return how many of its rows are done."""


@statement("SELECT content FROM listing_import_files WHERE import_id = $import_id::text")
async def _find_content(sql: Any, import_id: str) -> bytes | None:
    """Return the compressed file of an import."""


@statement("""
    INSERT INTO listing_import_defects (import_id, row_number, column_name, value, code, reason)
    SELECT $import_id::text, row_number, column_name, value, code, reason
    FROM unnest(
        $defects.row::integer[], $defects.column::text[], $defects.value::text[], $defects.code::text[],
        $defects.reason::text[]
    ) WITH ORDINALITY AS given (row_number, column_name, value, code, reason, place)
    ORDER BY place
""")
async def _save_defects(tx: Transaction, import_id: str, defects: Sequence[Defect]) -> None:
    """Save why rows are refused."""


@statement("""
    INSERT INTO listing_import_stock (import_id, row_number, product_id, on_hand, wait_until, try_at)
    SELECT
        $import_id::text, row_number, product_id, on_hand,
        $tx.now::timestamptz + CASE WHEN may_wait THEN $wait::interval ELSE '0' END, $tx.now
    FROM unnest(
        $stock.row::integer[], $stock.product_id::text[], $stock.on_hand::integer[],
        $stock.may_wait::boolean[]
    ) AS given (row_number, product_id, on_hand, may_wait)
""")
async def _save_stock(tx: Transaction, import_id: str, stock: Sequence[StockCount], wait: timedelta) -> None:
    """Save stock to send. What may wait does so for `wait` at most."""


@statement("""
    UPDATE listing_imports
    SET rows = $rows::integer, due_at = $tx.now::timestamptz, applied = applied + $outcome.applied::integer,
        unchanged = unchanged + $outcome.unchanged::integer, refused = refused + $outcome.refused::integer
    WHERE import_id = $import_id::text
""")
async def _advance(tx: Transaction, import_id: str, rows: int, outcome: AppliedBatch) -> None:
    """Save how far a locked import is, and end the lease."""


@statement("""
    SELECT row_number AS row, product_id, on_hand, wait_until > $now::timestamptz AS may_wait
    FROM listing_import_stock
    WHERE import_id = $import_id::text AND try_at <= $now::timestamptz
    ORDER BY row_number
    LIMIT $limit::integer
""")
async def _find_due_stock(sql: Any, import_id: str, now: datetime, limit: int) -> list[StockCount]:
    """Return stock of an import to send now."""


@statement("""
    DELETE FROM listing_import_stock
    WHERE import_id = $import_id::text AND row_number = ANY ($rows::integer[])
""")
async def _delete_stock(tx: Transaction, import_id: str, rows: Sequence[int]) -> None:
    """Delete stock that was set or refused."""


@statement("""
    UPDATE listing_import_stock SET try_at = $try_at::timestamptz
    WHERE import_id = $import_id::text AND row_number = ANY ($rows::integer[])
""")
async def _postpone_stock(tx: Transaction, import_id: str, rows: Sequence[int], try_at: datetime) -> None:
    """Let stock wait until it is sent again."""


@statement("SELECT min(try_at) FROM listing_import_stock WHERE import_id = $import_id::text")
async def _next_stock_at(tx: Transaction, import_id: str) -> datetime | None:
    """Return when stock of an import is sent next; None if none waits."""


@statement("""
    UPDATE listing_imports
    SET applied = applied - $rows::integer, refused = refused + $rows::integer
    WHERE import_id = $import_id::text
""")
async def _refuse_applied(tx: Transaction, import_id: str, rows: int) -> None:
    """Count rows as refused whose stock the inventory service has refused."""


@statement("UPDATE listing_imports SET due_at = $at::timestamptz WHERE import_id = $import_id::text")
async def _wait_until(tx: Transaction, import_id: str, at: datetime) -> None:
    """End the lease of an import that has nothing to do before a time."""


@statement("""
    WITH files AS (DELETE FROM listing_import_files WHERE import_id = $import_id::text),
        stock AS (DELETE FROM listing_import_stock WHERE import_id = $import_id::text)
    UPDATE listing_imports
    SET status = $status::text, code = $code::text, reason = $reason::text, ended_at = $tx.now::timestamptz
    WHERE import_id = $import_id::text
""")
async def _end(
    tx: Transaction, import_id: str, status: ImportStatus, code: str | None, reason: str | None
) -> None:
    """End an import, and drop its file."""
