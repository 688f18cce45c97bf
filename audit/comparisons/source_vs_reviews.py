"""Compares the source's reviews with their submissions and publications: number and scores for each order."""

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.source_comparison import Events, SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_reviews",
    what="reviews of every order, submitted and published",
    left="source",
    right="Kafka",
    unit="orders",
    key=("order_id",),
)


def by_order(reviews: pa.Table, number: str, scores: str) -> pa.Table:
    """Return order_id, the number of reviews and the sum of their scores, under these names."""
    sums = grouped(reviews, "order_id", [("score", "count"), ("score", "sum")])
    return sums.rename_columns(["order_id", number, scores])


def _submitted_and_published(submitted: pa.Table, published: pa.Table) -> pa.Table:
    both = by_order(submitted, "reviews", "scores").join(
        by_order(published, "published", "published_scores"), "order_id", join_type="full outer"
    )
    known = {name: pc.fill_null(both[name], 0) for name in both.column_names if name != "order_id"}
    return pa.table({"order_id": both["order_id"], **known})


def _of_events(events: Events) -> pa.Table:
    """Return the sums of both. A review that was rejected after its publication may be published again."""
    once = grouped(events["review_published"], ("order_id", "review_id"), [("score", "min")])
    published = once.rename_columns(["order_id", "review_id", "score"])
    return _submitted_and_published(events["review_submitted"], published)


run = SourceComparison(
    SPEC,
    events=("review_submitted", "review_published"),
    subject="order_id",
    expected=lambda source: _submitted_and_published(source.reviews, source.reviews),
    actual=lambda events, _: _of_events(events),
    has_no_times=True,
).run
