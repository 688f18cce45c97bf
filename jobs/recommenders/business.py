"""The shop's business rules for ranked lists. Each rule takes and returns product codes, best first."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce

from common.errors import UserError

Products = Sequence[int]
Rule = Callable[[Products], Products]
"""One of the functions below, with `functools.partial` for all arguments but the first."""


def apply_rules(ranked: Iterable[int], rules: Iterable[Rule], k: int) -> list[int]:
    """Apply the rules in order and return the first k products, without the padding (-1) of a model's list.

    Rules remove products, so `ranked` should hold more than k. `boost` must be the first rule: its scores
    belong to the products in the order of the model.
    """
    products: Products = [int(product) for product in ranked if product >= 0]
    return list(reduce(lambda left, rule: rule(left), rules, products)[:k])


def in_stock(ranked: Products, stock: Mapping[int, int]) -> list[int]:
    """Keep products with a stock of at least one unit. A product that is not in `stock` has none."""
    return [product for product in ranked if stock.get(product, 0) > 0]


def not_recently_bought(ranked: Products, bought: Collection[int]) -> list[int]:
    """Keep products that are not in `bought`."""
    return [product for product in ranked if product not in bought]


def at_most_per_seller(ranked: Products, seller_of: Mapping[int, str], limit: int) -> list[int]:
    """Keep the best `limit` products of each seller, and all products without a seller."""
    count_by_seller: Counter[str] = Counter()
    products = []
    for product in ranked:
        seller = seller_of.get(product)
        if seller is not None:
            if count_by_seller[seller] >= limit:
                continue
            count_by_seller[seller] += 1
        products.append(product)
    return products


def diversify(ranked: Products, category_of: Mapping[int, str], share: float) -> list[int]:
    """Reorder products so that the first n hold at most `share` · n + 1 of one category, for every n.

    A product that would exceed the limit moves down to the first place that allows it, or to the end.

    Raises:
        UserError: the share is not above 0 and at most 1.
    """
    if not 0.0 < share <= 1.0:
        raise UserError(f"the share of a category is {share}: it must be above 0 and at most 1")
    left = list(ranked)
    ordered: list[int] = []
    count_of: Counter[str | None] = Counter()
    while left:
        limit = share * (len(ordered) + 1) + 1
        allowed = (
            each for each in left if category_of.get(each) is None or count_of[category_of[each]] + 1 <= limit
        )
        product = next(allowed, None)
        if product is None:
            return ordered + left
        left.remove(product)
        count_of[category_of.get(product)] += 1
        ordered.append(product)
    return ordered


def boost(ranked: Products, scores: Sequence[float], boosts: Mapping[int, float]) -> list[int]:
    """Sort products by score · boost. The default boost is 1; products with equal results keep their order.

    Raises:
        UserError: a score or a boost is negative.
    """
    if any(score < 0 for score in scores) or any(boost < 0 for boost in boosts.values()):
        raise UserError("boosts multiply scores: both must be at least 0")
    products = zip(ranked, scores, strict=True)
    by_boosted_score = sorted(products, key=lambda each: -each[1] * boosts.get(each[0], 1.0))
    return [product for product, _ in by_boosted_score]


def pin(ranked: Products, pins: Mapping[int, int]) -> list[int]:
    """Put each pinned product at its place (0 is the first), or at the end of a shorter list."""
    rest = [product for product in ranked if product not in pins]
    for product, place in sorted(pins.items(), key=lambda each: each[1]):
        rest.insert(place, product)
    return rest


def insert_new(ranked: Products, new: Products, every: int) -> list[int]:
    """Insert one new product at every `every`-th place, in order, until all are inserted or the list ends.

    Raises:
        UserError: `every` is below 1.
    """
    if every < 1:
        raise UserError(f"new products can't have every {every}-th place: `every` must be at least 1")
    listed = set(ranked)
    to_insert = [product for product in new if product not in listed]
    mixed = list(ranked)
    for turn, product in enumerate(to_insert):
        place = (turn + 1) * every - 1
        if place > len(mixed):
            break
        mixed.insert(place, product)
    return mixed
