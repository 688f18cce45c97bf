"""The columns of amounts of a table: their numbers, and which may be prices, quantities and totals."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producers.importer.columns import first_by, sum_by
from producers.importer.mapped.arithmetic import (
    DIGITS,
    Amounts,
    coin_of,
    is_same_in_orders,
)
from producers.importer.mapped.cells import Memo, has_value, number_parser
from producers.importer.mapped.column_roles import is_grand_total, is_paid_total, role_of
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.known import KnownExport, find_columns
from producers.importer.mapped.guess.profile import ColumnProfile
from producers.importer.mapped.guess.vocabulary import KNOWN, name_score, status_meaning
from producers.importer.mapped.mapping import MISSING

AMOUNTS = ("discount", "shipping", "tax")
_MAX_PRICES, _MAX_QUANTITIES, _MAX_TOTALS = 8, 3, 10


@dataclass(frozen=True)
class Numbers:
    """The cells of a column as numbers, 0 where there is none."""

    column: ColumnProfile
    values: Amounts
    given: NDArray[np.bool_]
    role: str | None

    @property
    def is_negative(self) -> bool:
        """Whether all amounts are 0 or below."""
        return bool((self.values <= 0).all() and (self.values < 0).any())


@dataclass(frozen=True)
class Goods:
    """A reading of what was sold: the price of a unit times the quantity, or the amount of the line."""

    price: Numbers
    quantity: Numbers | None
    of: str
    rows: Amounts
    quality: float


class AmountColumns:
    """The columns of numbers of a table, whose rows belong to `order` (an index for each row).

    `goods` are the readings of what was sold, the likeliest first.
    """

    def __init__(
        self,
        columns: list[ColumnProfile],
        choices: dict[str, Choice],
        known: KnownExport | None,
        currency: str,
    ) -> None:
        self.known = known
        self.currency = currency
        self.coin = coin_of(currency)
        taken = {id(column) for choice in choices.values() for column in choice.columns}
        self.numbers = [numbers for column in columns
                         if id(column) not in taken and (numbers := self._read(column))]  # fmt: skip
        self.rows = len(columns[0].texts)
        self._lines = columns[0].file
        order = choices.get("order")
        self.order = _codes(order.column.texts if order else None, self.rows)
        self.orders = int(self.order.max(initial=-1)) + 1
        product = choices.get("product") or choices.get("product_name")
        self._product = product.column if product else None
        self.is_line = np.full(self.rows, product is None)
        for column in product.columns if product else ():
            self.is_line |= _has_text(column)
        self._ended = self._ended_rows(choices)
        self.quantities = self._find_quantities()
        self.goods = sorted(self._find_goods(), key=lambda each: -each.quality)

    def per_order(self, each: Numbers, of: str, order: NDArray[np.int64], orders: int) -> Amounts:
        """Return the amount of each order: of its first row that has one, or the sum of its lines."""
        if of == "order":
            return first_by(order, orders, each.values, each.given, 0)
        return sum_by(order, orders, np.where(self.is_line, each.values, 0))

    def is_once(self, order: NDArray[np.int64], each: Numbers) -> bool:
        """Whether no order has two rows with a value."""
        rows = order[each.given & (each.values != 0) & (order >= 0) & self.is_line]
        return len(np.unique(rows)) == len(rows)

    def _is_repeated(self, each: Numbers) -> bool:
        """Whether the rows of orders repeat one amount, that of the order."""
        return is_same_in_orders(self.order, each.values, each.given) and not self.is_once(self.order, each)

    def level(self, each: Numbers) -> str:
        """Return `order` if the rows of orders with several lines repeat one amount, else `line`."""
        same = is_same_in_orders(self.order, each.values, each.given)
        several = np.bincount(self.order[self.order >= 0], minlength=1).max(initial=0) > 1
        return "order" if same and several else "line"

    def live(self, order: NDArray[np.int64], orders: int) -> NDArray[np.bool_]:
        """Return which orders are compared: those neither cancelled nor returned, if there are any."""
        live = sum_by(order, orders, self._ended.astype(np.int64)) == 0
        return live if live.any() else np.ones(orders, bool)

    def _ended_rows(self, choices: dict[str, Choice]) -> NDArray[np.bool_]:
        ended = np.zeros(self.rows, bool)
        if status := choices.get("status"):
            meanings = {text: status_meaning(text) for text in set(status.column.given)}
            ended |= np.array(
                [meanings.get(text) in ("cancelled", "returned") for text in status.column.texts], bool
            )
        if at := choices.get("cancelled_at"):
            ended |= _has_text(at.column)
        return ended

    def totals(self) -> list[Numbers]:
        """Return the columns that may be totals: those of the known export, or those named so first."""
        if self.known and self.known.totals:
            return self._named(self.known.totals)
        named = [each for each in self.numbers if each.role == "total"]
        named.sort(key=lambda each: not is_grand_total(each.column.name))
        others = [each for each in self.numbers if each.role is None and is_money(each)]
        return [*named, *others][:_MAX_TOTALS]

    def is_telling(self, total: Numbers) -> bool:
        """Whether a column is the total of most orders by its name, so that a reading must agree with it."""
        if total.role != "total" or total.column.missing_share == 1 or not is_paid_total(total.column.name):
            return False
        has_amount = (total.given & (total.values != 0)).astype(np.int64)
        given = first_by(self.order, self.orders, has_amount, total.given, 0)
        return bool(given.mean() > 0.8) if self.orders else False

    def _named(self, names: list[str]) -> list[Numbers]:
        """Return the columns that a known export lists."""
        columns = {id(column) for column in find_columns(names, [each.column for each in self.numbers])}
        return [each for each in self.numbers if id(each.column) in columns]

    def _find_quantities(self) -> list[Numbers]:
        listed = self.known.columns.get("quantity") if self.known else None
        if listed is not None:
            return self._named(listed)
        # How many photos a product has is a quantity, too, but not of a line.
        whole = [each for each in self.numbers if each.column.is_integer and each.column.file is self._lines]
        named = [
            each for each in whole if each.role == "quantity" or name_score("quantity", each.column.name)
        ]
        # The sum of an order's units is the same in all of its rows.
        named.sort(key=lambda each: (self.level(each) == "order", -name_score("quantity", each.column.name)))
        named = named or [each for each in whole if each.role is None and self._is_small(each)]
        return named[:_MAX_QUANTITIES]

    def _is_small(self, each: Numbers) -> bool:
        values = each.values[each.given & self.is_line] // 10**DIGITS
        return (
            bool(len(values)) and len(np.unique(values)) > 1 and 1 <= float(np.median(np.abs(values))) < 100
        )

    def _find_goods(self) -> Iterator[Goods]:
        price_of = self.known.price_of if self.known else None
        for price in self._prices():
            named = price.role == "price"
            score = name_score("price", price.column.name)
            exact = (score > KNOWN) + score / 1000
            for quantity in self.quantities if price_of != "line" else ():
                units = quantity.values // 10**DIGITS
                is_sold = self.is_line & price.given & quantity.given & (units > 0)
                likely = 3 if named else 1 if price.role == "total" else 0
                rows = np.where(is_sold, price.values * units, 0)
                yield Goods(price, quantity, "unit", rows, likely + (quantity.role == "quantity") + exact)
            rows = np.where(self.is_line & price.given, price.values, 0)
            if not self.quantities:
                yield Goods(price, None, "unit" if named else "line", rows, (3 if named else 2) + exact)
            elif price_of != "unit":
                first = self.quantities[0]
                rows = np.where(first.given & (first.values > 0), rows, 0)
                yield Goods(
                    price, first, "line", rows, (1 if named else 2 if price.role == "total" else 0) + exact
                )

    def _prices(self) -> list[Numbers]:
        listed = self.known.columns.get("price") if self.known else None
        if listed:
            return self._named(listed)[:2]

        def is_price(each: Numbers) -> bool:
            rows = each.values[each.given & self.is_line & ~self._ended]
            enough = len(rows) >= 0.6 * (self.is_line & ~self._ended).sum()
            # Refunds have negative amounts.
            return bool(len(rows)) and enough and bool((rows > 0).mean() > 0.7)

        fitting = [each for each in self.numbers
                   if is_price(each) and (each.role in ("price",
                           "total") or (each.role is None and is_money(each)))]  # fmt: skip
        fitting.sort(
            key=lambda each: (
                each.role != "price",
                -name_score("price", each.column.name),
                each.role != "total",
            )
        )
        # What belongs to the whole order, and is repeated in its rows, is no price of a line.
        of_line = [each for each in fitting if not self._is_repeated(each)]
        return (of_line or fitting)[:_MAX_PRICES]

    def scaling(self, goods: Goods) -> float:
        """Return 2 if prices of a product are those of a unit, or a line, as this reading has it; else 0."""
        if self._product is None or goods.quantity is None:
            return 0
        seen: dict[str, dict[int, set[int]]] = {}
        quantities, prices = (goods.quantity.values // 10**DIGITS).tolist(), goods.price.values.tolist()
        for text, units, price in zip(self._product.texts, quantities, prices, strict=True):
            if text not in MISSING and units > 0 and price > 0:
                seen.setdefault(text, {}).setdefault(units, set()).add(price)
        unit = line = 0
        for of_product in seen.values():
            if len(of_product) > 1 and all(len(prices) == 1 for prices in of_product.values()):
                pairs = [(units, price) for units, prices in of_product.items() for price in prices]
                unit += len({price for _, price in pairs}) == 1
                line += len({price * 1000 // units // (self.coin * 1000) for units, price in pairs}) == 1
        if unit == line:
            return 0
        return 2.5 if (goods.of == "unit") == (unit > line) else -2.5

    def of_role(self, role: str) -> list[Numbers]:
        """Return the columns of a discount, of shipping or of a tax, those with amounts first."""
        listed = self.known.amounts.get(role) if self.known else None
        if listed is not None:
            return self._named([name.removeprefix("-") for name in listed])
        named = [each for each in self.numbers if each.role == role]
        if role == "shipping":
            named = [each for each in named if not each.is_negative]  # what the seller pays is negative
        return sorted(named, key=lambda each: not each.values.any())

    def _read(self, column: ColumnProfile) -> Numbers | None:
        if column.given and column.number_share <= 0.9:
            return None
        parse = Memo(number_parser(column.file.format.decimal, DIGITS), frozenset(MISSING))
        values = parse.read(column.texts)
        given = has_value(values)
        role = role_of(column.name)
        if role is None and not column.given:
            return None
        for name, listed in self.known.amounts.items() if self.known else ():
            if find_columns([each.removeprefix("-") for each in listed], [column]):
                role = name
        return Numbers(column, np.where(given, values, 0), given, role)


def is_money(each: Numbers) -> bool:
    """Whether numbers of a column without a known name may be amounts: some have decimals, none has many."""
    return not each.column.is_integer and bool((each.values % 10 ** (DIGITS - 2) == 0).mean() > 0.95)


def _codes(texts: list[str] | None, rows: int) -> NDArray[np.int64]:
    """Return the index of each row's order, -1 for a row without one."""
    if texts is None:
        return np.arange(rows)
    known: dict[str, int] = {}
    return np.array(
        [-1 if text in MISSING else known.setdefault(text, len(known)) for text in texts], np.int64
    )


def _has_text(column: ColumnProfile) -> NDArray[np.bool_]:
    return np.array([text not in MISSING for text in column.texts], bool)
