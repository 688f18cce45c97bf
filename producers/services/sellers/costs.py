"""What a seller pays for its products: the rows of a request, checked before any is stored. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from producers.kit.listings import MAX_PRICE_MINOR
from producers.services.sellers.problems import BadCosts, RowError

MAX_ROWS = 5_000
"""Limit of costs in one request."""

MAX_DATES = 100
"""Limit of costs of one product, removed ones included."""

MAX_COST_MINOR = MAX_PRICE_MINOR

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days from which a cost can be valid."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a unit of a product costs from a day of the shop on. None removes the cost of that day."""

    product_id: str
    valid_from: date
    unit_cost_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class SavedCost:
    """A cost that a request has changed. `version` counts the changes of the product's cost of that day."""

    product_id: str
    valid_from: date
    unit_cost_minor: int | None
    version: int


@dataclass(frozen=True, slots=True)
class ProductCosts:
    """A product of a seller with its costs, oldest first. `listed`: whether shoppers can find it now."""

    product_id: str
    listed: bool
    costs: Sequence[tuple[date, int]]
    """Each day from which a cost is valid, and the cost in minor units."""


NumberedCosts = Mapping[int, Cost]
"""Number of a row in the request, as an error names it → its cost."""


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day of the shop begins."""
    return datetime.combine(day, time.min, zone)


def check_costs(costs: NumberedCosts, currency: str) -> None:
    """Check the costs of a request in a shop with this currency.

    Raises:
        BadCosts: a row has another currency, an amount or a day out of range, or the product and the day of
            another row.
    """
    errors = []
    first_rows: dict[tuple[str, date], int] = {}
    for row, cost in costs.items():
        if cost.currency != currency:
            errors.append(RowError(row, f"the currency is {cost.currency!r}: send {currency!r}"))
        if cost.unit_cost_minor is not None and not 0 <= cost.unit_cost_minor <= MAX_COST_MINOR:
            errors.append(RowError(row, f"the cost must be from 0 to {MAX_COST_MINOR} minor units"))
        if not FIRST_DAY <= cost.valid_from <= LAST_DAY:
            errors.append(RowError(row, f"valid_from must be from {FIRST_DAY} to {LAST_DAY}"))
        first = first_rows.setdefault((cost.product_id, cost.valid_from), row)
        if first != row:
            errors.append(RowError(row, f"row {first} has the same product and the same valid_from"))
    if errors:
        raise BadCosts(errors)


def check_products(
    costs: NumberedCosts, unlisted: Collection[str] = (), overfull: Collection[str] = ()
) -> None:
    """Check that the seller has listed every product, and that none has too many costs.

    Raises:
        BadCosts: a product is in `unlisted` or in `overfull`.
    """
    errors = []
    for row, cost in costs.items():
        if cost.product_id in unlisted:
            text = f"the seller has never listed product {cost.product_id!r}"
            errors.append(RowError(row, f"{text}; if the listing is new, try again in a moment"))
        elif cost.product_id in overfull:
            errors.append(
                RowError(row, f"product {cost.product_id!r} would have more than {MAX_DATES} costs")
            )
    if errors:
        raise BadCosts(errors)


def by_product(rows: Iterable[tuple[str, bool, date | None, int | None]]) -> list[ProductCosts]:
    """Return products from rows of product, whether it is listed, day and cost; a product's rows adjoin."""
    products: dict[str, tuple[bool, list[tuple[date, int]]]] = {}
    for product_id, listed, valid_from, unit_cost_minor in rows:
        _, costs = products.setdefault(product_id, (listed, []))
        if valid_from is not None and unit_cost_minor is not None:
            costs.append((valid_from, unit_cost_minor))
    return [ProductCosts(product_id, listed, costs) for product_id, (listed, costs) in products.items()]
