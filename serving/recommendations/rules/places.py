"""The rules that give a product a place of its own: pins, sponsored places, exposure. Pure."""

from collections.abc import Iterator, Mapping, Sequence, Set
from math import floor

from common.configuration.rollout import position
from serving.recommendations.rules.checks import refusal
from serving.recommendations.rules.context import ExposurePool, PinnedPlace, RuleContext
from serving.recommendations.rules.draft import Candidate, Draft, Placed, RuleName
from serving.recommendations.rules.limits import Counts
from serving.recommendations.rules.targets import is_of

NEWEST_SHARE = 0.5
"""The share of the lists that draw among the newest products, if there are any."""

Extras = Mapping[str, Candidate]
"""Products that no recommender proposed, by id, with their cards."""


def pin(draft: Draft, context: RuleContext, extras: Extras, n: int) -> Draft:
    """Give each pinned product its place. A pin of a seller or category takes its best-ranked product.

    A pin is passed over if its place is taken, or if a check or a limit keeps the product out.
    """
    for each in context.rules.pins:
        if each.place >= n:
            continue
        known = draft.placed.get(each.place)
        if known and known.candidate.card and is_of(known.candidate.card, each.target, each.id):
            continue  # the place is this pin's already, or another pin has put such a product there
        candidate = _pinned(each, draft, extras)
        if candidate is None or not _may_have(each.place, candidate, draft, context, context.unwanted):
            draft = draft.passing_over("pin", each.id)
        else:
            draft = draft.at(each.place, Placed(candidate, "pin"))
    return draft


def _pinned(pinned: PinnedPlace, draft: Draft, extras: Extras) -> Candidate | None:
    matching = (each for each in draft.ranked if each.card and is_of(each.card, pinned.target, pinned.id))
    found = next(matching, None)
    return extras.get(pinned.id) if found is None and pinned.target == "product" else found


def sponsor(draft: Draft, context: RuleContext, extras: Extras, n: int, most: int) -> Draft:
    """Give at most `most` sponsored products the places of the setting.

    Products that were proposed come first, by rank, then the others in the order of `extras`. A product that
    ranks before the place stays where it is: nobody pays for a worse place.
    """
    rules = context.rules
    ranks = {each.product_id: place for place, each in enumerate(draft.ranked)}
    paid = set(rules.sponsored)
    waiting = [each for each in draft.ranked if each.product_id in paid]
    waiting += [each for id_, each in extras.items() if id_ in paid and id_ not in ranks]
    left = most - sum(each.sponsored for each in draft.placed.values())
    for place in rules.sponsored_places:
        if place >= n or place in draft.placed:
            continue
        for each in list(waiting):
            if left <= 0 or ranks.get(each.product_id, place) < place:
                continue
            waiting.remove(each)
            if _may_have(place, each, draft, context, context.unwanted):
                draft, left = draft.at(place, Placed(each, "sponsored")), left - 1
                break
            draft = draft.passing_over("sponsored", each.product_id)
    return draft


def products_of_list(pool: ExposurePool, seed: str) -> tuple[Sequence[str], float]:
    """Return the products among which a list draws, and the chance with which a list draws among these.

    Half of the lists draw among the newest products, which are few: so a new listing is soon shown, however
    many products wait.
    """
    if not pool.newest or not pool.others:
        return pool.newest or pool.others, 1.0
    if position("recommendation_exposure_newest", seed) < NEWEST_SHARE:
        return pool.newest, NEWEST_SHARE
    return pool.others, 1.0 - NEWEST_SHARE


def exposure_draws(pool: Sequence[str], share: float, n: int, seed: str) -> Iterator[tuple[int, str, float]]:
    """Yield the places for exposure, the product that is drawn for each, and its propensity.

    Systematic sampling with a random start (Madow and Madow 1944) selects the places: each place of a list
    has the probability `share`, and a list has ⌊n · share⌋ or ⌈n · share⌉ of them. The products are those
    that follow a uniformly drawn one in the pool, whose order is random: so each product has a place with
    probability share / |pool|, and no product has two.
    """
    if not pool or share <= 0.0:
        return
    start = position("recommendation_exposure_places", seed)
    first = min(int(position("recommendation_exposure_products", seed) * len(pool)), len(pool) - 1)
    before = [floor(place * share + start) for place in range(n + 1)]
    places = (place for place in range(n) if before[place + 1] > before[place])
    for step, place in enumerate(places):
        if step >= len(pool):
            return
        yield place, pool[(first + step) % len(pool)], share / len(pool)


def expose(
    draft: Draft, context: RuleContext, extras: Extras, draws: Sequence[tuple[int, str, float]]
) -> Draft:
    """Give the drawn products their places. A product that may not be shown leaves its place to the ranking.

    Nothing is drawn instead, because the propensities would then depend on the visitor.
    """
    by_id = {each.product_id: each for each in draft.ranked}
    for place, product_id, propensity in draws:
        placed = draft.placed.get(place)
        if placed and placed.candidate.product_id == product_id:
            continue
        candidate = by_id.get(product_id) or extras.get(product_id)
        if candidate and _may_have(place, candidate, draft, context, context.excluded):
            draft = draft.at(place, Placed(candidate, "exposure", propensity))
        else:
            draft = draft.passing_over("exposure", product_id)
    return draft


def _may_have(
    place: int, candidate: Candidate, draft: Draft, context: RuleContext, unwanted: Set[str]
) -> bool:
    card = candidate.card
    refused: RuleName | None = refusal(card, context)
    if card is None or refused or place in draft.placed:
        return False
    if candidate.product_id in unwanted or draft.has_placed(candidate.product_id):
        return False
    return Counts(draft.placed.values()).refusal(card, context.rules) is None
