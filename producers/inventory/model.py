"""The rules of stock, without a database: what an order holds, sells and gives back."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, NamedTuple

State = Literal["held", "sold", "released", "given_back", "refused", "barred"]
Change = Literal["reserved", "released", "shipped", "returned", "received", "corrected"]
"""Why stock changed, as `stock_changed` says it; a sale is `shipped`: the units leave the seller's stock."""

HELD_FOR = timedelta(minutes=30)
"""How long an order's units are held for its payment."""

MOST_ON_HAND = 1_000_000


class Key(NamedTuple):
    """A product of a seller. Stock rows are locked in the order of their keys."""

    product_id: str
    seller_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one order line; `returned` of them are on hand again, `written_off` came back unfit."""

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    returned: int = 0
    written_off: int = 0

    @property
    def key(self) -> Key:
        """Whose stock it is about."""
        return Key(self.product_id, self.seller_id)

    @property
    def outside(self) -> int:
        """Units that have not come back."""
        return self.quantity - self.returned - self.written_off


class NotEnough(Exception):
    """A change would leave less than nothing, or less than is held for orders."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What a seller has of a product. Every change gives the next version, or raises NotEnough."""

    key: Key
    on_hand: int = 0
    reserved: int = 0
    version: int = 0

    @property
    def available(self) -> int:
        """Units that can be sold."""
        return self.on_hand - self.reserved

    def reserve(self, units: int) -> "Stock":
        """Hold units for an order."""
        return self._with(self.on_hand, self.reserved + units)

    def release(self, units: int) -> "Stock":
        """Let go of what was held."""
        return self._with(self.on_hand, self.reserved - units)

    def sell(self, units: int) -> "Stock":
        """What was held leaves."""
        return self._with(self.on_hand - units, self.reserved - units)

    def take_back(self, units: int) -> "Stock":
        """What was sold comes back."""
        return self._with(self.on_hand + units, self.reserved)

    def set(self, on_hand: int) -> "Stock":
        """The seller counted."""
        return self._with(on_hand, self.reserved)

    def _with(self, on_hand: int, reserved: int) -> "Stock":
        if not 0 <= reserved <= on_hand:
            raise NotEnough(f"{self.key}: on hand {on_hand}, reserved {reserved}")
        return replace(self, on_hand=on_hand, reserved=reserved, version=self.version + 1)


def units(lines: Iterable[Line]) -> dict[Key, int]:
    """Units of each product of each seller, in the order in which their rows are locked.

    What came back already is no longer out there.
    """
    counted: Counter[Key] = Counter()
    for line in lines:
        counted[line.key] += line.outside
    return {key: counted[key] for key in sorted(counted) if counted[key]}


def shortages(lines: Sequence[Line], stock: Mapping[Key, Stock]) -> list[tuple[Line, int]]:
    """The lines that can't be had, with the units that were left for each; empty when all can.

    Lines take from stock in their order: two lines of one product share what there is.
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
