"""Checks an import against the tables' own totals: orders, shoppers, units and money."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from common.money import format_money
from producers.importer.columns import first_by, sum_by
from producers.importer.dataset import Check
from producers.importer.mapped.arithmetic import (
    DIGITS,
    ENOUGH,
    Amounts,
    Explainer,
    Explanation,
    Term,
    coin_of,
    is_same_in_orders,
)
from producers.importer.mapped.cells import UNREADABLE, Memo, has_value, number_parser
from producers.importer.mapped.column_roles import is_grand_total, is_paid_total, role_of
from producers.importer.mapped.events import EventSource
from producers.importer.mapped.joined import ColumnReader, open_joins
from producers.importer.mapped.line_table import CANCELLED, OTHER_STATUS
from producers.kit.tables.numbers import Separator

_MAX_COLUMNS = 40
_PROBE_ROWS = 2_000
_NUMBER_SHARE = 0.9
_SHOWN_ORDERS = 3


@dataclass(frozen=True)
class _Column:
    name: str
    role: str | None
    values: Amounts
    given: NDArray[np.bool_]


@dataclass(frozen=True)
class _Comparison:
    """A column's amount of each order, and the terms between it and what the shopper pays."""

    column: _Column
    explanation: Explanation
    values: Amounts

    @property
    def agrees(self) -> bool:
        """Whether enough orders agree, and not by chance."""
        is_likely = bool(self.column.role) or self.explanation.cost <= 1
        return self.explanation.share >= ENOUGH and is_likely and bool(self.column.values.any())


