"""Who may see experiments and the log of answers, and a seller's uplift."""

from collections.abc import Mapping

from common.access_policy import FIGURES_STAFF, AccessPolicy, allow

_ADMINISTRATORS = allow("admin", "platform", traffic="read")

POLICIES: Mapping[str, AccessPolicy] = {
    "experiments": _ADMINISTRATORS,
    "experiment": _ADMINISTRATORS,
    "recommendation_answer": _ADMINISTRATORS,
    "recommendation_uplift": allow(
        "seller",
        "analyst",
        "admin",
        "platform",
        traffic="read",
        staff=FIGURES_STAFF,
        seller_parameter="seller_id",
        scope="analytics:read",
    ),
}
