"""Who may open the start page, the pages of sellers and the API reference."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone
from common.principal import Role
from serving.analytics.policy import FIGURES

_OF_SELLER = allow(
    "seller", "analyst", "admin", "platform", traffic="page", staff=FIGURES, seller_parameter="seller_id"
)

MARKETPLACE_READERS: frozenset[Role] = frozenset({"analyst", "admin", "platform"})
"""Who sees the marketplace's figures on the start page."""

POLICIES: Mapping[str, AccessPolicy] = {
    "start": anyone("page"),
    "sellers": anyone("page"),
    "seller": _OF_SELLER,
    "seller_products": _OF_SELLER,
    "seller_orders": _OF_SELLER,
    "seller_metrics": _OF_SELLER,
    "seller_change": _OF_SELLER,
    "seller_customers": _OF_SELLER,
    "seller_tasks": _OF_SELLER,
    "seller_sql": _OF_SELLER,
    "run_seller_sql": _OF_SELLER,
    "docs": anyone("page"),
    "openapi": anyone("page"),
}
