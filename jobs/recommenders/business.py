"""The shop's rules for a list that a model has ranked: each takes and returns product codes, best first."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce

from common.errors import UserError

Products = Sequence[int]
Rule = Callable[[Products], Products]
"""A function below with all but its first argument given, by `partial`."""


def apply_rules(ranked: Iterable[int], rules: Iterable[Rule], k: int) -> list[int]:
    """The first k after all rules, one after the other; without the -1 that pads a model's lists.

    Rules leave products out: ask the model for more than k. `boost` stands first, for its scores are those
    of the products as they were ranked.
    """
    there: Products = [int(product) for product in ranked if product >= 0]
    return list(reduce(lambda left, rule: rule(left), rules, there)[:k])


def in_stock(ranked: Products, stock: Mapping[int, int]) -> list[int]:
    """Those of which there is at least one; an unknown stock is none."""
    return [product for product in ranked if stock.get(product, 0) > 0]


def not_recently_bought(ranked: Products, bought: Collection[int]) -> list[int]:
    """Those that were not bought lately."""
    return [product for product in ranked if product not in bought]


def at_most_per_seller(ranked: Products, seller_of: Mapping[int, str], limit: int) -> list[int]:
    """At most so many of each seller, the best ones; a product without a seller counts for none."""
    shown: Counter[str] = Counter()
    kept = []
    for product in ranked:
        seller = seller_of.get(product)
        if seller is not None:
            if shown[seller] >= limit:
                continue
            shown[seller] += 1
        kept.append(product)
    return kept


def diversify(ranked: Products, category_of: Mapping[int, str], share: float) -> list[int]:
    """The same products; in each beginning of the list, at most one more than this share is of one category.

    What would exceed it moves down to the first place that allows it, or to the end where none does.

    Raises:
        UserError: the share is not above 0 and at most 1.
    """
    if not 0.0 < share <= 1.0:
        raise UserError(f"the share of a category is {share}: it must be above 0 and at most 1")
    left = list(ranked)
    ordered: list[int] = []
    shown: Counter[str | None] = Counter()
    while left:
        limit = share * (len(ordered) + 1) + 1
        fits = (
            each for each in left if category_of.get(each) is None or shown[category_of[each]] + 1 <= limit
        )
        product = next(fits, None)
        if product is None:
            return ordered + left
        left.remove(product)
        shown[category_of.get(product)] += 1
        ordered.append(product)
    return ordered


def boost(ranked: Products, scores: Sequence[float], boosts: Mapping[int, float]) -> list[int]:
    """Ordered anew by score · boost, 1 where there is none; equals keep their order. Scores must be ≥ 0.

    Raises:
        UserError: a score or a boost is negative.
    """
    if any(score < 0 for score in scores) or any(boost < 0 for boost in boosts.values()):
        raise UserError("boosts multiply scores: both must be at least 0")
    products = zip(ranked, scores, strict=True)
    found = sorted(products, key=lambda each: -each[1] * boosts.get(each[0], 1.0))
    return [product for product, _ in found]


def pin(ranked: Products, pins: Mapping[int, int]) -> list[int]:
    """With each pinned product at its place (0 is the first), or last where the list is shorter."""
    rest = [product for product in ranked if product not in pins]
    for product, place in sorted(pins.items(), key=lambda each: each[1]):
        rest.insert(place, product)
    return rest


def insert_new(ranked: Products, new: Products, every: int) -> list[int]:
    """With one of the new products at each `every`-th place, in their order, while there are any.

    Raises:
        UserError: `every` is below 1.
    """
    if every < 1:
        raise UserError(f"new products can't have each {every}-th place: it must be at least 1")
    shown = set(ranked)
    fresh = [product for product in new if product not in shown]
    mixed = list(ranked)
    for turn, product in enumerate(fresh):
        place = (turn + 1) * every - 1
        if place > len(mixed):
            break
        mixed.insert(place, product)
    return mixed
