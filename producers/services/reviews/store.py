"""Reads and writes reviews, the lines that they are about, votes and reports."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from producers.kit.http.pages import Position
from producers.kit.http.problems import require
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.reviews.model import UNKNOWN_REVIEW, ModeratedReview, Report, ReviewableLine, event_of
from schemas.codec import Record

_COLUMNS = [field.name for field in fields(ModeratedReview)]
_STORED = [name for name in _COLUMNS if name not in ("helpful", "reports")]
_COUNT = """
    (SELECT count(*) FROM opinions
    WHERE (review_id, version, is_report) = (reviews.review_id, reviews.version, {}))::integer
"""
_REVIEWS = f"""
    SELECT {", ".join(_COLUMNS)}
    FROM (
        SELECT reviews.*, {_COUNT.format("false")} AS helpful, {_COUNT.format("true")} AS reports FROM reviews
    ) AS counted
"""
"""The reviews with how many shoppers found their last version helpful, and how many reported it."""
_LINES = """
    SELECT
        lines.order_id, lines.line_number, lines.product_id, lines.seller_id, placed_at, delivered_at,
        review_id
    FROM lines
    LEFT JOIN deliveries USING (order_id, seller_id)
    LEFT JOIN reviews ON reviews.order_id = lines.order_id AND reviews.line_number = lines.line_number
        AND source_id IS NULL
    WHERE NOT EXISTS (SELECT FROM cancelled_orders WHERE cancelled_orders.order_id = lines.order_id)
"""


def _page(where: str, by_votes: bool = False) -> str:
    """Return a SELECT of the reviews after the row `$after` of a list."""
    rank, after, order = ("helpful,", "$after.rank::integer,", "helpful DESC,") if by_votes else ("", "", "")
    return f"""
        {_REVIEWS}
        WHERE {where}
            AND ({rank} submitted_at, review_id)
                < ({after} $after.at::timestamptz, $after.row_id::text)
        ORDER BY {order} submitted_at DESC, review_id DESC
        LIMIT $limit::integer
    """


@statement("SELECT pg_advisory_xact_lock(hashtextextended($shopper_id::text, 1))")
async def lock_shopper(tx: Transaction, shopper_id: str) -> None:
    """Wait for other transactions about a shopper."""


@statement("""
    SELECT
        pg_advisory_xact_lock(hashtextextended($event.order_id::text, 0)),
        pg_advisory_xact_lock_shared(hashtextextended($event.shopper_id::text, 1))
""")
async def lock_order(tx: Transaction, event: Record) -> None:
    """Wait for other transactions about what producers say of an order, and for its shopper's erasure."""


@statement("""
    INSERT INTO lines (order_id, line_number, shopper_id, product_id, seller_id, placed_at)
    SELECT $order.order_id::text, line_number, $order.shopper_id::text, product_id, seller_id,
        coalesce($order.placed_at::timestamptz, $order.occurred_at::timestamptz)
    FROM unnest($lines.line_number::integer[], $lines.product_id::text[], $lines.seller_id::text[])
        AS line (line_number, product_id, seller_id)
    ON CONFLICT DO NOTHING
""")
async def save_lines(tx: Transaction, order: Record, lines: Sequence[Record]) -> None:
    """Save the lines of an `order_confirmed`."""


@statement("INSERT INTO cancelled_orders (order_id) VALUES ($order_id::text) ON CONFLICT DO NOTHING")
async def save_cancellation(tx: Transaction, order_id: str) -> None:
    """Record that an order was cancelled: its lines can't be reviewed."""


@statement("""
    INSERT INTO deliveries (order_id, seller_id, delivered_at)
    VALUES ($event.order_id::text, $event.seller_id::text, $event.occurred_at::timestamptz)
    ON CONFLICT DO NOTHING
""")
async def save_delivery(tx: Transaction, event: Record) -> None:
    """Record that the first parcel of a seller's part of an order has arrived."""


@statement(f"""
    {_LINES}
        AND lines.order_id = $order_id::text AND lines.line_number = $line_number::integer
        AND lines.shopper_id = ANY($shopper_ids::text[])
""")
async def find_line(
    sql: Any, order_id: str, line_number: int, shopper_ids: Sequence[str]
) -> ReviewableLine | None:
    """Return a line of one of these shoppers."""


