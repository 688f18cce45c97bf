"""Decides whether a return fits its order. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from common.errors import Rejected
from schemas.codec import Record


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order, with its returned units and its refunded amount."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    amount_minor: int
    """The amount due for the line."""
    returned: int = 0
    refunded_minor: int = 0

    def after_return(self, quantity: int, refund_minor: int) -> "SoldLine":
        """Return the line after a return.

        Raises:
            Rejected: more units are returned than are left, or more is refunded than is left of the amount.
        """
        returnable = self.quantity - self.returned
        if not 0 <= quantity <= returnable:
            raise Rejected(
                f"the return has {quantity} units of line {self.line_number}, but {returnable} can be "
                "returned"
            )
        refundable = self.amount_minor - self.refunded_minor
        if not 0 <= refund_minor <= refundable:
            raise Rejected(
                f"the return refunds {refund_minor} minor units for line {self.line_number}, but "
                f"{refundable} can be refunded"
            )
        return replace(
            self, returned=self.returned + quantity, refunded_minor=self.refunded_minor + refund_minor
        )


def check_return(sold: Iterable[SoldLine], event: Record) -> Mapping[int, SoldLine]:
    """Check an `order_returned` against its order's lines; return the returned lines, as they are after it.

    Raises:
        Rejected: the order has no such line, the line is of another product or seller, or it has fewer units
            or less money left than the return takes.
    """
    lines = {line.line_number: line for line in sold}
    after: dict[int, SoldLine] = {}
    for returned in event["lines"]:
        number = returned["line_number"]
        line = after.get(number) or lines.get(number)
        if line is None:
            raise Rejected(f"order {event['order_id']} has no line {number}")
        if line.product_id != returned["product_id"]:
            raise Rejected(f"line {number} is of product {line.product_id}, not of {returned['product_id']}")
        if line.seller_id != event["seller_id"]:
            raise Rejected(f"line {number} was sold by {line.seller_id}, not by {event['seller_id']}")
        after[number] = line.after_return(returned["quantity"], returned["refund_minor"])
    return after
