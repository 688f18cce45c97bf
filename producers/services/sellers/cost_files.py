"""Reads and writes the costs of a seller's products as CSV. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

from common.ids import MAX_ID_LENGTH, is_id
from common.money import minor_digits, to_major
from producers.kit.tables.files import DELIMITERS, stated_delimiter
from producers.kit.tables.numbers import (
    NotANumber,
    Separator,
    decimal_separator,
    read_number,
    scaled,
    separator_of,
)
from producers.kit.tables.times import DateOrder, NotATime, date_order, read_time
from producers.services.sellers.costs import MAX_ROWS, Cost, NumberedCosts, ProductCosts
from producers.services.sellers.problems import BadCosts, RowError, TooManyCosts

COLUMNS = ("product_id", "unit_cost", "currency", "valid_from")
"""The columns, in the order in which they are written. `unit_cost` is in the main unit: 12.90."""

_MAX_AMOUNT = 10**15
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOM = "\ufeff"


def read_costs(text: str, currency: str) -> NumberedCosts:
    """Return the costs of a file with the columns `COLUMNS`, in any order; other columns are ignored.

    Rows are numbered as a spreadsheet does: the first line is row 1. Columns are separated as the header
    says: by commas, semicolons, tabs or bars. Costs and days are read as spreadsheets of many countries write
    them (`12,50`, `R$ 1.234,50`, `26/11/2026`); the file settles what a cell alone does not say. A row with a
    day and without a cost removes the cost of that day. A row without both is left out, so that the file of
    `write_costs` can be sent back as it is.

    Raises:
        BadCosts: the header lacks a column, or a row can't be used.
        TooManyCosts: there are more than `MAX_ROWS` rows with a cost or a day.
    """
    rows, delimiter, errors = _read_rows(text)
    if len(rows) + len(errors) > MAX_ROWS:
        raise TooManyCosts(MAX_ROWS)
    written = _Written.of([*rows.values()], delimiter)
    costs: dict[int, Cost] = {}
    for row, values in rows.items():
        try:
            costs[row] = _cost(values, currency, written)
        except ValueError as error:
            errors.append(RowError(row, str(error)))
    if errors:
        raise BadCosts(sorted(errors, key=lambda error: error.row))
    return costs


def write_costs(products: Iterable[ProductCosts], currency: str) -> str:
    """Return a file with a row for each cost, and an empty one for each product without a cost."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(products, currency))
    return text.getvalue()


def _rows(products: Iterable[ProductCosts], currency: str) -> Iterator[tuple[str, ...]]:
    for product in products:
        if not product.costs:
            yield product.product_id, "", currency, ""
        for valid_from, unit_cost_minor in product.costs:
            yield product.product_id, f"{to_major(unit_cost_minor, currency):f}", currency, f"{valid_from}"


def _read_rows(text: str) -> tuple[dict[int, dict[str, str]], str, list[RowError]]:
    """Return the values of each row with a cost or a day by its number, the delimiter, and what is not CSV.

    Raises:
        BadCosts: the header lacks a column.
    """
    lines = text.removeprefix(_BOM).splitlines(keepends=True)
    before = next((number for number, line in enumerate(lines) if not _is_before_header(line)), len(lines))
    header_line = lines[before] if before < len(lines) else ""
    delimiter = max(DELIMITERS, key=lambda each: len(_header(header_line, each) & set(COLUMNS)))
    row = before + 1
    if missing := [name for name in COLUMNS if name not in _header(header_line, delimiter)]:
        raise BadCosts([RowError(row, f"the header lacks the column {', '.join(missing)}")])
    records = csv.reader(StringIO("".join(lines[before:]), newline=""), delimiter=delimiter, strict=True)
    rows: dict[int, dict[str, str]] = {}
    try:
        header = [name.strip() for name in next(records)]
        for row, cells in enumerate(records, start=before + 2):
            values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            if values.get("unit_cost") or values.get("valid_from"):
                rows[row] = values
    except csv.Error as error:
        return rows, delimiter, [RowError(row + 1, f"this or a later row is not CSV: {error}")]
    return rows, delimiter, []


def _is_before_header(line: str) -> bool:
    return not line.strip(' ,;\t\r\n"') or stated_delimiter(line) is not None


def _header(line: str, delimiter: str) -> set[str]:
    try:
        return {name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])}
    except csv.Error:
        return set()


@dataclass(frozen=True)
class _Written:
    """How a file writes numbers and days; None if nothing says it."""

    decimal: Separator | None
    order: DateOrder | None

    @staticmethod
    def of(rows: Sequence[Mapping[str, str]], delimiter: str) -> "_Written":
        """Find it out by the unambiguous cells, or else by the delimiter of the country's spreadsheets.

        Spreadsheets write semicolons where the comma is the decimal separator; there, the day comes first.
        """
        amounts = {values.get("unit_cost", "") for values in rows}
        decimal = decimal_separator(amounts)
        if decimal is None and delimiter == "," and not any(map(separator_of, amounts)):
            decimal = "."
        days = {values.get("valid_from", "") for values in rows}
        order = date_order(day for day in days if not _ISO_DAY.fullmatch(day))
        if order is None and (delimiter == ";" or decimal == ","):
            order = "day_first"
        return _Written(decimal, order)


def _cost(values: Mapping[str, str], currency: str, written: _Written) -> Cost:
    """Raises ValueError: a value can't be used."""
    product_id = values.get("product_id", "")
    if not is_id(product_id):
        raise ValueError(f"product_id must have 1 to {MAX_ID_LENGTH} characters, and no control characters")
    valid_from = _day(values.get("valid_from", ""), written.order)
    text = values.get("unit_cost", "")
    unit_cost_minor = _amount(text, currency, written.decimal) if text else None
    return Cost(product_id, valid_from, unit_cost_minor, values.get("currency", ""))


def _day(text: str, order: DateOrder | None) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    orders: tuple[DateOrder, ...] = (order,) if order else ("day_first", "month_first")
    found = {read_time(text, each, UTC) for each in orders} - set(NotATime)
    if not found:
        raise ValueError("valid_from must be a day such as 2026-11-26")
    days = sorted(moment.date() for moment in found if isinstance(moment, datetime))
    if len(days) > 1:
        raise ValueError(f"valid_from {text!r} may be {days[0]} or {days[1]}: write the year first")
    return days[0]


def _amount(text: str, currency: str, decimal: Separator | None) -> int:
    amount = read_number(text, decimal)
    example = to_major(1290, currency)
    if amount is NotANumber.AMBIGUOUS:
        raise ValueError(f"unit_cost {text!r} may have a decimal separator or not: write it as {example}")
    if not isinstance(amount, Decimal) or abs(amount) > _MAX_AMOUNT:
        raise ValueError(f"unit_cost {text[:40]!r} is not an amount such as {example}")
    decimals = minor_digits(currency)
    minor = scaled(amount, decimals)
    if minor is None:
        raise ValueError(f"unit_cost {text!r} has more than the {decimals} decimals of {currency}")
    if minor < 0:
        raise ValueError(f"unit_cost {text!r} is below 0")
    return minor
