"""The reasons that answers give for their products; pages translate them. Pure."""

from collections.abc import Mapping

from serving.recommendations.recommender import Proposal, RecommendationRequest
from serving.recommendations.rules.draft import Placed
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


def reason_of(placed: Placed, proposals: Mapping[str, Proposal], request: RecommendationRequest) -> Reason:
    """Return why a product is shown: the recommender's reason, or that of the rule that inserted it."""
    one = proposals.get(placed.candidate.product_id)
    if placed.rule and (one is None or placed.sponsored):
        return REASONS_OF_RULES[placed.rule]
    if one is None or one.kind == "popular" or one.because_of is None:
        return {"kind": "popular", "product_id": None, "category": None, "text": "Popular right now"}
    if one.kind == "category":
        text = f"Popular in {one.because_of.replace('_', ' ')}"
        return {"kind": "category", "product_id": None, "category": one.because_of, "text": text}
    seed = request.cards.get(one.because_of)
    name = seed.name if seed and seed.name else "it"
    if one.because_of == request.anchor:
        text = f"Often viewed together with {name}"
    elif one.because_of in request.visitor.carted:
        text = f"Goes with {name} in your cart"
    else:
        text = f"Because you looked at {name}"
    return {"kind": "similar", "product_id": one.because_of, "category": None, "text": text}
