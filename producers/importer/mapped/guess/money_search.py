"""Finds prices, quantities, discounts, shipping and taxes: the reading that the table's own totals "
"confirm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from producers.importer.columns import sum_by
from producers.importer.mapped.arithmetic import (
    DIGITS,
    ENOUGH,
    Explainer,
    Explanation,
    Term,
    is_inside_prices,
    is_same_in_orders,
)
from producers.importer.mapped.column_roles import is_grand_total
from producers.importer.mapped.guess.amount_columns import AMOUNTS, AmountColumns, Goods, Numbers, is_money
from producers.importer.mapped.guess.known import find_columns
from producers.importer.mapped.guess.profile import ColumnProfile

_MAX_TERMS = 16
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
    compared: list[ColumnProfile] = field(default_factory=list)


@dataclass(frozen=True)
class _Reading:
    """Goods and further amounts that make a total."""

    goods: Goods
    total: Numbers
    total_of: str
    explanation: Explanation

    def rank(self) -> tuple[float, float, float, float]:
        named = {term.role for term in self.explanation.terms if term.cost <= 2 and term.role in AMOUNTS}
        scope = len(named) + 2 * is_grand_total(self.total.column.name)
        share = self.explanation.share
        return (min(round(share, 2), 0.99), scope, self.goods.quality, -self.explanation.cost)


class MoneySearch:
    """Searches the reading of a table's amounts that its own totals confirm."""

    def __init__(self, table: AmountColumns) -> None:
        self._table = table

    def find(self) -> MoneyChoice:
        """Return the best reading of the amounts."""
        if not self._table.goods:
            return self._unchecked(None)
        live = self._table.live(self._table.order, self._table.orders)
        readings = list(self._readings(self._table.order, self._table.orders, live))
        best = max(readings, key=_Reading.rank, default=None)
        totals = [each for each in self._table.totals() if self._table.is_telling(each)]
        grand = [each for each in totals if is_grand_total(each.column.name)]
        if self._table.known and self._table.known.totals:
            grand = []  # one of the listed totals is enough
        explained = {id(each.total) for each in readings if self._is_enough(each)}
        if best and self._is_enough(best) and (not grand or any(id(each) in explained for each in grand)):
            return self._checked(best, "order")
        if not totals:
            rows = self._table.rows
            every = np.arange(rows)
            of_rows = [each for each in self._readings(every, rows, self._table.live(every, rows))
                       if self._is_enough(each) and each.total_of == "line"]  # fmt: skip
            if of_rows:
                return self._checked(max(of_rows, key=_Reading.rank), "row")
            return self._unchecked(None)
        against = max((each for each in readings if any(each.total is total for total in grand or totals)),
                      key=lambda each: each.explanation.share, default=None)  # fmt: skip
        if against is None and totals == [self._table.goods[0].price]:
            return self._unchecked(None)  # the only amount
        return self._unchecked(self._contradiction(against, (grand or totals)[0]))

    def _contradiction(self, best: _Reading | None, total: Numbers) -> str:
        if best is None:
            return f'no reading of the other columns makes the column "{total.column.name}"'
        return (
            f'the column "{best.total.column.name}" contradicts every reading of the amounts: the best one, '
            f"{_describe(best)}, agrees in {_shares(best)} orders"
        )

    def _checked(self, best: _Reading, what: str) -> MoneyChoice:
        goods, name = best.goods, best.total.column.name
        choice = MoneyChoice(
            goods.price.column, goods.of, quantity=goods.quantity.column if goods.quantity else None
        )
        choice.compared = [best.total.column]
        choice.why = f'because {_describe(best)} is the column "{name}"'
        choice.evidence.append(
            f'{_describe(best)} = column "{name}" to the smallest coin in {_shares(best)} {what}s that were '
            "compared"
        )
        choice.others = self._other_prices(goods)
        terms = best.explanation.terms
        for role in AMOUNTS:
            of_role = [term for term in terms if _as_amount(term) == role]
            if of_role:
                choice.amounts[role] = self._amount(of_role, f'it is part of the column "{name}"')
        fees = {term.column for term in terms if _as_amount(term) is None}
        if fees:
            choice.evidence.append(
                f"not imported, since the shopper does not pay it: {', '.join(sorted(fees))}"
            )
        self._add_rest(choice, best)
        return choice

    def _other_prices(self, goods: Goods) -> list[ColumnProfile]:
        return [each.price.column for each in self._table.goods if each.price is not goods.price][:4]

    def _add_rest(self, choice: MoneyChoice, best: _Reading) -> None:
        """Decide about named amounts that are not part of the total: it may be that of the goods alone."""
        for role in AMOUNTS:
            named = [each for each in self._table.of_role(role) if each.values.any()]
            if role in choice.amounts or not named:
                continue
            name = named[0].column.name
            if is_grand_total(best.total.column.name):
                inside = (
                    "it is not part of the total" if role == "shipping" else "it is in the prices already"
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
        goods = max(
            self._table.goods, key=lambda each: each.quality + self._table.scaling(each), default=None
        )
        choice = MoneyChoice(contradiction=contradiction)
        if goods is None:
            choice.quantity = self._table.quantities[0].column if self._table.quantities else None
            return choice
        choice.price, choice.price_of = goods.price.column, goods.of
        choice.quantity = goods.quantity.column if goods.quantity else None
        choice.why = "by its name" if goods.price.role else "because its values are amounts"
        if self._table.scaling(goods) > 0:
            times = "grow with the quantity" if goods.of == "line" else "are the same for all quantities"
            choice.why += f", and because the amounts of a product {times}"
        choice.others = self._other_prices(goods)
        for role in AMOUNTS:
            named = self._table.of_role(role)
            if named and role == "tax":
                self._decide_tax(choice)
            elif named:
                choice.amounts[role] = self._by_name(role, named)
        return choice

    def _decide_tax(self, choice: MoneyChoice) -> None:
        """Add the tax unless it is in the prices: no total says it, so rates and the currency must."""
        named = self._table.of_role("tax")
        goods = next(each for each in self._table.goods if each.price.column is choice.price)
        with_tax = self._table.is_line & (named[0].values > 0) & (goods.rows > 0)
        inside = is_inside_prices(named[0].values[with_tax], goods.rows[with_tax], self._table.coin)
        name, why = named[0].column.name, "its rate says so"
        if inside is None:
            outside = (self._table.known.tax_outside if self._table.known else []) or ["USD", "CAD"]
            inside = self._table.currency not in outside
            why = f"as usual for prices in {self._table.currency or 'this currency'}"
        if inside:
            choice.left_out["tax"] = f'"{name}" is not added to the prices, which include it: {why}'
        else:
            choice.amounts["tax"] = replace(self._by_name("tax", named), why=f"added to the prices: {why}")

    def _by_name(self, role: str, named: list[Numbers]) -> AmountChoice:
        """Return an amount of the columns that the known export gives, or of the first one."""
        listed = self._table.known.amounts.get(role) if self._table.known else None
        chosen = named if listed else named[:1]
        taken_off = [name[1:] for name in listed or [] if name.startswith("-")]
        less = [each for each in chosen if find_columns(taken_off, [each.column])]
        plus = [each for each in chosen if each not in less]
        levels = {self._table.level(each) for each in chosen if each.values.any()}
        is_negative = bool(plus) and plus[0].is_negative
        is_negative &= all(each.is_negative or not each.values.any() for each in plus)
        of = "order" if levels == {"order"} else "line"
        return AmountChoice(
            [each.column for each in plus], [each.column for each in less], of, is_negative, "by its name"
        )

    def _amount(self, terms: list[Term], why: str) -> AmountChoice:
        """Return the amount that these terms of one role are."""
        columns = {each.column.name: each.column for each in self._table.numbers}
        own = _as_amount(terms[0]) == "discount"
        plus = [columns[term.column] for term in terms if term.is_negated == own]
        less = [columns[term.column] for term in terms if term.is_negated != own]
        # A discount that is written as −5.00 has nothing but what is taken off.
        return AmountChoice(plus or less, less if plus else [], terms[0].of, not plus, why)

    def _readings(self, order: NDArray[np.int64], orders: int, live: NDArray[np.bool_]) -> Iterator[_Reading]:
        """Yield the best explanation of each total by each reading of the goods."""
        for goods in self._table.goods:
            sums = sum_by(order, orders, goods.rows)
            sold = sum_by(order, orders, (goods.rows != 0).astype(np.int64)) > 0
            explainer = Explainer(self._terms(goods, order, orders), orders, self._table.coin)
            for total in self._table.totals():
                same = is_same_in_orders(order, total.values, total.given)
                for of, is_possible in (("order", same), ("line", not same or len(order) <= orders)):
                    if total is goods.price or not is_possible:
                        continue
                    whole = self._table.per_order(total, of, order, orders)
                    known = live & sold & (whole != 0)
                    if known.sum() >= max(1, 0.8 * (live & sold).sum()):
                        explanation = explainer.explain(whole - sums, known)
                        if _is_possible(explanation):
                            yield _Reading(goods, total, of, explanation)

    def _terms(self, goods: Goods, order: NDArray[np.int64], orders: int) -> list[Term]:
        """Return the amounts that may lie between the goods and a total, the likeliest first."""
        found: list[Term] = []
        units = goods.quantity.values // 10**DIGITS if goods.quantity else np.ones(self._table.rows, np.int64)
        for each in self._table.numbers:
            is_other = each.role not in ("price", "quantity", "total") and (each.role or is_money(each))
            if each is goods.price or each is goods.quantity or not each.values.any() or not is_other:
                continue
            role, cost = _natural(each)
            same = is_same_in_orders(order, each.values, each.given)
            levels = [("order", 0)] if same else [("line", 0)]
            if same and not self._table.is_once(order, each):
                levels.append(("line", 1))
            if levels[-1][0] == "line" and role in ("discount", "tax") and (units > 1).any():
                levels.append(("unit", 1))
            for of, more in levels:
                of_rows = replace(each, values=each.values * units) if of == "unit" else each
                whole = self._table.per_order(of_rows, "line" if of == "unit" else of, order, orders)
                for sign in _signs(each.role if role != "fee" else role, each):
                    term_role = role or ("shipping" if sign > 0 and not each.is_negative else "discount")
                    found.append(Term(each.column.name, term_role, of, sign * whole, sign < 0, cost + more))
        return sorted(found, key=lambda term: term.cost)[:_MAX_TERMS]

    def _is_enough(self, reading: _Reading) -> bool:
        explanation = reading.explanation
        is_guess = any(term.cost > 2 for term in explanation.terms) or reading.total.role is None
        return explanation.share >= ENOUGH and (len(explanation.agrees) >= _FEW or not is_guess)


def _natural(each: Numbers) -> tuple[str | None, int]:
    """Return the role of an amount in a total, and what it costs to assume it."""
    if each.role in ("shipping", "tax") and each.is_negative:
        return "fee", 3
    if each.role == "shipping_discount":
        return "shipping", 1
    if each.role in AMOUNTS:
        return each.role, 1
    return each.role, 3 if each.role in ("fee", "refund") else 6


def _signs(role: str | None, each: Numbers) -> Iterable[int]:
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
    levels = {(role, term.of) for term in explanation.terms if (role := _as_amount(term))}
    return len(levels) == len({role for role, _ in levels})


def _shares(reading: _Reading) -> str:
    agrees = reading.explanation.agrees
    return f"{int(agrees.sum()):,} of {len(agrees):,}"


def _describe(reading: _Reading) -> str:
    """Return the reading as a formula: `Price × Qty − Discount + Shipping`."""
    goods = reading.goods
    units = f' × "{goods.quantity.column.name}"' if goods.of == "unit" and goods.quantity else ""
    terms = (f' {"−" if term.is_negated else "+"} "{term.column}"' for term in reading.explanation.terms)
    return f'"{goods.price.column.name}"{units}{"".join(terms)}'
