"""Reads and writes reviews, the lines that they are about, votes and reports."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from common.cursor import decode_cursor, decode_moment, encode_cursor, encode_moment
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.reviews.model import Line, ModeratedReview, ReviewableLine, event_of
from schemas.codec import Record


def _select(of: type) -> str:
    """Return a SELECT of the columns of a dataclass."""
    return f"SELECT {', '.join(field.name for field in fields(of))} "


_REVIEWS = f"{_select(ModeratedReview)} FROM counted_reviews "
_LINES = f"""
    {_select(Line)}
    FROM lines LEFT JOIN deliveries USING (order_id, seller_id)
"""


@dataclass(frozen=True, slots=True)
class Position:
    """The last review of a page of a list that is sorted by time, or by votes and time."""

    helpful: int = 2**31
    submitted_at: datetime = datetime(9999, 1, 1, tzinfo=UTC)
    review_id: str = ""

    @classmethod
    def of(cls, cursor: str | None) -> "Position":
        """Return the position of a cursor; the begin of the list if there is none.

        Raises:
            BadCursor: no list has returned it.
        """
        if cursor is None:
            return cls()
        helpful, moment = decode_cursor(cursor, (int, str))
        return cls(int(helpful), *decode_moment(str(moment)))


def cut_page(rows: list[ModeratedReview], limit: int) -> tuple[list[ModeratedReview], str | None]:
    """Return the first `limit` of the rows, and the cursor of the others; None if there are none."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor(last.helpful, encode_moment(last.submitted_at, last.review_id))


@statement("SELECT pg_advisory_xact_lock(hashtextextended($of::text, 0))")
async def lock(tx: Transaction, of: str) -> None:
    """Wait for other transactions about a shopper, or about what producers have sent of an order."""


@statement("""
    INSERT INTO lines (order_id, line_number, shopper_id, product_id, seller_id, placed_at)
    SELECT $order_id::text, line_number, $shopper_id::text, product_id, seller_id, $placed_at::timestamptz
    FROM unnest($numbers::integer[], $products::text[], $sellers::text[])
        AS line (line_number, product_id, seller_id)
    ON CONFLICT DO NOTHING
""")
async def _save_lines(
    tx: Transaction,
    order_id: str,
    shopper_id: str,
    placed_at: datetime,
    numbers: Sequence[int],
    products: Sequence[str],
    sellers: Sequence[str],
) -> None: ...


async def save_lines(tx: Transaction, order: Record) -> None:
    """Save the lines of an `order_placed`."""
    columns = ([line[name] for line in order["lines"]] for name in ("line_number", "product_id", "seller_id"))
    await _save_lines(tx, order["order_id"], order["shopper_id"], order["occurred_at"], *columns)


@statement("""
    INSERT INTO deliveries (order_id, seller_id, delivered_at)
    VALUES ($order_id::text, $seller_id::text, $delivered_at::timestamptz)
    ON CONFLICT DO NOTHING
""")
async def save_delivery(tx: Transaction, order_id: str, seller_id: str, delivered_at: datetime) -> None:
    """Record that the first parcel of a seller's part of an order has arrived."""


@statement(f"""
    {_LINES}
    WHERE order_id = $order_id::text AND line_number = $line_number::integer
        AND shopper_id = ANY($shopper_ids::text[])
""")
async def find_line(sql: Any, order_id: str, line_number: int, shopper_ids: Sequence[str]) -> Line | None:
    """Return a line of one of these shoppers."""


@statement("""
    SELECT lines.order_id, lines.line_number, lines.product_id, lines.seller_id, delivered_at, review_id
    FROM lines
    JOIN deliveries USING (order_id, seller_id)
    LEFT JOIN reviews ON reviews.order_id = lines.order_id AND reviews.line_number = lines.line_number
        AND source_id IS NULL
    WHERE lines.shopper_id = ANY($shopper_ids::text[])
        AND coalesce(status, 'withdrawn') IN ('withdrawn', 'rejected')
    ORDER BY delivered_at DESC, lines.order_id, lines.line_number
    LIMIT $limit::integer
""")
async def find_reviewable(sql: Any, shopper_ids: Sequence[str], limit: int) -> list[ReviewableLine]:
    """Return the delivered lines of these shoppers that have no review, the newest first."""


@statement(f"{_REVIEWS} WHERE review_id = $review_id::text")
async def find_review(sql: Any, review_id: str) -> ModeratedReview | None:
    """Return a review."""


