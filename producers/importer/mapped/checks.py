"""Checks an import against the tables' own totals: orders, shoppers, units and money."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.money import format_money
from producers.importer.dataset import Check
from producers.importer.mapped.arithmetic import (
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
from producers.importer.mapped.cells import UNREADABLE, Memo, has_value, number_parser
from producers.importer.mapped.column_roles import is_grand_total, role_of
from producers.importer.mapped.events.source import EventSource
from producers.importer.mapped.joined import ColumnReader, open_joins
from producers.importer.mapped.line_reader import CANCELLED, OTHER_STATUS
from producers.kit.tables.numbers import Separator

_Show = Callable[[int], str]

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


class _Checker:
    """The amounts of the imported orders, in units of 10^-`DIGITS`, beside the columns of the tables."""

    def __init__(self, source: EventSource, directory: Path) -> None:
        self._mapping = mapping = source.mapping
        self._coin = coin_of(mapping.currency.only)
        self.orders, self._lines, self._table = source.orders, source.lines, source.table
        self._order_of_row = self._orders_of_rows()
        self._is_line = np.zeros(len(self._table), bool)
        self._is_line[self._lines.row] = True
        returned = np.zeros(len(self.orders), bool)
        for each in source.returns:
            returned[each.order] = True
        self.live = (self.orders.status == OTHER_STATUS) & ~returned
        if not self.live.any():
            self.live = np.ones(len(self.orders), bool)
        self._columns = list(self._read_columns(directory))

    def counts(self) -> Iterator[Check]:
        """Yield how many orders, shoppers and units there are."""
        orders, status = self.orders, self.orders.status
        distinct = len(np.unique(self._table.fields["order"][self._table.fields["order"] >= 0]))
        text = f"{len(orders):,} orders"
        if self._mapping.order.column:
            columns = ", ".join(f'"{name}"' for name in self._mapping.order.column)
            text += f" of {distinct:,} different values in {columns}"
        ended = int((status == CANCELLED).sum())
        text += f", {ended:,} of them cancelled" if ended else ""
        yield Check(text, agrees=None)
        known = orders.shopper[orders.shopper >= 0]
        if self._mapping.shopper:
            guests = f", {len(orders) - len(known):,} orders of guests" if len(known) < len(orders) else ""
            yield Check(f"{len(np.unique(known)):,} shoppers{guests}")
        yield Check(f"{int(self._lines.quantity.sum()):,} units in {len(self._lines):,} lines")

    def money(self, currency: str, locale: str) -> Iterator[Check]:
        """Yield which columns equal what the shoppers pay, and which total does not."""
        lines = self._lines
        per_order = {name: self._per_order(values) for name, values in
                     (("total", lines.amount_minor), ("discount", lines.discount_minor),
                      ("shipping", lines.shipping_minor), ("tax", lines.tax_minor))}  # fmt: skip
        terms = [Term(f"the {name}", name, "order", sign * per_order[name])
                 for name, sign in (("discount", 1), ("shipping", -1), ("tax", -1))]  # fmt: skip
        terms += self._terms()
        explainer = Explainer(terms, len(self.orders), self._coin)
        found: list[tuple[_Column, Explanation, Amounts]] = []
        refused: list[tuple[_Column, Explanation, Amounts]] = []
        for column in self._columns:
            if column.role not in ("total", None):
                continue
            best = max(
                self._explain(column, explainer, per_order["total"]), key=lambda e: e[0].share, default=None
            )
            if best is None:
                continue
            enough = best[0].share >= ENOUGH and (column.role or best[0].cost <= 1) and column.values.any()
            (found if enough else refused).append((column, *best))
        total = int(per_order["total"][self.live].sum())

        def show(amount: int) -> str:
            return format_money(amount // self._coin, currency, locale)

        whole = f"{show(total)} in {int(self.live.sum()):,} orders"
        found.sort(key=lambda each: (each[1].cost, not is_grand_total(each[0].name)))
        for column, explanation, values in found[:4]:
            yield self._agreeing(column, explanation, values, per_order["total"], whole, show)
        if found:
            yield from self._unpaid(found[0][0], found[0][2], per_order["total"], show)
        refused = [each for each in refused if each[0].role == "total" and _is_telling(each[0].name)]
        for column, explanation, values in refused[:4]:
            yield self._differing(column, explanation, values, per_order["total"], show)
        if not found and not refused:
            yield Check(f"{whole}: nothing in the tables checks it, since no column is a total")

    def _agreeing(
        self,
        column: _Column,
        explanation: Explanation,
        values: Amounts,
        totals: Amounts,
        whole: str,
        show: _Show,
    ) -> Check:
        compared, agreeing = len(explanation.agrees), int(explanation.agrees.sum())
        parts = "".join(
            f" {'+' if not _is_taken_off(term) else '−'} {_name(term)}" for term in explanation.terms
        )
        said = show(int(values.sum()))
        text = f'{whole}{parts} = column "{column.name}" ({said}), '
        text += f"to the smallest coin in {agreeing:,} of {compared:,}"
        if agreeing < compared:
            text += f"; not in {self._examples(explanation, values, totals, show)}"
        return Check(text, agrees=True)

    def _unpaid(self, column: _Column, values: Amounts, totals: Amounts, show: _Show) -> Iterator[Check]:
        """Yield which orders have goods, but nothing in the column that all other orders agree with."""
        unpaid = np.flatnonzero(self.live & (values == 0) & (totals != 0))
        if len(unpaid):
            ids = self._table.codes["order"].values()
            shown = ", ".join(str(ids[self.orders.code[order]]) for order in unpaid[:_SHOWN_ORDERS].tolist())
            more = ", …" if len(unpaid) > _SHOWN_ORDERS else ""
            text = (
                f"{len(unpaid):,} orders of {show(int(totals[unpaid].sum()))} have no amount in "
                f'"{column.name}" ({shown}{more}): if they were cancelled, say so by `status`'
            )
            yield Check(text, agrees=False)

    def _differing(
        self, column: _Column, explanation: Explanation, values: Amounts, totals: Amounts, show: _Show
    ) -> Check:
        compared = len(explanation.agrees)
        differing = compared - int(explanation.agrees.sum())
        examples = self._examples(explanation, values, totals, show)
        text = f'column "{column.name}" is another amount in {differing:,} of {compared:,} orders: {examples}'
        return Check(text, agrees=False)

    def _examples(self, explanation: Explanation, values: Amounts, totals: Amounts, show: _Show) -> str:
        """Return some orders that differ, with both amounts."""
        expected = sum((term.amounts for term in explanation.terms), totals)
        differing = np.flatnonzero(self.live & (values != 0))[~explanation.agrees]
        ids = self._table.codes["order"].values()
        shown = [
            f"{ids[self.orders.code[order]]} ({show(int(expected[order]))} for {show(int(values[order]))})"
            for order in differing[:_SHOWN_ORDERS].tolist()
        ]
        return ", ".join(shown) + (", …" if len(differing) > _SHOWN_ORDERS else "")

    def _explain(
        self, column: _Column, explainer: Explainer, totals: Amounts
    ) -> Iterator[tuple[Explanation, Amounts]]:
        same = is_same_in_orders(self._order_of_row, column.values, column.given)
        for of in ("order", "line") if same else ("line",):
            values = self._whole(column, of)
            known = self.live & (values != 0)
            if known.sum() >= max(1, 0.8 * self.live.sum()):
                yield explainer.explain(values - totals, known), np.where(self.live, values, 0)

    def _whole(self, column: _Column, of: str) -> Amounts:
        if of == "order":
            return first_given(self._order_of_row, len(self.orders), column.values, column.given)
        return sum_of_rows(self._order_of_row, len(self.orders), np.where(self._is_line, column.values, 0))

    def _terms(self) -> Iterator[Term]:
        """Yield the columns that are not imported, and may be part of a total: fees, refunds, a tax "
        "inside."""
        for column in self._columns:
            if column.role in (None, "total", "price", "quantity") or not column.values.any():
                continue
            same = is_same_in_orders(self._order_of_row, column.values, column.given)
            whole = self._whole(column, "order" if same else "line")
            signs = (1,) if (column.values < 0).any() else (1, -1)
            for sign in signs:
                yield Term(f'"{column.name}"', column.role, "order", sign * whole, sign < 0, 2)

    def _per_order(self, minor: NDArray[np.int64]) -> Amounts:
        sums: Amounts = np.zeros(len(self.orders), np.int64)
        np.add.at(sums, self._lines.order, minor * self._coin)
        return sums

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
        if not wanted:
            return
        read: dict[str, list[NDArray[np.int64]]] = {name: [] for name in wanted}
        memos: dict[Separator, Memo] = {}
        for batch, decimals in self._batches(wanted, directory):
            for name in wanted:
                decimal = decimals.get(name, ".")
                parse = memos.setdefault(
                    decimal, Memo(number_parser(decimal, DIGITS), frozenset(mapping.missing) | {""})
                )
                read[name].append(parse.read(batch[name]))
        for name, parts in read.items():
            values = np.concatenate(parts)
            given = has_value(values)
            yield _Column(name, role_of(name), np.where(given, values, 0), given)

    def _numeric(self, names: list[str], directory: Path) -> list[str]:
        """Return the columns whose first cells are numbers."""
        numeric: list[str] = []
        for batch, decimals in self._batches(names, directory):
            for name in names:
                parse = number_parser(decimals.get(name, "."), DIGITS)
                texts = [
                    text.strip()
                    for text in batch[name][:_PROBE_ROWS]
                    if text.strip() not in self._mapping.missing
                ]
                readable = sum(parse(text) != UNREADABLE for text in texts)
                if texts and readable >= _NUMBER_SHARE * len(texts):
                    numeric.append(name)
            break
        return numeric

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
    checker = _Checker(source, directory)
    return [*checker.counts(), *checker.money(source.mapping.currency.only, locale)]


def _name(term: Term) -> str:
    return term.column


def _is_taken_off(term: Term) -> bool:
    return term.is_negated or (term.column.startswith("the ") and term.role in ("shipping", "tax"))


def _is_telling(name: str) -> bool:
    """Whether a total's name says that it is what the shopper pays, or a part of it."""
    words = set(name.casefold().replace("_", " ").split())
    return not words & {"net", "adjusted", "due", "paid", "spent", "balance", "outstanding", "base", "payout"}
