"""Who may see sales figures: the staff of the seller, and analysts and administrators of the marketplace."""

from collections.abc import Mapping

from common.access_policy import ALL_STAFF, AccessPolicy, allow, anyone
from common.principal import FIGURES_STAFF

_OF_SELLER = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter="seller_id", scope="analytics:read",
)  # fmt: skip
_ORDERS = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=ALL_STAFF, seller_parameter="seller_id", scope="orders:read",
)  # fmt: skip
_REVIEWS = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter="seller_id", scope="orders:read",
)  # fmt: skip
_FIGURES_AND_ORDERS = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter="seller_id",
    scope=("analytics:read", "orders:read"),
)  # fmt: skip
"""Of what has both: the rows behind a metric, and what a seller's SQL can name."""
_OF_MARKETPLACE = allow("analyst", "admin", "platform", traffic="read")

POLICIES: Mapping[str, AccessPolicy] = {
    "seller_sales": _OF_SELLER,
    "seller_sales_change": _OF_SELLER,
    "seller_top_products": _OF_SELLER,
    "seller_orders": _ORDERS,
    "seller_tasks": _ORDERS,
    "seller_signals": _OF_SELLER,
    "due_parcels": _ORDERS,
    "due_parcels_export": _ORDERS,
    "seller_reviews": _REVIEWS,
    "seller_reviews_export": _REVIEWS,
    "seller_metric": _OF_SELLER,
    "seller_metric_rows": _FIGURES_AND_ORDERS,
    "seller_metric_export": _OF_SELLER,
    "seller_metric_parquet": _OF_SELLER,
    "seller_metric_rows_export": _FIGURES_AND_ORDERS,
    "seller_metric_rows_parquet": _FIGURES_AND_ORDERS,
    "seller_metrics_live": _OF_SELLER,
    "customer_cohorts": _OF_SELLER,
    "customer_segments": _OF_SELLER,
    "customer_cohorts_export": _OF_SELLER,
    "customer_segments_export": _OF_SELLER,
    "seller_price_changes": _OF_SELLER,
    "seller_price_changes_export": _OF_SELLER,
    "seller_bought_together": _OF_SELLER,
    "seller_bought_together_export": _OF_SELLER,
    "seller_query": _FIGURES_AND_ORDERS,
    "metrics": anyone("read"),
    "explain_metric": anyone("read"),
    "sellers": _OF_MARKETPLACE,
    "marketplace_sales": _OF_MARKETPLACE,
    "marketplace_signals": _OF_MARKETPLACE,
    "marketplace_metric": _OF_MARKETPLACE,
    "marketplace_metric_export": _OF_MARKETPLACE,
    "popular_products": anyone("read"),
    "live": allow("seller", "analyst", "admin", "platform", traffic="page"),
}