@statement(f"{_REVIEWS} WHERE review_id = $review_id::text FOR UPDATE")
async def lock_review(tx: Transaction, review_id: str) -> ModeratedReview | None:
    """Lock and return a review."""


@statement(f"""
    {_REVIEWS}
    WHERE order_id = $order_id::text AND line_number = $line_number::integer AND source_id IS NULL
    FOR UPDATE
""")
async def lock_review_of_line(tx: Transaction, order_id: str, line_number: int) -> ModeratedReview | None:
    """Lock and return the review of a line that was written here."""


@statement(f"{_REVIEWS} WHERE source_id = $source_id::text AND order_id = $order_id::text FOR UPDATE")
async def lock_source(tx: Transaction, source_id: str, order_id: str) -> ModeratedReview | None:
    """Lock and return a review that a producer has sent, by its id there."""


@statement("""
    SELECT comment, submitted_at FROM reviews
    WHERE shopper_id = $shopper_id::text AND review_id <> $review_id::text AND status <> 'withdrawn'
""")
async def find_comments(tx: Transaction, shopper_id: str, review_id: str) -> list[dict[str, Any]]:
    """Return `comment` and `submitted_at` of the other reviews of a shopper."""


@statement(f"""
    {_REVIEWS}
    WHERE status = 'published' AND product_id = $product_id::text
        AND (submitted_at, review_id) < ($after.submitted_at::timestamptz, $after.review_id::text)
    ORDER BY submitted_at DESC, review_id DESC LIMIT $limit::integer
""")
async def find_newest(sql: Any, product_id: str, after: Position, limit: int) -> list[ModeratedReview]:
    """Return published reviews of a product, the newest first."""


@statement(f"""
    {_REVIEWS}
    WHERE status = 'published' AND product_id = $product_id::text
        AND (helpful, submitted_at, review_id)
            < ($after.helpful::bigint, $after.submitted_at::timestamptz, $after.review_id::text)
    ORDER BY helpful DESC, submitted_at DESC, review_id DESC LIMIT $limit::integer
""")
async def find_most_helpful(sql: Any, product_id: str, after: Position, limit: int) -> list[ModeratedReview]:
    """Return published reviews of a product, those with the most votes first."""


@statement(f"""
    {_REVIEWS}
    WHERE status = 'published' AND seller_id = $seller_id::text
        AND (reply IS NULL OR NOT $unanswered::boolean)
        AND (submitted_at, review_id) < ($after.submitted_at::timestamptz, $after.review_id::text)
    ORDER BY submitted_at DESC, review_id DESC LIMIT $limit::integer
""")
async def find_of_seller(
    sql: Any, seller_id: str, unanswered: bool, after: Position, limit: int
) -> list[ModeratedReview]:
    """Return published reviews of a seller, or only those without a reply, the newest first."""


@statement(f"""
    {_REVIEWS}
    WHERE shopper_id = ANY($shopper_ids::text[])
        AND (submitted_at, review_id) < ($after.submitted_at::timestamptz, $after.review_id::text)
    ORDER BY submitted_at DESC, review_id DESC LIMIT $limit::integer
""")
async def find_own(
    sql: Any, shopper_ids: Sequence[str], after: Position, limit: int
) -> list[ModeratedReview]:
    """Return the reviews of these shoppers, the newest first."""


@statement(f"""
    {_REVIEWS}
    WHERE (is_queued OR $status::text IS NOT NULL) AND status = coalesce($status::text, status)
        AND (submitted_at, review_id) < ($after.submitted_at::timestamptz, $after.review_id::text)
    ORDER BY submitted_at DESC, review_id DESC LIMIT $limit::integer
""")
async def find_queue(sql: Any, status: str | None, after: Position, limit: int) -> list[ModeratedReview]:
    """Return the reviews that wait for a person, or all with a status, the newest first."""


@statement("""
    SELECT count(review_id) FROM generate_series(1, 5) AS stars
    LEFT JOIN reviews ON score = stars AND status = 'published' AND product_id = $product_id::text
    GROUP BY stars ORDER BY stars
""")
async def count_by_score(sql: Any, product_id: str) -> list[int]:
    """Return how many published reviews of a product have 1, 2, 3, 4 and 5 stars."""


_COLUMNS = [field.name for field in fields(ModeratedReview) if field.name not in ("helpful", "reports")]


