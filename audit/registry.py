"""Every comparison, in the order in which they run: along the way of the data."""

from collections.abc import Callable, Iterator

from audit.comparison import Comparison
from audit.comparisons import (
    aggregates_vs_marketplace_api,
    aggregates_vs_seller_api,
    dead_letters,
    facts_vs_marketplace_cancellations,
    facts_vs_marketplace_sales,
    facts_vs_order_lines,
    facts_vs_order_state,
    facts_vs_payments,
    facts_vs_product_sales,
    facts_vs_recommendations,
    facts_vs_redis,
    facts_vs_seller_cancellations,
    facts_vs_seller_sales,
    kafka_vs_facts,
    source_vs_cancellations,
    source_vs_order_steps,
    source_vs_orders,
    source_vs_payments,
    source_vs_products,
    source_vs_reviews,
    source_vs_sales,
    source_vs_sellers,
    source_vs_shoppers,
)
from audit.stores import Stores

Run = Callable[[Stores], Iterator[Comparison]]

COMPARISONS: dict[str, Run] = {
    "source_vs_sales": source_vs_sales.run,
    "source_vs_orders": source_vs_orders.run,
    "source_vs_payments": source_vs_payments.run,
    "source_vs_order_steps": source_vs_order_steps.run,
    "source_vs_cancellations": source_vs_cancellations.run,
    "source_vs_reviews": source_vs_reviews.run,
    "source_vs_sellers": source_vs_sellers.run,
    "source_vs_shoppers": source_vs_shoppers.run,
    "source_vs_products": source_vs_products.run,
    "dead_letters": dead_letters.run,
    "kafka_vs_facts": kafka_vs_facts.run,
    "facts_vs_order_lines": facts_vs_order_lines.run,
    "facts_vs_order_state": facts_vs_order_state.run,
    "facts_vs_seller_sales": facts_vs_seller_sales.run,
    "facts_vs_product_sales": facts_vs_product_sales.run,
    "facts_vs_marketplace_sales": facts_vs_marketplace_sales.run,
    "facts_vs_seller_cancellations": facts_vs_seller_cancellations.run,
    "facts_vs_marketplace_cancellations": facts_vs_marketplace_cancellations.run,
    "facts_vs_payments": facts_vs_payments.run,
    "facts_vs_redis": facts_vs_redis.run,
    "facts_vs_recommendations": facts_vs_recommendations.run,
    "aggregates_vs_seller_api": aggregates_vs_seller_api.run,
    "aggregates_vs_marketplace_api": aggregates_vs_marketplace_api.run,
}
"""Name → what runs it. A new comparison is a module beside the others and a line here."""
