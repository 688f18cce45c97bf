"""Who may open the start page, the pages of sellers and the API reference."""

from collections.abc import Mapping

from common.access_policy import ALL_STAFF, AccessPolicy, allow, anyone
from common.principal import FIGURES_STAFF, Role
from producers.services.alerts.model import WRITERS

_OF_SELLER = allow(
    "seller",
    "analyst",
    "admin",
    "platform",
    traffic="page",
    staff=FIGURES_STAFF,
    seller_parameter="seller_id",
)

_OF_ALL_STAFF = allow(
    "seller", "analyst", "admin", "platform", traffic="page", staff=ALL_STAFF, seller_parameter="seller_id"
)

_OF_MANAGERS = allow("seller", "admin", traffic="write", staff=WRITERS, seller_parameter="seller_id")

MARKETPLACE_READERS: frozenset[Role] = frozenset({"analyst", "admin", "platform"})
"""Who sees the marketplace's figures on the start page."""

POLICIES: Mapping[str, AccessPolicy] = {
    "start": anyone("page"),
    "sellers": anyone("page"),
    "choose_page_language": anyone("page"),
    "seller": _OF_SELLER,
    "seller_products": _OF_SELLER,
    "seller_orders": _OF_SELLER,
    "seller_metrics": _OF_SELLER,
    "seller_change": _OF_SELLER,
    "seller_customers": _OF_SELLER,
    "seller_live": _OF_SELLER,
    "seller_live_events": _OF_SELLER,
    "seller_earnings": _OF_SELLER,
    "seller_fulfilment": _OF_ALL_STAFF,
    "seller_reviews_page": _OF_SELLER,
    "seller_recommendations": _OF_SELLER,
    "seller_tasks": _OF_SELLER,
    "seller_signals": _OF_SELLER,
    "seller_sql": _OF_SELLER,
    "run_seller_sql": _OF_SELLER,
    "seller_alerts": _OF_SELLER,
    "create_seller_alert": _OF_MANAGERS,
    "seller_alert": _OF_SELLER,
    "save_seller_alert": _OF_MANAGERS,
    "change_seller_alert": _OF_MANAGERS,
    "create_seller_report": _OF_MANAGERS,
    "change_seller_report": _OF_MANAGERS,
    "save_seller_view": _OF_MANAGERS,
    "delete_seller_view": _OF_MANAGERS,
    "docs": anyone("page"),
    "openapi": anyone("page"),
}
