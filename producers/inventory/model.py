"""The rules of stock, without a database: what an order reserves, sells and returns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, NamedTuple

from producers.returns import SoldLine

ReservationState = Literal["held", "sold", "released", "given_back", "refused", "barred"]
ChangeReason = Literal["reserved", "released", "shipped", "returned", "received", "corrected"]
"""Why stock changed, in the words of `stock_changed`. A sale is `shipped`: the units leave the stock."""

RESERVATION_TTL = timedelta(minutes=30)
"""How long an order's units are reserved for its payment."""

MAX_ON_HAND = 1_000_000


class StockKey(NamedTuple):
    """One seller's offer of a product. Stock rows are locked in the order of their keys."""

    product_id: str
    seller_id: str


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """Units of one order line: `returned` are back in stock, `written_off` can't be sold again."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    returned: int = 0
    written_off: int = 0

    @property
    def key(self) -> StockKey:
        """The stock that the line takes from."""
        return StockKey(self.product_id, self.seller_id)

    @property
    def not_returned(self) -> int:
        """Units that have not come back."""
        return self.quantity - self.returned - self.written_off

    def as_sold(self) -> SoldLine:
        """Return the line for `check_return`."""
        came_back = self.returned + self.written_off
        return SoldLine(self.line_number, self.product_id, self.seller_id, self.quantity, came_back)


class InsufficientStock(Exception):
    """A change would leave less than nothing, or less than is reserved for orders."""


@dataclass(frozen=True, slots=True)
class Stock:
    """A seller's stock of a product. Each change returns the next version, or raises InsufficientStock."""

    key: StockKey
    on_hand: int = 0
    reserved: int = 0
    version: int = 0

    @property
    def available(self) -> int:
        """Units that can be sold."""
        return self.on_hand - self.reserved

    def reserve(self, units: int) -> "Stock":
        """Reserve units for an order."""
        return self._with(self.on_hand, self.reserved + units)

    def release(self, units: int) -> "Stock":
        """Release reserved units."""
        return self._with(self.on_hand, self.reserved - units)

    def sell(self, units: int) -> "Stock":
        """Remove reserved units from the stock."""
        return self._with(self.on_hand - units, self.reserved - units)

    def restock(self, units: int) -> "Stock":
        """Put sold units back into the stock."""
        return self._with(self.on_hand + units, self.reserved)

    def set(self, on_hand: int) -> "Stock":
        """Set the units that the seller counted."""
        return self._with(on_hand, self.reserved)

    def _with(self, on_hand: int, reserved: int) -> "Stock":
        if not 0 <= reserved <= on_hand:
            raise InsufficientStock(f"{self.key}: on hand {on_hand}, reserved {reserved}")
        return replace(self, on_hand=on_hand, reserved=reserved, version=self.version + 1)


def units(lines: Iterable[ReservedLine]) -> dict[StockKey, int]:
    """Return the units of each key that have not come back, in the order in which rows are locked."""
    counted: Counter[StockKey] = Counter()
    for line in lines:
        counted[line.key] += line.not_returned
    return {key: counted[key] for key in sorted(counted) if counted[key]}


def shortages(
    lines: Sequence[ReservedLine], stock: Mapping[StockKey, Stock]
) -> list[tuple[ReservedLine, int]]:
    """Return the lines that exceed the stock, each with the units that were left; empty if all fit.

    Lines take from the stock in their order: two lines of one product share it.
    """
    left = {key: one.available for key, one in stock.items()}
    short = []
    for line in lines:
        available = left.get(line.key, 0)
        if line.quantity > available:
            short.append((line, available))
        else:
            left[line.key] = available - line.quantity
    return short