@statement(f"""
    INSERT INTO reviews ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"$review.{name}" for name in _COLUMNS)})
    ON CONFLICT (review_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
""")
async def save_review(tx: Transaction, review: ModeratedReview) -> None:
    """Save a review whose key is locked."""


async def save_decided(tx: Transaction, review: ModeratedReview, moderated_by: str | None = None) -> None:
    """Save a review that was published, rejected or withdrawn, and emit that."""
    await save_review(tx, review)
    event, values = event_of(review, moderated_by)
    tx.emit(event, **values)


@statement("""
    INSERT INTO votes (review_id, shopper_id, version)
    VALUES ($review.review_id::text, $shopper_id::text, $review.version::integer)
    ON CONFLICT (review_id, shopper_id) DO UPDATE SET version = excluded.version
""")
async def save_vote(tx: Transaction, review: ModeratedReview, shopper_id: str) -> None:
    """Record that a shopper finds a review helpful."""


@statement("DELETE FROM votes WHERE review_id = $review_id::text AND shopper_id = $shopper_id::text")
async def delete_vote(tx: Transaction, review_id: str, shopper_id: str) -> None:
    """Take such a vote back."""


@statement("""
    INSERT INTO reports (review_id, shopper_id, version, reason)
    VALUES ($review.review_id::text, $shopper_id::text, $review.version::integer, $reason::text)
    ON CONFLICT (review_id, shopper_id) DO UPDATE SET version = excluded.version, reason = excluded.reason
""")
async def save_report(tx: Transaction, review: ModeratedReview, shopper_id: str, reason: str) -> None:
    """Record a report, one of each shopper."""


@statement("SELECT review_id FROM votes WHERE shopper_id = ANY($shopper_ids::text[]) ORDER BY review_id")
async def find_votes(sql: Any, shopper_ids: Sequence[str]) -> list[str]:
    """Return the reviews that these shoppers found helpful."""


@statement("SELECT review_id FROM reports WHERE shopper_id = ANY($shopper_ids::text[]) ORDER BY review_id")
async def find_reported(sql: Any, shopper_ids: Sequence[str]) -> list[str]:
    """Return the reviews that these shoppers reported."""


@statement("DELETE FROM reports WHERE review_id = $review_id::text")
async def delete_reports(tx: Transaction, review_id: str) -> None:
    """Forget the reports of a review about which a person has decided."""


@statement("""
    INSERT INTO decisions (source_id, order_id, status, reason, decided_at)
    VALUES (
        $source_id::text, $order_id::text, $status::text, $reason::text, $decided_at::timestamptz
    )
    ON CONFLICT (source_id, order_id) DO UPDATE
    SET status = excluded.status, reason = excluded.reason, decided_at = excluded.decided_at
    WHERE decisions.decided_at <= excluded.decided_at
""")
async def save_decision(
    tx: Transaction, source_id: str, order_id: str, status: str, reason: str | None, decided_at: datetime
) -> None:
    """Save the newest decision of a producer about a review of theirs."""


@statement("""
    SELECT status, reason, decided_at FROM decisions
    WHERE source_id = $review.source_id::text AND order_id = $review.order_id::text
        AND decided_at >= greatest($review.submitted_at::timestamptz, $review.decided_at::timestamptz)
""")
async def find_decision(tx: Transaction, review: ModeratedReview) -> dict[str, Any] | None:
    """Return `status`, `reason` and `decided_at` of a producer's decision, if the review has no newer one."""


@statement("SELECT shopper_id FROM erased_shoppers WHERE shopper_id = $shopper_id::text")
async def find_erased(tx: Transaction, shopper_id: str) -> str | None:
    """Return the shopper's id if they were erased."""


@statement("""
    WITH erased AS (
        INSERT INTO erased_shoppers (shopper_id) VALUES ($shopper_id::text) ON CONFLICT DO NOTHING
    ), votes_of AS (
        DELETE FROM votes WHERE shopper_id = $shopper_id::text
    ), reports_of AS (
        DELETE FROM reports WHERE shopper_id = $shopper_id::text
    ), hidden AS (
        DELETE FROM reviews WHERE shopper_id = $shopper_id::text AND status <> 'published'
    )
    UPDATE reviews SET title = NULL, comment = NULL
    WHERE shopper_id = $shopper_id::text AND status = 'published'
""")
async def erase_shopper(tx: Transaction, shopper_id: str) -> None:
    """Erase what a locked shopper has written. The stars of published reviews stay, as orders do."""