class _Checker:
    """The amounts of the imported orders, in units of 10^-`DIGITS`, beside the columns of the tables."""

    def __init__(self, source: EventSource, directory: Path, locale: str) -> None:
        self._mapping = mapping = source.mapping
        self._locale = locale
        self._coin = coin_of(mapping.currency.only)
        self.orders, self._lines, self._table = source.orders, source.lines, source.table
        self._totals = self._per_order(self._lines.amount_minor)
        self._order_of_row = self._orders_of_rows()
        self._is_line = np.isin(np.arange(len(self._table)), self._lines.row)
        returned = np.isin(np.arange(len(self.orders)), [each.order for each in source.returns])
        self.live = (self.orders.status == OTHER_STATUS) & ~returned
        if not self.live.any():
            self.live = np.ones(len(self.orders), bool)
        self._columns = list(self._read_columns(directory))

    def counts(self) -> Iterator[Check]:
        """Yield how many orders, shoppers and units there are."""
        orders, codes = self.orders, self._table.fields["order"]
        text = f"{len(orders):,} orders"
        if self._mapping.order.column:
            columns = ", ".join(f'"{name}"' for name in self._mapping.order.column)
            text += f" of {len(np.unique(codes[codes >= 0])):,} different values in {columns}"
        if ended := int((orders.status == CANCELLED).sum()):
            text += f", {ended:,} of them cancelled"
        yield Check(text)
        known = orders.shopper[orders.shopper >= 0]
        if self._mapping.shopper:
            guests = f", {len(orders) - len(known):,} orders of guests" if len(known) < len(orders) else ""
            yield Check(f"{len(np.unique(known)):,} shoppers{guests}")
        yield Check(f"{int(self._lines.quantity.sum()):,} units in {len(self._lines):,} lines")

    def money(self) -> Iterator[Check]:
        """Yield which columns equal what the shoppers pay, and which total does not."""
        lines = self._lines
        own = (
            ("discount", lines.discount_minor, 1),
            ("shipping", lines.shipping_minor, -1),
            ("tax", lines.tax_minor, -1),
        )
        terms = [
            Term(f"the {name}", name, "order", sign * self._per_order(minor)) for name, minor, sign in own
        ]
        explainer = Explainer([*terms, *self._terms()], len(self.orders), self._coin)
        of_columns = (
            self._compare(column, explainer) for column in self._columns if column.role in ("total", None)
        )
        best = [
            max(comparisons, key=lambda each: each.explanation.share)
            for each in of_columns
            if (comparisons := list(each))
        ]
        found = [each for each in best if each.agrees]
        refused = [each for each in best if not each.agrees and _is_checked_total(each.column)]
        whole = f"{self._show(self._totals[self.live].sum())} in {int(self.live.sum()):,} orders"
        found.sort(key=lambda each: (each.explanation.cost, not is_grand_total(each.column.name)))
        for each in found[:4]:
            yield self._agreeing(each, whole)
        if found:
            yield from self._unpaid(found[0])
        for each in refused[:4]:
            yield self._differing(each)
        if not found and not refused:
            yield Check(f"{whole}: nothing in the tables checks it, since no column is a total")

    def _show(self, amount: Any) -> str:
        return format_money(int(amount) // self._coin, self._mapping.currency.only, self._locale)

    def _agreeing(self, found: _Comparison, whole: str) -> Check:
        agrees = found.explanation.agrees
        parts = "".join(
            f" {'−' if _is_taken_off(term) else '+'} {term.column}" for term in found.explanation.terms
        )
        text = f'{whole}{parts} = column "{found.column.name}" ({self._show(found.values.sum())}), '
        text += f"to the smallest coin in {int(agrees.sum()):,} of {len(agrees):,}"
        if not agrees.all():
            text += f"; not in {self._examples(found)}"
        return Check(text, agrees=True)

    def _unpaid(self, found: _Comparison) -> Iterator[Check]:
        """Yield which orders have goods, but nothing in the column that all other orders agree with."""
        unpaid = np.flatnonzero(self.live & (found.values == 0) & (self._totals != 0))
        if len(unpaid):
            ids = self._table.codes["order"].values()
            shown = ", ".join(str(ids[self.orders.code[order]]) for order in unpaid[:_SHOWN_ORDERS].tolist())
            more = ", …" if len(unpaid) > _SHOWN_ORDERS else ""
            text = (
                f"{len(unpaid):,} orders of {self._show(self._totals[unpaid].sum())} have no amount in "
                f'"{found.column.name}" ({shown}{more}): if they were cancelled, say so by `status`'
            )
            yield Check(text, agrees=False)

    def _differing(self, refused: _Comparison) -> Check:
        agrees = refused.explanation.agrees
        text = f'column "{refused.column.name}" is another amount in {int((~agrees).sum()):,} of '
        text += f"{len(agrees):,} orders: {self._examples(refused)}"
        return Check(text, agrees=False)

    def _examples(self, compared: _Comparison) -> str:
        """Return some orders that differ, with both amounts."""
        values, explanation = compared.values, compared.explanation
        expected = sum((term.amounts for term in explanation.terms), self._totals)
        differing = np.flatnonzero(self.live & (values != 0))[~explanation.agrees]
        ids = self._table.codes["order"].values()
        shown = [
            f"{ids[self.orders.code[order]]} ({self._show(expected[order])} for {self._show(values[order])})"
            for order in differing[:_SHOWN_ORDERS].tolist()
        ]
        return ", ".join(shown) + (", …" if len(differing) > _SHOWN_ORDERS else "")

    def _compare(self, column: _Column, explainer: Explainer) -> Iterator[_Comparison]:
        """Yield the comparisons of a column as an amount of whole orders, if it may be one, and of lines."""
        same = is_same_in_orders(self._order_of_row, column.values, column.given)
        for of in ("order", "line") if same else ("line",):
            values = self._whole(column, of)
            known = self.live & (values != 0)
            if known.sum() >= max(1, 0.8 * self.live.sum()):
                explanation = explainer.explain(values - self._totals, known)
                yield _Comparison(column, explanation, np.where(self.live, values, 0))

    def _whole(self, column: _Column, of: str) -> Amounts:
        if of == "order":
            return first_by(self._order_of_row, len(self.orders), column.values, column.given, 0)
        return sum_by(self._order_of_row, len(self.orders), np.where(self._is_line, column.values, 0))

    def _terms(self) -> Iterator[Term]:
        """Yield the columns that are not imported, but may be a part of a total: fees, refunds, a tax."""
        for column in self._columns:
            if column.role not in (None, "total", "price", "quantity") and column.values.any():
                same = is_same_in_orders(self._order_of_row, column.values, column.given)
                whole = self._whole(column, "order" if same else "line")
                for sign in (1,) if (column.values < 0).any() else (1, -1):
                    yield Term(f'"{column.name}"', column.role, "order", sign * whole, sign < 0, 2)

    def _per_order(self, minor: NDArray[np.int64]) -> Amounts:
        return sum_by(self._lines.order, len(self.orders), minor * self._coin)

    def _orders_of_rows(self) -> NDArray[np.int64]:
        """Return the order of each row, also of rows that are not used; -1 if it has none."""
        table = self._table
        index = np.full(len(table.codes["order"]) + 1, -1, np.int64)
        index[self.orders.code] = np.arange(len(self.orders))
        result: NDArray[np.int64] = index[np.maximum(table.fields["order"], -1)]
        result[self._lines.row] = self._lines.order
        return result

    def _read_columns(self, directory: Path) -> Iterator[_Column]:
        """Read the columns of numbers that the mapping does not use."""
        table, mapping = self._table, self._mapping
        used = {name for columns in mapping.columns().values() for name in columns}
        headers = [file.header for file in (*table.files[:1], *(each.file for each in table.joined))]
        names = list(dict.fromkeys(name for header in headers for name in header))
        keys = {join.key_column for join in mapping.joins} | {join.on for join in mapping.joins}
        shared = {name for name in names if sum(name in header for header in headers[1:]) > 1}
        free = [name for name in names if name and name not in used | keys | shared]
        free.sort(key=lambda name: role_of(name) is None)
        wanted = self._numeric(free, directory)[:_MAX_COLUMNS]
        read: dict[str, list[NDArray[np.int64]]] = {name: [] for name in wanted}
        memos = {
            decimal: Memo(number_parser(decimal, DIGITS), frozenset(mapping.missing) | {""})
            for decimal in get_args(Separator)
        }
        for batch, decimals in self._batches(wanted, directory) if wanted else ():
            for name in wanted:
                read[name].append(memos[decimals.get(name, ".")].read(batch[name]))
        for name, parts in read.items():
            values = np.concatenate(parts)
            given = has_value(values)
            yield _Column(name, role_of(name), np.where(given, values, 0), given)

    def _numeric(self, names: list[str], directory: Path) -> list[str]:
        """Return the columns whose first cells are numbers."""
        batch, decimals = next(self._batches(names, directory))

        def is_numeric(name: str) -> bool:
            parse = number_parser(decimals.get(name, "."), DIGITS)
            texts = [text.strip() for text in batch[name][:_PROBE_ROWS]]
            given = [text for text in texts if text not in self._mapping.missing]
            readable = sum(parse(text) != UNREADABLE for text in given)
            return bool(given) and readable >= _NUMBER_SHARE * len(given)

        return [name for name in names if is_numeric(name)]

    def _batches(
        self, names: list[str], directory: Path
    ) -> Iterator[tuple[dict[str, Sequence[str]], dict[str, Separator]]]:
        """Yield the cells of columns, for each batch of rows, and their decimal separators."""
        table, mapping = self._table, self._mapping
        joined = open_joins(mapping.joins, directory, table.files[0], set(names))
        for file in table.files:
            own = {
                name for name in names if name in file.header or any(name in each.columns for each in joined)
            }
            reader = ColumnReader(file, joined, own)
            for batch in file.batches():
                rows = [row if len(row) == len(file.header) else [""] * len(file.header) for row in batch]
                get = reader.read(rows)
                empty = [""] * len(rows)
                yield {name: get(name) if name in own else empty for name in names}, reader.decimals


def check_totals(source: EventSource, directory: Path, locale: str = "en") -> list[Check]:
    """Return how much is imported, what of it agrees with the tables' own totals, and what does not.

    Raises:
        UserError: a file can't be read.
    """
    if not len(source.orders):
        return [Check("no order is imported", agrees=False)]
    checker = _Checker(source, directory, locale)
    return [*checker.counts(), *checker.money()]


def _is_taken_off(term: Term) -> bool:
    return term.is_negated or (term.column.startswith("the ") and term.role in ("shipping", "tax"))


def _is_checked_total(column: _Column) -> bool:
    return column.role == "total" and is_paid_total(column.name)
