"""A random list of products that several strategies would show, with the chance of each product. Pure."""

from collections.abc import Callable, Mapping, Sequence

from serving.recommendations.schemas import Item


def explored(
    lists: Mapping[str, Sequence[Item]], n: int, shuffled: Callable[[int], Sequence[int]]
) -> tuple[list[Item], float]:
    """Return `n` products in random order, and the chance with which each has its place.

    Args:
        lists: strategy → the list that it would show.
        n: the largest number of products to return.
        shuffled: returns the numbers below its argument, in an order drawn uniformly from all.

    The products are drawn from all lists together. With M different products, each has each place with the
    chance 1/M, whatever the strategies prefer. So every list among `lists` can be judged by the clicks on
    such answers.
    """
    pool = {item["product_id"]: item for items in lists.values() for item in items}
    products = list(pool.values())
    order = shuffled(len(products))
    return [products[index] for index in order[:n]], 1 / len(products) if products else 1.0