@statement(f"""
    {_LINES}
        AND lines.shopper_id = ANY($shopper_ids::text[]) AND delivered_at IS NOT NULL
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
async def _lock_review(tx: Transaction, review_id: str) -> ModeratedReview | None:
    """Lock and return a review."""


async def lock_review(
    tx: Transaction, review_id: str, allowed: Callable[[ModeratedReview], bool]
) -> ModeratedReview:
    """Lock and return a review.

    Raises:
        UNKNOWN_REVIEW: there is none, or it is not `allowed`.
    """
    review = require(await _lock_review(tx, review_id), UNKNOWN_REVIEW(review_id=review_id))
    require(allowed(review), UNKNOWN_REVIEW(review_id=review_id))
    return review


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


@statement(_page("status = 'published' AND product_id = $product_id::text"))
async def find_newest(sql: Any, product_id: str, after: Position, limit: int) -> list[ModeratedReview]:
    """Return published reviews of a product, the newest first."""


@statement(_page("status = 'published' AND product_id = $product_id::text", by_votes=True))
async def find_most_helpful(sql: Any, product_id: str, after: Position, limit: int) -> list[ModeratedReview]:
    """Return published reviews of a product, those with the most votes first."""


@statement(
    _page("""
        status = 'published' AND seller_id = $seller_id::text
        AND (reply IS NULL OR NOT $unanswered::boolean)
    """)
)
async def find_of_seller(
    sql: Any, seller_id: str, unanswered: bool, after: Position, limit: int
) -> list[ModeratedReview]:
    """Return published reviews of a seller, or only those without a reply, the newest first."""


@statement(_page("shopper_id = ANY($shopper_ids::text[])"))
async def find_own(
    sql: Any, shopper_ids: Sequence[str], after: Position, limit: int
) -> list[ModeratedReview]:
    """Return the reviews of these shoppers, the newest first."""


@statement(_page("is_queued"))
async def find_queue(sql: Any, after: Position, limit: int) -> list[ModeratedReview]:
    """Return the reviews that wait for a person, the newest first."""


@statement(_page("status = $status::text"))
async def find_with_status(sql: Any, status: str, after: Position, limit: int) -> list[ModeratedReview]:
    """Return the reviews with a status, the newest first."""


@statement("""
    SELECT count(review_id) FROM generate_series(1, 5) AS stars
    LEFT JOIN reviews ON score = stars AND status = 'published' AND product_id = $product_id::text
    GROUP BY stars ORDER BY stars
""")
async def count_by_score(sql: Any, product_id: str) -> list[int]:
    """Return how many published reviews of a product have 1, 2, 3, 4 and 5 stars."""


@statement(f"""
    INSERT INTO reviews ({", ".join(_STORED)}) VALUES ({", ".join(f"$review.{name}" for name in _STORED)})
    ON CONFLICT (review_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _STORED)}
""")
async def save_review(tx: Transaction, review: ModeratedReview) -> None:
    """Save a review whose key is locked."""


async def save_decided(tx: Transaction, review: ModeratedReview, moderated_by: str | None = None) -> None:
    """Save a review that was published, rejected or withdrawn, and emit that."""
    await save_review(tx, review)
    event, values = event_of(review, moderated_by)
    tx.emit(event, **values)


async def save_reply(tx: Transaction, review: ModeratedReview, text: str | None) -> ModeratedReview:
    """Save the reply to a locked review, or that it has none any more, and emit that."""
    at = review.next_reply(tx.now)
    answered = replace(review, reply=text, replied_at=at if text else None)
    await save_review(tx, answered)
    names = ("review_id", "order_id", "product_id", "seller_id")
    tx.emit("review_answered", **{name: review.subject[name] for name in names}, text=text, occurred_at=at)
    return answered


async def take_back(tx: Transaction, review: ModeratedReview, now: datetime) -> ModeratedReview:
    """Hide a locked review that its author writes anew, and the reply, which was about the former words."""
    if review.reply is not None:
        review = await save_reply(tx, review, None)
    if review.status == "published":
        review = review.decided("withdrawn", now)
        await save_decided(tx, review)
    return review


@statement("""
    INSERT INTO opinions (review_id, shopper_id, is_report, version, reason)
    VALUES (
        $review.review_id::text, $shopper_id::text, $reason::text IS NOT NULL, $review.version::integer,
        $reason::text
    )
    ON CONFLICT (review_id, is_report, shopper_id) DO UPDATE
    SET version = excluded.version, reason = excluded.reason
""")
async def save_opinion(tx: Transaction, review: ModeratedReview, shopper_id: str, reason: str | None) -> None:
    """Record why a shopper reports a review, or without a reason that they find it helpful."""


@statement("""
    DELETE FROM opinions
    WHERE review_id = $review_id::text AND shopper_id = $shopper_id::text AND NOT is_report
""")
async def delete_vote(tx: Transaction, review_id: str, shopper_id: str) -> None:
    """Take back that a shopper finds a review helpful."""


@statement("DELETE FROM opinions WHERE review_id = $review_id::text AND is_report")
async def delete_reports(tx: Transaction, review_id: str) -> None:
    """Forget the reports of a review about which a person has decided."""


@statement("""
    SELECT review_id FROM opinions WHERE shopper_id = ANY($shopper_ids::text[]) AND NOT is_report
    ORDER BY review_id
""")
async def find_votes(sql: Any, shopper_ids: Sequence[str]) -> list[str]:
    """Return the reviews that these shoppers find helpful."""


@statement("""
    SELECT review_id, reason FROM opinions WHERE shopper_id = ANY($shopper_ids::text[]) AND is_report
    ORDER BY review_id
""")
async def find_reports(sql: Any, shopper_ids: Sequence[str]) -> list[Report]:
    """Return the reports of these shoppers."""


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


@statement("SELECT true FROM erased_shoppers WHERE shopper_id = $shopper_id::text")
async def is_erased(tx: Transaction, shopper_id: str) -> bool:
    """Return whether a locked shopper was erased."""


@statement("""
    WITH erased AS (
        INSERT INTO erased_shoppers (shopper_id) VALUES ($shopper_id::text) ON CONFLICT DO NOTHING
    ), said AS (
        DELETE FROM opinions WHERE shopper_id = $shopper_id::text
    )
    UPDATE reviews SET title = NULL, comment = NULL, note = NULL WHERE shopper_id = $shopper_id::text
""")
async def erase_shopper(tx: Transaction, shopper_id: str) -> None:
    """Erase what a locked shopper has written, and lock their reviews. The stars stay, as orders do."""


@statement(f"{_REVIEWS} WHERE shopper_id = $shopper_id::text AND status = 'pending'")
async def find_pending(tx: Transaction, shopper_id: str) -> list[ModeratedReview]:
    """Return the reviews of a shopper that wait to be published."""
