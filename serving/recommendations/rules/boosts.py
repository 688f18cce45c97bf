"""Boosts move products up or down by rank: scores of different recommenders do not compare. Pure."""

from serving.recommendations.rules.context import RuleContext
from serving.recommendations.rules.draft import Candidate, Draft, Effect
from serving.recommendations.rules.targets import Targets


def boost(draft: Draft, context: RuleContext) -> Draft:
    """Sort by rank / factor: with a boost of 2, the product of rank 8 is compared as if its rank were 4.

    Products with equal results keep their order, and so do all products without a boost. Applying the rule
    again changes nothing, because ranks do not change.
    """
    boosts = context.rules.boosts
    if not boosts:
        return draft
    by_result = sorted(draft.ranked, key=lambda each: _result(each, boosts))
    moved = (
        Effect("boost", "moved", each.product_id)
        for place, each in enumerate(by_result)
        if each.card and boosts.match(each.card) and draft.ranked[place].product_id != each.product_id
    )
    return Draft(by_result, draft.placed, (*draft.effects, *moved))


def _result(candidate: Candidate, boosts: Targets) -> float:
    return (candidate.rank or 1) / (boosts.factor(candidate.card) if candidate.card else 1.0)
