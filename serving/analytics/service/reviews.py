"""Returns the reviews of a seller with their texts, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from common.cursor import BadCursor, decode_cursor, encode_cursor
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.reviews import Review, Reviews
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row
from serving.kit.names import UNNAMED
from serving.kit.periods import LATEST
from serving.kit.problems import BadAnalyticsRequest

REVIEW_TABLES = ("review_versions",)


@dataclass(frozen=True, slots=True)
class ReviewsRequest:
    """Which reviews are asked for: those of a period with a score from `lowest` to `highest`."""

    period: PeriodRequest
    lowest: int = 1
    highest: int = 5


class ReviewsService:
    """Returns reviews. Text and reply are shown while everybody may read the review."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(
        self, seller_id: str, request: ReviewsRequest, cursor: str | None, limit: int
    ) -> Reviews:
        """Return a page of reviews, the newest first.

        Raises:
            UnknownSeller: the seller never registered and never sold anything.
            BadAnalyticsRequest: the lowest score is above the highest one.
            BadCursor: the cursor is not one of this list.
        """
        if request.lowest > request.highest:
            raise BadAnalyticsRequest("The lowest score must not be above the highest one.")
        context = self._context
        as_of = await context.watermarks.as_of(REVIEW_TABLES)
        period = await context.seller_period(seller_id, request.period)
        before_minute, before_order_id, before_review_id = _read(cursor) if cursor else (LATEST, "", "")
        rows = await context.clickhouse.rows(
            "seller_reviews",
            seller_id=seller_id,
            period_start=period.start,
            period_end=period.end,
            lowest=request.lowest,
            highest=request.highest,
            before_minute=before_minute,
            before_order_id=before_order_id,
            before_review_id=before_review_id,
            limit=limit + 1,
        )
        await context.require_seller(seller_id, rows)
        has_more, rows = len(rows) > limit, rows[:limit]
        names = await context.product_names(row["product_id"] for row in rows if row["product_id"])
        return {
            "seller_id": seller_id,
            "period": show_period(period, context.zone),
            "reviews": [self._review(row, names.get(row["product_id"], UNNAMED).name) for row in rows],
            "next_cursor": _cursor(rows[-1]) if has_more else None,
            "as_of": context.local(as_of),
            "stale": False,
        }

    def _review(self, row: Row, label: str | None) -> Review:
        return {
            "review_id": row["review_id"],
            "order_id": row["order_id"],
            "written_at": datetime.fromtimestamp(int(row["minute_s"]), self._context.zone),
            "score": int(row["score"]),
            "product_id": row["product_id"] or None,
            "label": label,
            "status": row["status"],
            "title": row["title"],
            "comment": row["comment"],
            "reply": row["reply"],
        }


def _cursor(row: Row) -> str:
    return encode_cursor(int(row["minute_s"]), row["order_id"], row["review_id"])


def _read(cursor: str) -> tuple[datetime, str, str]:
    minute, order_id, review_id = decode_cursor(cursor, (int, str, str))
    try:
        return datetime.fromtimestamp(int(minute), UTC), str(order_id), str(review_id)
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor from error
