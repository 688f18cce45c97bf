"""Compares the products that were sold in the source with `product_listed`, one for each seller."""

from audit.comparison import ComparisonSpec
from audit.source_comparison import SourceComparison

SPEC = ComparisonSpec(
    name="source_vs_products",
    what="every product of every seller",
    left="source",
    right="Kafka",
    unit="products",
    key=("product_id", "seller_id"),
)

run = SourceComparison(
    SPEC,
    events=("product_listed",),
    subject="product_id",
    expected=lambda source: source.products,
    actual=lambda events, _: events["product_listed"].select(
        ["product_id", "seller_id", "weight_g", "photos"]
    ),
).run
