"""All comparisons by name, in the order in which they run."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from audit.comparison import ComparisonResult
from audit.comparisons import (
    aggregates_vs_marketplace_api,
    dead_letters,
    facts_vs_marketplace_metrics,
    facts_vs_recommendations,
    facts_vs_redis,
    facts_vs_search,
    facts_vs_seller_api,
    facts_vs_seller_customers,
    facts_vs_seller_metrics,
    facts_vs_seller_products,
    facts_vs_served_metrics,
    inbox_vs_facts,
    kafka_vs_facts,
    source_vs_events,
)
from audit.comparisons.facts_vs_seller_metrics import AUDITED_PARTS
from audit.sql_comparison import discover
from audit.stores import Stores
from audit.table_comparison import TableComparison

Run = Callable[[Stores], Iterator[ComparisonResult | TableComparison]]

_IN_PYTHON: Mapping[str, Run] = {
    **{name: comparison.run for name, comparison in source_vs_events.COMPARISONS.items()},
    "dead_letters": dead_letters.run,
    "kafka_vs_facts": kafka_vs_facts.run,
    "inbox_vs_facts": inbox_vs_facts.run,
    "facts_vs_redis": facts_vs_redis.run,
    "facts_vs_recommendations": facts_vs_recommendations.run,
    "facts_vs_search": facts_vs_search.run,
    "facts_vs_seller_api": facts_vs_seller_api.run,
    "facts_vs_seller_metrics": partial(facts_vs_seller_metrics.run, parts=AUDITED_PARTS),
    "facts_vs_seller_customers": facts_vs_seller_customers.run,
    "facts_vs_seller_products": facts_vs_seller_products.run,
    "facts_vs_marketplace_metrics": partial(facts_vs_marketplace_metrics.run, parts=AUDITED_PARTS),
    "facts_vs_served_metrics": facts_vs_served_metrics.run,
    "aggregates_vs_marketplace_api": aggregates_vs_marketplace_api.run,
}
"""The comparisons that need more than two queries."""

COMPARISONS: Mapping[str, Run] = {
    **_IN_PYTHON,
    **{name: comparison.run for name, comparison in discover().items()},
}
"""Name → the function that runs the comparison. Folders with a `comparison.toml` are discovered."""


def current_name(name: str) -> str:
    """Return the present name of a comparison; former names (such as `books_vs_…`) are still accepted."""
    if name == "aggregates_vs_seller_api":
        return "facts_vs_seller_api"
    return name.replace("books_vs_", "service_db_vs_", 1) if name.startswith("books_vs_") else name
