"""Compares the source's sellers with `seller_registered`."""

from audit.comparison import ComparisonSpec
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_sellers",
    what="every seller",
    left="source",
    right="Kafka",
    unit="sellers",
    key=("seller_id",),
)

run = SourceComparison(
    SPEC,
    events=("seller_registered",),
    subject="seller_id",
    expected=lambda source: source.sellers,
    actual=lambda events, _: events["seller_registered"].select(["seller_id", "city", "state"]),
).run
