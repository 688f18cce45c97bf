"""Applies the rules to the candidates of one answer. Their order is fixed. Pure.

1. `in_stock`, `deliverable`, `restricted_category`, `block`, `just_bought` and `one_per_group` remove
   products (`checks.py`). They hold for everything that a later rule inserts, too.
2. `boost` changes the order.
3. `pin`, `sponsored` and `exposure` give products places of their own, in this order: no other rule displaces
   a pin, and nobody can buy its place.
4. `one_per_group`, `max_per_seller` and `max_per_category` remove ranked products. The products of step 3
   count first, and step 3 places nothing beyond the limits.
5. The list is cut to its length.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from math import floor

from common.configuration.rollout import position
from serving.kit.offers import Offer
from serving.recommendations.rules.checks import keep_passing, refusal
from serving.recommendations.rules.context import (
    ActiveRules,
    Candidate,
    Draft,
    Effect,
    ExposurePool,
    PinnedPlace,
    Placed,
    RuleContext,
    RuleName,
    Targets,
    category_key,
    is_of,
)


class Counts:
    """The products of each seller and category in a list, and the groups of variants that it has one of.

    A product without a category or a group counts in none.
    """

    def __init__(self, placed: Iterable[Placed] = ()) -> None:
        self._groups: set[str] = set()
        self._of_seller: Counter[str] = Counter()
        self._of_category: Counter[str] = Counter()
        for each in placed:
            if each.candidate.card:
                self.add(each.candidate.card)

    def add(self, card: Offer) -> None:
        """Count an offer."""
        self._of_seller[card.seller_id] += 1
        if category := category_key(card.category):
            self._of_category[category] += 1
        if card.group_id:
            self._groups.add(card.group_id)

    def refusal(self, card: Offer, rules: ActiveRules) -> RuleName | None:
        """Return the limit that another offer would exceed; None if there is room for it."""
        if card.group_id in self._groups:
            return "one_per_group"
        if self._of_seller[card.seller_id] >= rules.max_per_seller:
            return "max_per_seller"
        category = category_key(card.category)
        if category and self._of_category[category] >= rules.max_per_category:
            return "max_per_category"
        return None


def may_have_any(placed: Iterable[Placed], n: int, rules: ActiveRules) -> bool:
    """Return whether a list may have any `n` of these products of different groups, whichever they are."""
    cards = [each.candidate.card for each in placed if each.candidate.card]
    of_seller = Counter(card.seller_id for card in cards)
    of_category = Counter(category for card in cards if (category := category_key(card.category)))
    most = min(n, max(of_seller.values(), default=0)), min(n, max(of_category.values(), default=0))
    return most[0] <= rules.max_per_seller and most[1] <= rules.max_per_category


def limit(draft: Draft, context: RuleContext) -> Draft:
    """Remove ranked products beyond the limits. Products with a place of their own count first."""
    counts = Counts(draft.placed.values())
    kept: list[Candidate] = []
    removed: list[Effect] = []
    for each in draft.ranked:
        if each.card is None:
            continue
        rule = counts.refusal(each.card, context.rules)
        if rule is None:
            counts.add(each.card)
            kept.append(each)
        else:
            removed.append(Effect(rule, "removed", each.product_id))
    return Draft(kept, draft.placed, (*draft.effects, *removed))


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


def arrange(draft: Draft, n: int) -> list[Placed]:
    """Return the first `n` products of a draft.

    If there are too few ranked products to fill the places before them, pinned and exposed products move up.
    A sponsored product has exactly its place: if the list does not reach it, the product is not shown.
    """
    places = {place: placed for place, placed in draft.placed.items() if place < n}
    ranked = deque(draft.ranked)
    shown: list[Placed] = []
    while len(shown) < n:
        movable = () if ranked else [place for place, each in places.items() if not each.sponsored]
        if fixed := places.pop(len(shown), None):
            shown.append(fixed)
        elif ranked:
            shown.append(Placed(ranked.popleft()))
        elif movable:
            shown.append(places.pop(min(movable)))
        else:
            break
    return shown


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
