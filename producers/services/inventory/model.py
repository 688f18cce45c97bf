"""Stock and its rules, without a database: how orders reserve, sell and return units."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from common.ids import Id
from producers.kit.http.strict_request import StrictRequest
from producers.kit.listings import MAX_ON_HAND

ReservationState = Literal["held", "sold", "released", "given_back", "refused", "barred"]
ChangeReason = Literal["reserved", "released", "shipped", "returned", "received", "corrected"]
"""The field `reason` of `stock_changed`. A sale is `shipped`, because the units leave the stock."""

RESERVATION_TTL = timedelta(minutes=30)
"""How long an order's units are reserved for its payment."""

MAX_PRODUCTS = 5_000
"""Limit of products in one request."""

ProductId = Annotated[Id, Field(examples=["product-000001"])]
SellerId = Annotated[Id, Field(examples=["seller-0001"])]
OnHand = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_ON_HAND,
        description="Units that the seller has, including reserved ones.",
        examples=[25],
    ),
]


class StockKey(NamedTuple):
    """The key of a stock row: one product of one seller. Rows are locked in the order of their keys."""

    product_id: str
    seller_id: str


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """The units of one order line.

    `returned` units are back in stock. `written_off` units were returned but can't be sold again.
    """

    line_number: int
    product_id: str
    seller_id: str
    quantity: int
    returned: int = 0
    written_off: int = 0

    @property
    def key(self) -> StockKey:
        """The key of the stock row that the line takes units from."""
        return StockKey(self.product_id, self.seller_id)

    @property
    def not_returned(self) -> int:
        """Units that were neither returned nor written off."""
        return self.quantity - self.returned - self.written_off


class InsufficientStock(Exception):
    """A change would make the units on hand negative, or fewer than those reserved for orders."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of a product at a seller. Units on hand that are not reserved can be bought."""

    product_id: ProductId
    seller_id: SellerId
    on_hand: OnHand
    reserved: Annotated[int, Field(description="Units on hand that are reserved for orders.")]
    available: Annotated[int, Field(description="`on_hand − reserved`.")]
    version: Annotated[int, Field(description="The number of changes so far. A higher version is newer.")]

    # Each change returns the next version, or raises InsufficientStock.

    @property
    def key(self) -> StockKey:
        """The key of the row."""
        return StockKey(self.product_id, self.seller_id)

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
        """Set the units on hand to the seller's count."""
        return self._with(on_hand, self.reserved)

    def _with(self, on_hand: int, reserved: int) -> "Stock":
        if not 0 <= reserved <= on_hand:
            raise InsufficientStock(f"{self.key}: on hand {on_hand}, reserved {reserved}")
        return Stock(self.product_id, self.seller_id, on_hand, reserved, on_hand - reserved, self.version + 1)


class StockUpdate(StrictRequest):
    """The units of a product that a seller has now."""

    seller_id: SellerId
    on_hand: OnHand


class StockOfProduct(StockUpdate):
    """The units that a seller has now, with the product."""

    product_id: ProductId


StockUpdates = Annotated[list[StockOfProduct], Field(min_length=1, max_length=MAX_PRODUCTS)]


def units(lines: Iterable[ReservedLine]) -> dict[StockKey, int]:
    """Return the units of each key that were not returned, in the order in which rows are locked."""
    counted: Counter[StockKey] = Counter()
    for line in lines:
        counted[line.key] += line.not_returned
    return {key: counted[key] for key in sorted(counted) if counted[key]}


def shortages(
    lines: Sequence[ReservedLine], stock: Mapping[StockKey, Stock]
) -> list[tuple[ReservedLine, int]]:
    """Return the lines that exceed the stock, each with the units that are available; empty if all fit.

    Lines of the same product share its stock. Earlier lines take units first.
    """
    left = {key: row.available for key, row in stock.items()}
    short = []
    for line in lines:
        available = left.get(line.key, 0)
        if line.quantity > available:
            short.append((line, available))
        else:
            left[line.key] = available - line.quantity
    return short
