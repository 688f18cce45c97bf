"""The reviews of a seller with their texts, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from common.cursor import decode_cursor, encode_cursor, moment_of
from serving.analytics.sales import show_period
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row
from serving.kit.names import UNNAMED
from serving.kit.periods import LATEST
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.response_types import AsOf, Moment, Period, Stale

_TEXT = (
    "Null unless it is published, and of reviews that were written in the shop: `published_reviews` has "
    "their texts."
)


class Review(TypedDict):
    """A review of the seller, or of a product of theirs. It does not say who wrote it."""

    review_id: str
    order_id: str
    written_at: Annotated[Moment, Field(description="To the minute.")]
    score: Annotated[int, Field(ge=1, le=5, description="1 (worst) to 5 (best).")]
    product_id: Annotated[str | None, Field(description="Null if it is about no single product.")]
    label: Annotated[str | None, Field(description="The name of the product.")]
    status: Annotated[
        Literal["submitted", "published", "rejected"], Field(description="Whether everybody may read it.")
    ]
    title: Annotated[str | None, Field(description=_TEXT)]
    comment: Annotated[str | None, Field(description=_TEXT)]
    reply: Annotated[
        str | None, Field(description="What the seller answered in public. Null unless it is published.")
    ]


class Reviews(TypedDict):
    """A page of a seller's reviews, the newest first."""

    seller_id: str
    period: Period
    reviews: list[Review]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]
    as_of: AsOf
    stale: Stale


@dataclass(frozen=True, slots=True)
class ReviewsRequest:
    """Which reviews are asked for: those of a period with a score from `lowest` to `highest`."""

    period: PeriodRequest
    lowest: int = 1
    highest: int = 5


async def of_seller(
    context: AnalyticsContext, seller_id: str, request: ReviewsRequest, cursor: str | None, limit: int
) -> Reviews:
    """Return a page of reviews, the newest first. Text and reply show while everybody may read the review.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
        UNUSABLE_PARAMETER: the lowest score is above the highest one.
        BadCursor: the cursor is not one of this list.
    """
    if request.lowest > request.highest:
        raise UNUSABLE_PARAMETER(detail="The lowest score must not be above the highest one.")
    as_of = await context.watermarks.as_of(("review_versions",))
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
        "reviews": [_review(context, row, names.get(row["product_id"], UNNAMED).name) for row in rows],
        "next_cursor": _cursor(rows[-1]) if has_more else None,
        "as_of": context.local(as_of),
        "stale": False,
    }


def _review(context: AnalyticsContext, row: Row, label: str | None) -> Review:
    return {
        "review_id": row["review_id"],
        "order_id": row["order_id"],
        "written_at": datetime.fromtimestamp(int(row["minute_s"]), context.zone),
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
    return moment_of(1_000 * int(minute)), str(order_id), str(review_id)
