"""The reasons that answers give for their products; pages translate them. Pure."""

from collections.abc import Mapping

from serving.recommendations.proposal import Because
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.context import Placed
from serving.recommendations.schemas import Reason

REASONS_OF_RULES: Mapping[str, Reason] = {
    "sponsored": {"kind": "sponsored", "product_id": None, "category": None, "text": "Sponsored"},
    "pin": {"kind": "pinned", "product_id": None, "category": None, "text": "Chosen by the shop"},
    "exposure": {
        "kind": "discovery",
        "product_id": None,
        "category": None,
        "text": "Waiting to be discovered",
    },
}
"""The reasons of products that a rule has inserted."""

TEXTS_OF_ITSELF: Mapping[str, str] = {
    "again": "You bought it before",
    "new": "New in the shop",
    "cheaper": "Price lowered",
    "back": "Back in stock",
}
"""The reasons that lie in the product itself."""


def reason_of(placed: Placed, causes: Mapping[str, Because], request: RecommendationRequest) -> Reason:
    """Return why a product is shown: its main cause, or the rule that inserted it."""
    cause = causes.get(placed.candidate.product_id)
    if placed.rule and (cause is None or placed.sponsored):
        return REASONS_OF_RULES[placed.rule]
    return reason_of_cause(cause or Because("popular", None), request)


def reason_of_cause(cause: Because, request: RecommendationRequest) -> Reason:
    """Return the reason that a cause is. The card of the product that it names is loaded."""
    if cause.kind == "popular" or cause.of is None:
        return {"kind": "popular", "product_id": None, "category": None, "text": "Popular right now"}
    if cause.kind == "category":
        text = f"Popular in {cause.of.replace('_', ' ')}"
        return {"kind": "category", "product_id": None, "category": cause.of, "text": text}
    if cause.kind in TEXTS_OF_ITSELF:
        text = TEXTS_OF_ITSELF[cause.kind]
        return {"kind": cause.kind, "product_id": cause.of, "category": None, "text": text}
    seed = request.cards.get(cause.of)
    name = seed.name if seed and seed.name else "it"
    if cause.kind == "content":
        text = f"Similar to {name}"
    elif cause.of == request.anchor:
        text = f"Often viewed together with {name}"
    elif cause.of in request.visitor.carted:
        text = f"Goes with {name} in your cart"
    elif cause.of not in request.visitor.viewed and request.visitor.has_paid(cause.of):
        text = f"Because you bought {name}"
    else:
        text = f"Because you looked at {name}"
    return {"kind": cause.kind, "product_id": cause.of, "category": None, "text": text}
