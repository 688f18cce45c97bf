"""Adds up the scores of several sources. Pure."""

from collections.abc import Mapping, Sequence

from serving.recommendations.proposal import Because, Proposal


def blend(proposals_of: Mapping[str, Sequence[Proposal]], weights: Mapping[str, float]) -> list[Proposal]:
    """Return the proposed products by Σ weight · score / best score of the source, the best first.

    The sum is divided by that of the weights of the sources that propose something, so a score is in (0, 1].
    Equal scores are ordered by product. A source without a weight does not count. The main cause of a product
    is what contributed most to its score, over all sources.
    """
    totals: dict[str, float] = {}
    causes: dict[str, dict[Because, float]] = {}
    sources: dict[str, dict[str, float]] = {}
    used = {source: weights.get(source, 0.0) for source, proposals in proposals_of.items() if proposals}
    all_weights = sum(used.values())
    for source, weight in used.items():
        best = max(one.score for one in proposals_of[source])
        if weight <= 0.0 or best <= 0.0:
            continue
        factor = weight / all_weights
        for one in proposals_of[source]:
            product_id, share = one.product_id, one.score / best
            totals[product_id] = totals.get(product_id, 0.0) + factor * share
            sources.setdefault(product_id, {})[source] = share
            parts = causes.setdefault(product_id, {})
            for cause, part in one.causes().items():
                parts[cause] = parts.get(cause, 0.0) + factor * part / best
    ranked = sorted((-total, product_id) for product_id, total in totals.items() if total > 0.0)
    return [
        Proposal.of(product_id, -total, causes[product_id], sources[product_id])
        for total, product_id in ranked
    ]
