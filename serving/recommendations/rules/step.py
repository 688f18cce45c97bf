"""Applies the rules to the candidates of one answer. Their order is fixed. Pure.

1. `in_stock`, `deliverable`, `restricted_category`, `block`, `just_bought` remove products (`checks.py`).
   They hold for everything that a later rule inserts, too.
2. `boost` changes the order (`boosts.py`).
3. `pin`, `sponsored` and `exposure` give products places of their own, in this order: no other rule displaces
   a pin, and nobody can buy its place (`places.py`).
4. `max_per_seller` and `max_per_category` remove ranked products (`limits.py`). The products of step 3 count
   first, and step 3 places nothing beyond the limits.
5. The list is cut to its length (`arrangement.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.configuration.rollout import position
from serving.recommendations.rules.arrangement import arrange
from serving.recommendations.rules.boosts import boost
from serving.recommendations.rules.checks import keep_passing
from serving.recommendations.rules.context import RuleContext
from serving.recommendations.rules.draft import Candidate, Draft, Effect, Placed
from serving.recommendations.rules.limits import limit
from serving.recommendations.rules.places import (
    Extras,
    expose,
    exposure_draws,
    pin,
    products_of_list,
    sponsor,
)

Draw = tuple[int, str, float]
"""A place from 0, the product that is drawn for it, and its propensity."""


@dataclass(frozen=True, slots=True)
class RankedList:
    """The products of an answer in their order, and what the rules did to reach it."""

    items: Sequence[Placed]
    effects: Sequence[Effect]


def draws_of(context: RuleContext, n: int, *, is_empty: bool) -> list[Draw]:
    """Return the places and products that are drawn for exposure in a list of `n`.

    If there is nothing else to show, all places are drawn, from all products that wait. With a share of 0
    none is, ever.
    """
    share = context.rules.exposure_share
    if is_empty and share > 0:
        return list(exposure_draws(context.pool.all, 1.0, n, context.seed))
    products, chance = products_of_list(context.pool, context.seed)
    return [
        (place, product_id, chance * propensity)
        for place, product_id, propensity in exposure_draws(products, share, n, context.seed)
    ]


def wanted_extras(context: RuleContext, draws: Iterable[Draw], n: int) -> list[str]:
    """Return the products whose cards the rules need although no recommender may propose them.

    Of the sponsored products, these are four for each place that may be paid, from a drawn one on.
    """
    rules = context.rules
    pins = [each.id for each in rules.pins if each.target == "product" and each.place < n]
    places = min(rules.max_sponsored, sum(place < n for place in rules.sponsored_places))
    sponsored = _from_drawn(rules.sponsored, 4 * places, context.seed)
    return list(dict.fromkeys([*pins, *sponsored, *(product_id for _, product_id, _ in draws)]))


def apply_rules(
    candidates: Sequence[Candidate], extras: Extras, draws: Sequence[Draw], context: RuleContext, n: int
) -> RankedList:
    """Return at most `n` of the candidates and extras. The same arguments always give the same list.

    A list that is too short for the place of a sponsored product has one sponsored product less.
    """
    ranked = boost(keep_passing(Draft(candidates), context), context)
    pinned = pin(ranked, context, extras, n)
    for most in range(context.rules.max_sponsored, -1, -1):
        draft = sponsor(pinned, context, extras, n, most)
        draft = limit(expose(draft, context, extras, draws), context)
        shown = arrange(draft, n)
        if all(shown[place : place + 1] == [each] for place, each in draft.placed.items() if each.sponsored):
            break
    return RankedList(shown, draft.effects)


def _from_drawn(products: Sequence[str], count: int, seed: str) -> Sequence[str]:
    if len(products) <= count:
        return products if count else ()
    first = int(position("recommendation_sponsored", seed) * len(products)) % len(products)
    return [products[(first + step) % len(products)] for step in range(count)]
