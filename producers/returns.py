"""Checks a return against its order. Orders, inventory and payments share this rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from common.errors import Rejected
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order, with the number of its units that were returned."""

    line_number: int
    product_id: str | None
    """None, like `seller_id`, for orders that payments recorded before it stored these columns."""
    seller_id: str | None
    quantity: int
    returned: int

    @property
    def returnable(self) -> int:
        """Units that were not returned yet."""
        return self.quantity - self.returned


def check_return(sold: Iterable[SoldLine], event: Record) -> Mapping[int, int]:
    """Check an `order_returned` against its order's lines; return line number → returned units.

    Raises:
        Rejected: the order has no such line, the line is of another product or seller, or more units are
            returned than were sold.
    """
    lines = {line.line_number: line for line in sold}
    units: dict[int, int] = {}
    for returned in event["lines"]:
        number, quantity = returned["line_number"], returned["quantity"]
        line = lines.get(number)
        if line is None:
            raise Rejected(f"order {event['order_id']} has no line {number}")
        if line.product_id not in (None, returned["product_id"]):
            raise Rejected(f"line {number} is of product {line.product_id}, not of {returned['product_id']}")
        if line.seller_id not in (None, event["seller_id"]):
            raise Rejected(f"line {number} was sold by {line.seller_id}, not by {event['seller_id']}")
        if not 0 <= quantity <= line.returnable:
            raise Rejected(
                f"the return has {quantity} units of line {number}, but {line.returnable} can be returned"
            )
        lines[number] = replace(line, returned=line.returned + quantity)
        units[number] = units.get(number, 0) + quantity
    return units
