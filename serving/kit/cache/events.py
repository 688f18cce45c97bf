"""Which cached responses an event drops. Pure."""

from collections.abc import Callable, Mapping

from schemas.services import OTHERS
from serving.kit.cache.keys import CATALOGUE, POPULAR, product_tag, seller_tag


def _listing(product_id: str) -> tuple[str, ...]:
    return product_tag(product_id), CATALOGUE


DROPPED_BY: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "product_listed": _listing,
    "product_changed": _listing,
    "product_delisted": _listing,
    "stock_changed": lambda product_id: (product_tag(product_id),),
    "order_confirmed": lambda _order_id: (POPULAR,),
    "seller_registered": lambda seller_id: (seller_tag(seller_id),),
    "seller_changed": lambda seller_id: (seller_tag(seller_id),),
}
"""Event → its key in Kafka → the tags of the responses to drop.

A list of products is dropped by every change of a listing, because a product may have entered or left it. An
event does not name the former category of a product.
"""

OTHERS["serving/kit/cache"].check_reads(DROPPED_BY)
