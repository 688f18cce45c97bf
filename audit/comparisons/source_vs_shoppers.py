"""Compares the people in the source's orders with `shopper_registered`."""

from audit.comparison import ComparisonSpec
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_shoppers",
    what="every shopper",
    left="source",
    right="Kafka",
    unit="shoppers",
    key=("shopper_id",),
)

run = SourceComparison(
    SPEC,
    events=("shopper_registered",),
    subject="shopper_id",
    expected=lambda source: source.shoppers,
    actual=lambda events, _: events["shopper_registered"].select(["shopper_id"]),
).run
