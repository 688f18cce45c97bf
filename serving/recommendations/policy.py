"""Who may see recommendations, and the experiments, trainings and figures behind them.

Recommendations tell what a visitor looked at, so each visitor sees only their own.
"""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone
from common.principal import FIGURES_STAFF

_OF_VISITOR = allow("guest", "shopper", "platform", traffic="recommendation", shopper_parameter="visitor_id")
_UPLIFT = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter="seller_id", scope="analytics:read",
)  # fmt: skip
_ADMINISTRATORS = allow("admin", "platform", traffic="read")

POLICIES: Mapping[str, AccessPolicy] = {
    "recommend": _OF_VISITOR,
    "rows": _OF_VISITOR,
    "personal_products": allow(
        "guest", "shopper", "platform", traffic="read", shopper_parameter="visitor_id"
    ),
    "sellers_to_follow": _OF_VISITOR,
    "similar": anyone("recommendation"),
    "experiments": _ADMINISTRATORS,
    "experiment": _ADMINISTRATORS,
    "recommendation_answer": _ADMINISTRATORS,
    "recommendation_uplift": _UPLIFT,
    "trainings": _ADMINISTRATORS,
    "training": _ADMINISTRATORS,
    "roll_back_training": allow("admin", "platform", traffic="operations"),
    "recommendation_health": _ADMINISTRATORS,  # it compares sellers
}
