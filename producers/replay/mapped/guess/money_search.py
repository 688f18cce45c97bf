"""Finds prices, quantities, discounts, shipping and taxes: the reading that the table's own totals "
"confirm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from producers.replay.mapped.arithmetic import (
    DIGITS,
    ENOUGH,
    Amounts,
    Explainer,
    Explanation,
    Term,
    coin_of,
    first_given,
    is_same_in_orders,
    sum_of_rows,
)
from producers.replay.mapped.cells import Memo, has_value, number_parser
from producers.replay.mapped.column_roles import is_grand_total, role_of
from producers.replay.mapped.guess.choice import Choice
from producers.replay.mapped.guess.known import KnownExport, find_columns
from producers.replay.mapped.guess.meanings import status_meaning
from producers.replay.mapped.guess.profile import ColumnProfile
from producers.replay.mapped.guess.tax import is_inside_prices
from producers.replay.mapped.guess.vocabulary import KNOWN, name_score
from producers.replay.mapped.sections import MISSING

AMOUNTS = ("discount", "shipping", "tax")
_MAX_PRICES, _MAX_QUANTITIES, _MAX_TOTALS, _MAX_TERMS = 8, 3, 10, 16
_FEW = 8
"""Below so many orders, an explanation with columns of unknown names may be chance."""


@dataclass(frozen=True)
class AmountChoice:
    """The columns of a discount, of shipping or of a tax: their sum, less that of `less`."""

    columns: list[ColumnProfile]
    less: list[ColumnProfile]
    of: str
    is_negative: bool
    why: str


@dataclass
class MoneyChoice:
    """What the amounts are read from. `evidence` says what agrees, `contradiction` what speaks against it."""

    price: ColumnProfile | None = None
    price_of: str = "unit"
    why: str = ""
    quantity: ColumnProfile | None = None
    amounts: dict[str, AmountChoice] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    others: list[ColumnProfile] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    contradiction: str | None = None
    unsure: list[str] = field(default_factory=list)
    compared: list[ColumnProfile] = field(default_factory=list)


@dataclass(frozen=True)
class _Numbers:
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
class _Goods:
    """A reading of what was sold: the price of a unit times the quantity, or the amount of the line."""

    price: _Numbers
    quantity: _Numbers | None
    of: str
    rows: Amounts
    quality: float


@dataclass(frozen=True)
class _Reading:
    """Goods and further amounts that make a total."""

    goods: _Goods
    total: _Numbers
    total_of: str
    explanation: Explanation

    def rank(self) -> tuple[float, float, float, float]:
        named = {term.role for term in self.explanation.terms if term.cost <= 2 and term.role in AMOUNTS}
        scope = len(named) + 2 * is_grand_total(self.total.column.name)
        share = self.explanation.share
        return (min(round(share, 2), 0.99), scope, self.goods.quality, -self.explanation.cost)


class MoneySearch:
    """Searches the columns of amounts of a table, whose rows belong to `order` (an index for each row)."""

    def __init__(
        self,
        columns: list[ColumnProfile],
        choices: dict[str, Choice],
        known: KnownExport | None,
        currency: str,
    ) -> None:
        self._known = known
        self._currency = currency
        self._coin = coin_of(currency)
        taken = {id(column) for choice in choices.values() for column in choice.columns}
        self._numbers = [numbers for column in columns
                         if id(column) not in taken and (numbers := self._read(column))]  # fmt: skip
        self._rows = len(columns[0].texts)
        self._lines = columns[0].file
        order = choices.get("order")
        self.order = _codes(order.column.texts if order else None, self._rows)
        self._orders = int(self.order.max(initial=-1)) + 1
        product = choices.get("product") or choices.get("product_name")
        self._product = product.column if product else None
        self._is_line = np.zeros(self._rows, bool)
        for column in product.columns if product else columns[:0]:
            self._is_line |= np.array([text not in MISSING for text in column.texts], bool)
        if product is None:
            self._is_line[:] = True
        self._ended = self._ended_rows(choices)
        self._quantities = self._find_quantities()
        self._goods = sorted(self._find_goods(), key=lambda each: -each.quality)

    def find(self) -> MoneyChoice:
        """Return the best reading of the amounts."""
        if not self._goods:
            return self._unchecked(None)
        live = self._live(self.order, self._orders)
        readings = list(self._readings(self.order, self._orders, live))
        best = max(readings, key=_Reading.rank, default=None)
        totals = [each for each in self._totals() if self._is_telling(each)]
        grand = [each for each in totals if is_grand_total(each.column.name)]
        explained = {id(each.total) for each in readings if self._is_enough(each)}
        if best and self._is_enough(best) and (not grand or any(id(each) in explained for each in grand)):
            return self._checked(best, "order")
        if not totals:
            every = np.arange(self._rows)
            of_rows = [each for each in self._readings(every, self._rows, self._live(every, self._rows))
                       if self._is_enough(each) and each.total_of == "line"]  # fmt: skip
            if of_rows:
                return self._checked(max(of_rows, key=_Reading.rank), "row")
            return self._unchecked(None)
        against = max((each for each in readings if any(each.total is total for total in grand or totals)),
                      key=lambda each: each.explanation.share, default=None)  # fmt: skip
        if against is None and totals == [self._goods[0].price]:
            return self._unchecked(None)  # the only amount
        return self._unchecked(self._contradiction(against, (grand or totals)[0]))

    def _contradiction(self, best: _Reading | None, total: _Numbers) -> str:
        name = best.total.column.name if best else total.column.name
        if best is None:
            return f'no reading of the other columns makes the column "{name}"'
        agreeing, compared = int(best.explanation.agrees.sum()), len(best.explanation.agrees)
        return (
            f'the column "{name}" contradicts every reading of the amounts: the best one, {_describe(best)}, '
            f"agrees in {agreeing:,} of {compared:,} orders"
        )

    def _checked(self, best: _Reading, what: str) -> MoneyChoice:
        goods, share = best.goods, best.explanation
        choice = MoneyChoice(
            goods.price.column, goods.of, "", goods.quantity.column if goods.quantity else None
        )
        agreeing, compared = int(share.agrees.sum()), len(share.agrees)
        choice.compared = [best.total.column]
        choice.why = f'because {_describe(best)} is the column "{best.total.column.name}"'
        choice.evidence.append(
            f'{_describe(best)} = column "{best.total.column.name}" to the smallest coin in {agreeing:,} of '
            f"{compared:,} {what}s that were compared"
        )
        choice.others = [each.price.column for each in self._goods if each.price is not goods.price][:4]
        for role in AMOUNTS:
            terms = [term for term in share.terms if _as_amount(term) == role]
            if terms:
                choice.amounts[role] = self._amount(
                    terms, f'it is part of the column "{best.total.column.name}"'
                )
        fees = [term.column for term in share.terms if _as_amount(term) is None]
        if fees:
            choice.evidence.append(
                f"not imported, since the shopper does not pay it: {', '.join(sorted(set(fees)))}"
            )
        self._add_rest(choice, best)
        return choice

    def _add_rest(self, choice: MoneyChoice, best: _Reading) -> None:
        """Decide about named amounts that are not part of the total: it may be that of the goods alone."""
        for role in AMOUNTS:
            named = [each for each in self._of_role(role) if each.values.any()]
            if role in choice.amounts or not named:
                continue
            name = named[0].column.name
            if is_grand_total(best.total.column.name):
                inside = (
                    "it is in the prices already" if role != "shipping" else "it is not part of the total"
                )
                choice.left_out[role] = (
                    f'"{name}" is not added: {inside}, since "{best.total.column.name}" agrees without it'
                )
            elif role == "tax":
                self._decide_tax(choice)
            else:
                choice.amounts[role] = self._by_name(role, named)

    def _unchecked(self, contradiction: str | None) -> MoneyChoice:
        """Return the reading by names: nothing checks it, or a total contradicts it."""
        goods = max(self._goods, key=lambda each: each.quality + self._scaling(each), default=None)
        choice = MoneyChoice(contradiction=contradiction)
        if goods is None:
            choice.quantity = self._quantities[0].column if self._quantities else None
            return choice
        choice.price, choice.price_of = goods.price.column, goods.of
        choice.quantity = goods.quantity.column if goods.quantity else None
        choice.why = "by its name" if goods.price.role else "because its values are amounts"
        if self._scaling(goods) > 0:
            times = "grow with the quantity" if goods.of == "line" else "are the same for all quantities"
            choice.why += f", and because the amounts of a product {times}"
        choice.others = [each.price.column for each in self._goods if each.price is not goods.price][:4]
        for role in AMOUNTS:
            named = self._of_role(role)
            if named and role == "tax":
                self._decide_tax(choice)
            elif named:
                choice.amounts[role] = self._by_name(role, named)
        return choice

    def _decide_tax(self, choice: MoneyChoice) -> None:
        """Add the tax unless it is in the prices: no total says it, so rates and the currency must."""
        named = self._of_role("tax")
        goods = next(each for each in self._goods if each.price.column is choice.price)
        with_tax = self._is_line & (named[0].values > 0) & (goods.rows > 0)
        inside = is_inside_prices(named[0].values[with_tax], goods.rows[with_tax], self._coin)
        name, why = named[0].column.name, "its rate says so"
        if inside is None:
            outside = self._known.tax_outside if self._known and self._known.tax_outside else ["USD", "CAD"]
            inside, why = (
                self._currency not in outside,
                f"as usual for prices in {self._currency or 'this currency'}",
            )
        if inside:
            choice.left_out["tax"] = f'"{name}" is not added to the prices, which include it: {why}'
        else:
            choice.amounts["tax"] = replace(self._by_name("tax", named), why=f"added to the prices: {why}")

    def _by_name(self, role: str, named: list[_Numbers]) -> AmountChoice:
        """Return an amount of the columns that the known export gives, or of the first one."""
        listed = self._known.amounts.get(role) if self._known else None
        chosen = named if listed else named[:1]
        taken_off = [name[1:] for name in listed or [] if name.startswith("-")]
        less = [each for each in chosen if find_columns(taken_off, [each.column])]
        plus = [each for each in chosen if each not in less]
        levels = {self._level(each) for each in chosen if each.values.any()} or {"line"}
        of = "order" if levels == {"order"} else "line"
        negative = (
            bool(plus)
            and all(each.is_negative or not each.values.any() for each in plus)
            and plus[0].is_negative
        )
        return AmountChoice(
            [each.column for each in plus], [each.column for each in less], of, negative, "by its name"
        )

    def _amount(self, terms: list[Term], why: str) -> AmountChoice:
        """Return the amount that these terms of one role are."""
        columns = {each.column.name: each for each in self._numbers}
        sign = {term.column: (-1 if term.is_negated else 1) for term in terms}
        own = -1 if _as_amount(terms[0]) == "discount" else 1
        plus = [columns[term.column] for term in terms if sign[term.column] == own]
        less = [columns[term.column] for term in terms if sign[term.column] != own]
        is_negative = not plus
        if is_negative:  # a discount that is written as −5.00
            plus, less = less, plus
        return AmountChoice(
            [each.column for each in plus], [each.column for each in less], terms[0].of, is_negative, why
        )

    def _readings(self, order: NDArray[np.int64], orders: int, live: NDArray[np.bool_]) -> Iterator[_Reading]:
        """Yield the best explanation of each total by each reading of the goods."""
        for goods in self._goods:
            sums = sum_of_rows(order, orders, goods.rows)
            sold = sum_of_rows(order, orders, (goods.rows != 0).astype(np.int64)) > 0
            terms = list(self._terms(goods, order, orders))
            explainer = Explainer(terms, orders, self._coin)
            for total in self._totals():
                if total is goods.price:
                    continue
                for of in ("order", "line"):
                    same = is_same_in_orders(order, total.values, total.given)
                    if of == "order" and not same:
                        continue
                    if of == "line" and same and len(order) > orders:
                        continue
                    whole = self._per_order(total, of, order, orders)
                    known = live & sold & (whole != 0)
                    if known.sum() < max(1, 0.8 * (live & sold).sum()):
                        continue
                    explanation = explainer.explain(whole - sums, known)
                    if _is_possible(explanation):
                        yield _Reading(goods, total, of, explanation)

    def _terms(self, goods: _Goods, order: NDArray[np.int64], orders: int) -> Iterator[Term]:
        found: list[Term] = []
        units = goods.quantity.values // 10**DIGITS if goods.quantity else np.ones(self._rows, np.int64)
        for each in self._numbers:
            if (
                each is goods.price
                or each is goods.quantity
                or not each.values.any()
                or each.role in ("price", "quantity", "total")
            ):
                continue
            if each.role is None and not _is_money(each):
                continue
            role, cost = _natural(each)
            same = is_same_in_orders(order, each.values, each.given)
            levels = [("order", 0)] if same else [("line", 0)]
            if same and not self._is_once(order, each):
                levels.append(("line", 1))
            if levels[-1][0] == "line" and role in ("discount", "tax") and (units > 1).any():
                levels.append(("unit", 1))
            for of, more in levels:
                values = each.values * units if of == "unit" else each.values
                whole = self._per_order(
                    replace(each, values=values), "line" if of == "unit" else of, order, orders
                )
                for sign in _signs(each.role if role != "fee" else role, each):
                    term_role = role or ("shipping" if sign > 0 and not each.is_negative else "discount")
                    found.append(Term(each.column.name, term_role, of, sign * whole, sign < 0, cost + more))
        found.sort(key=lambda term: term.cost)
        yield from found[:_MAX_TERMS]

    def _per_order(self, each: _Numbers, of: str, order: NDArray[np.int64], orders: int) -> Amounts:
        if of == "order":
            return first_given(order, orders, each.values, each.given)
        return sum_of_rows(order, orders, np.where(self._is_line, each.values, 0))

    def _is_once(self, order: NDArray[np.int64], each: _Numbers) -> bool:
        """Whether no order has two rows with a value."""
        rows = order[each.given & (each.values != 0) & (order >= 0) & self._is_line]
        return len(np.unique(rows)) == len(rows)

    def _is_repeated(self, each: _Numbers) -> bool:
        """Whether the rows of orders repeat one amount, that of the order."""
        same = is_same_in_orders(self.order, each.values, each.given)
        return same and not self._is_once(self.order, each)

    def _level(self, each: _Numbers) -> str:
        same = is_same_in_orders(self.order, each.values, each.given)
        several = np.bincount(self.order[self.order >= 0], minlength=1).max(initial=0) > 1
        return "order" if same and several else "line"

    def _live(self, order: NDArray[np.int64], orders: int) -> NDArray[np.bool_]:
        """Return which orders are compared: those that were neither cancelled nor returned, if there are "
        "any."""
        ended = sum_of_rows(order, orders, self._ended.astype(np.int64)) > 0
        live = ~ended
        return live if live.any() else np.ones(orders, bool)

    def _ended_rows(self, choices: dict[str, Choice]) -> NDArray[np.bool_]:
        ended = np.zeros(self._rows, bool)
        if status := choices.get("status"):
            meanings = {text: status_meaning(text) for text in set(status.column.given)}
            ended |= np.array(
                [meanings.get(text) in ("cancelled", "returned") for text in status.column.texts], bool
            )
        if at := choices.get("cancelled_at"):
            ended |= np.array([text not in MISSING for text in at.column.texts], bool)
        return ended

    def _totals(self) -> list[_Numbers]:
        if self._known and self._known.totals:
            columns = find_columns(self._known.totals, [each.column for each in self._numbers])
            return [each for each in self._numbers if any(each.column is column for column in columns)]
        named = [each for each in self._numbers if each.role == "total"]
        named.sort(key=lambda each: not is_grand_total(each.column.name))
        others = [each for each in self._numbers if each.role is None and _is_money(each)]
        return [*named, *others][:_MAX_TOTALS]

    def _is_telling(self, total: _Numbers) -> bool:
        """Whether a column is the total of most orders by its name, so that a reading must agree with it."""
        if total.role != "total" or total.column.missing_share == 1:
            return False
        words = set(total.column.name.casefold().replace("_", " ").split())
        if words & {"net", "adjusted", "due", "paid", "spent", "balance", "outstanding", "base", "payout"}:
            return False
        given = first_given(
            self.order, self._orders, (total.given & (total.values != 0)).astype(np.int64), total.given
        )
        return bool(given.mean() > 0.8) if self._orders else False

    def _is_enough(self, reading: _Reading) -> bool:
        explanation = reading.explanation
        is_guess = any(term.cost > 2 for term in explanation.terms) or reading.total.role is None
        return explanation.share >= ENOUGH and (len(explanation.agrees) >= _FEW or not is_guess)

    def _find_quantities(self) -> list[_Numbers]:
        listed = self._known.columns.get("quantity") if self._known else None
        if listed is not None:
            columns = find_columns(listed, [each.column for each in self._numbers])
            return [each for each in self._numbers if any(each.column is column for column in columns)]
        # How many photos a product has is a quantity, too, but not of a line.
        whole = [each for each in self._numbers if each.column.is_integer and each.column.file is self._lines]
        named = [
            each for each in whole if each.role == "quantity" or name_score("quantity", each.column.name)
        ]
        # The sum of an order's units is the same in all of its rows.
        named.sort(key=lambda each: (self._level(each) == "order", -name_score("quantity", each.column.name)))
        small = [each for each in whole if each.role is None and each not in named and self._is_small(each)]
        return [*named, *(small if not named else [])][:_MAX_QUANTITIES]

    def _is_small(self, each: _Numbers) -> bool:
        values = each.values[each.given & self._is_line] // 10**DIGITS
        return (
            bool(len(values)) and len(np.unique(values)) > 1 and 1 <= float(np.median(np.abs(values))) < 100
        )

    def _find_goods(self) -> Iterator[_Goods]:
        for price in self._prices():
            named = price.role == "price"
            exact = (name_score("price", price.column.name) > KNOWN) + name_score(
                "price", price.column.name
            ) / 1000
            for quantity in self._quantities:
                units = quantity.values // 10**DIGITS
                rows = np.where(
                    self._is_line & price.given & quantity.given & (units > 0), price.values * units, 0
                )
                quality = (
                    (3 if named else 1 if price.role == "total" else 0)
                    + (quantity.role == "quantity")
                    + exact
                )
                if self._known is None or self._known.price_of in (None, "unit"):
                    yield _Goods(price, quantity, "unit", rows, quality)
            quantity = self._quantities[0] if self._quantities else None  # type: ignore[assignment]
            rows = np.where(self._is_line & price.given, price.values, 0)
            if quantity is not None:
                rows = np.where(quantity.given & (quantity.values > 0), rows, 0)
                if self._known is None or self._known.price_of in (None, "line"):
                    yield _Goods(
                        price,
                        quantity,
                        "line",
                        rows,
                        (1 if named else 2 if price.role == "total" else 0) + exact,
                    )
            else:
                yield _Goods(price, None, "unit" if named else "line", rows, (3 if named else 2) + exact)

    def _prices(self) -> list[_Numbers]:
        listed = self._known.columns.get("price") if self._known else None
        if listed:
            columns = find_columns(listed, [each.column for each in self._numbers])
            return [each for each in self._numbers if any(each.column is column for column in columns)][:2]

        def is_price(each: _Numbers) -> bool:
            rows = each.values[each.given & self._is_line & ~self._ended]
            enough = len(rows) >= 0.6 * (self._is_line & ~self._ended).sum()
            # Refunds have negative amounts.
            return bool(len(rows)) and enough and bool((rows > 0).mean() > 0.7)

        fitting = [each for each in self._numbers
                   if is_price(each) and (each.role in ("price",
                           "total") or (each.role is None and _is_money(each)))]  # fmt: skip
        fitting.sort(
            key=lambda each: (
                each.role != "price",
                -name_score("price", each.column.name),
                each.role != "total",
            )
        )
        # What belongs to the whole order, and is repeated in its rows, is no price of a line.
        of_line = [each for each in fitting if not self._is_repeated(each)]
        fitting = of_line or fitting
        return fitting[:_MAX_PRICES]

    def _scaling(self, goods: _Goods) -> float:
        """Return 2 if prices of a product are those of a unit, or of a line, as this reading has it; else "
        "0."""
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
                values = {units: next(iter(prices)) for units, prices in of_product.items()}
                unit += len(set(values.values())) == 1
                line += (
                    len({price * 1000 // units // (self._coin * 1000) for units, price in values.items()})
                    == 1
                )
        if max(unit, line) < 1 or unit == line:
            return 0
        return 2.5 if (goods.of == "unit") == (unit > line) else -2.5

    def _of_role(self, role: str) -> list[_Numbers]:
        listed = self._known.amounts.get(role) if self._known else None
        if listed is not None:
            columns = find_columns(
                [name.removeprefix("-") for name in listed], [each.column for each in self._numbers]
            )
            return [each for each in self._numbers if any(each.column is column for column in columns)]
        named = [each for each in self._numbers if each.role == role]
        if role == "shipping":
            named = [each for each in named if not each.is_negative]  # what the seller pays is negative
        return sorted(named, key=lambda each: not each.values.any())

    def _read(self, column: ColumnProfile) -> _Numbers | None:
        if column.given and column.number_share <= 0.9:
            return None
        parse = Memo(number_parser(column.file.format.decimal, DIGITS), frozenset(MISSING))
        values = parse.read(column.texts)
        given = has_value(values)
        role = role_of(column.name)
        if role is None and not column.given:
            return None
        if self._known:
            for name, listed in self._known.amounts.items():
                if find_columns([each.removeprefix("-") for each in listed], [column]):
                    role = name
        return _Numbers(column, np.where(given, values, 0), given, role)


def _natural(each: _Numbers) -> tuple[str | None, int]:
    """Return the role of an amount in a total, and what it costs to assume it."""
    if each.role in ("shipping", "tax") and each.is_negative:
        return "fee", 3
    if each.role == "shipping_discount":
        return "shipping", 1
    if each.role in AMOUNTS:
        return each.role, 1
    return each.role, 3 if each.role in ("fee", "refund") else 6


def _signs(role: str | None, each: _Numbers) -> Iterable[int]:
    if (each.values < 0).any():
        return (1,)
    return {
        "discount": (-1,),
        "shipping_discount": (-1,),
        "shipping": (1,),
        "tax": (1,),
        "refund": (-1,),
        "fee": (-1, 1),
    }.get(role or "", (1, -1))


def _as_amount(term: Term) -> str | None:
    """Return which amount of the mapping a term is; None if the shopper does not pay it."""
    if term.role == "fee":
        # A positive fee that is added is one of the shopper, such as for gift wrap.
        return "shipping" if not term.is_negated and (term.amounts >= 0).all() else None
    return term.role if term.role in AMOUNTS else None


def _is_possible(explanation: Explanation) -> bool:
    """Whether a mapping can say it: the columns of one amount are all of the order or all of the line."""
    levels: dict[str, set[str]] = {}
    for term in explanation.terms:
        if role := _as_amount(term):
            levels.setdefault(role, set()).add(term.of)
    return all(len(of) == 1 for of in levels.values())


def _is_money(each: _Numbers) -> bool:
    """Whether numbers of a column without a known name may be amounts: some have decimals, none has many."""
    return not each.column.is_integer and bool((each.values % 10 ** (DIGITS - 2) == 0).mean() > 0.95)


def _describe(reading: _Reading) -> str:
    """Return the reading as a formula: `Price × Qty − Discount + Shipping`."""
    goods = reading.goods
    parts = [f'"{goods.price.column.name}"']
    if goods.of == "unit" and goods.quantity:
        parts[0] += f' × "{goods.quantity.column.name}"'
    for term in reading.explanation.terms:
        parts.append(f'{"−" if term.is_negated else "+"} "{term.column}"')
    return " ".join(parts)


def _codes(texts: list[str] | None, rows: int) -> NDArray[np.int64]:
    """Return the index of each row's order, -1 for a row without one."""
    if texts is None:
        return np.arange(rows)
    known: dict[str, int] = {}
    return np.array(
        [-1 if text in MISSING else known.setdefault(text, len(known)) for text in texts], np.int64
    )
