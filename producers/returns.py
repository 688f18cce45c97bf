"""The rule of returns that orders, inventory and payments share: a return must fit its order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from common.errors import Rejected
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order and how many of its units have come back."""

    line_number: int
    product_id: str | None
    """None, like `seller_id`: an order from before payments stored it."""
    seller_id: str | None
    quantity: int
    returned: int

    @property
    def returnable(self) -> int:
        """Units that have not come back."""
        return self.quantity - self.returned


def check_return(sold: Iterable[SoldLine], event: Record) -> Mapping[int, int]:
    """Check an `order_returned` against its order's lines; return line number → units that come back.

    Raises:
        Rejected: a line is not of this order, of another product or of another seller, or more units come
            back than were sold.
    """
    left = {line.line_number: line for line in sold}
    units: dict[int, int] = {}
    for back in event["lines"]:
        number, quantity = back["line_number"], back["quantity"]
        line = left.get(number)
        if line is None:
            raise Rejected(f"order {event['order_id']} has no line {number}")
        if line.product_id not in (None, back["product_id"]):
            raise Rejected(f"line {number} is of product {line.product_id}, not of {back['product_id']}")
        if line.seller_id not in (None, event["seller_id"]):
            raise Rejected(f"line {number} was sold by {line.seller_id}, not by {event['seller_id']}")
        if not 0 <= quantity <= line.returnable:
            raise Rejected(f"{quantity} units of line {number} come back, and {line.returnable} can")
        left[number] = replace(line, returned=line.returned + quantity)
        units[number] = units.get(number, 0) + quantity
    return units
