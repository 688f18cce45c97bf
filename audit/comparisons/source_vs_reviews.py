"""Compares the source's reviews with `review_submitted`: number and sum of scores for each order."""

import pyarrow as pa

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_reviews",
    what="reviews of every order",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def by_order(reviews: pa.Table) -> pa.Table:
    """Return order_id, reviews (their number) and scores (their sum)."""
    sums = grouped(reviews, "order_id", [("score", "count"), ("score", "sum")])
    return sums.rename_columns(["order_id", "reviews", "scores"])


run = SourceComparison(
    SPEC,
    events=("review_submitted",),
    subject="order_id",
    expected=lambda source: by_order(source.reviews),
    actual=lambda events, _: by_order(events["review_submitted"]),
    has_no_times=True,
).run
