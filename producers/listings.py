"""What orders and inventory require of a seller's listing."""

from common.errors import Rejected
from schemas.codec import Record

MAX_PRICE_MINOR = 10_000_000_000
"""The highest price of one unit.

The largest order is 100 lines x 1,000 units x 10^10 = 10^15 minor units. A 64-bit integer holds 9,000 times
that. A double, which many JSON parsers use, represents it exactly.
"""


def check_listing(event: Record) -> None:
    """Check a `product_listed` or `product_changed`.

    Raises:
        Rejected: the price is negative or above `MAX_PRICE_MINOR`.
    """
    price_minor: int = event["price_minor"]
    if not 0 <= price_minor <= MAX_PRICE_MINOR:
        raise Rejected(
            f"product {event['product_id']} of seller {event['seller_id']} is listed for {price_minor} minor "
            f"units of {event['currency']}: a price must be from 0 to {MAX_PRICE_MINOR}"
        )
