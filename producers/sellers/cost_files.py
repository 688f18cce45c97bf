"""Reads and writes the costs of a seller's products as CSV. Pure."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import InvalidOperation
from io import StringIO
from re import fullmatch

from common.ids import PRINTABLE
from common.money import InexactMoney, minor_digits, to_major, to_minor
from producers.sellers.costs import MAX_ROWS, Cost, NumberedCosts, ProductCosts
from producers.sellers.problems import BadCosts, RowError, TooManyCosts

COLUMNS = ("product_id", "unit_cost", "currency", "valid_from")
"""The columns, in the order in which they are written. `unit_cost` is in the main unit: 12.90."""

MAX_ID_CHARS = 128
_HEADER_ROW = 1
_BOM = "\ufeff"


def read_costs(text: str, currency: str) -> NumberedCosts:
    """Return the costs of a file with the columns `COLUMNS`, in any order; other columns are ignored.

    Rows are numbered as a spreadsheet does: the header is row 1. Columns are separated by commas, or by
    semicolons: a cost may then have a decimal comma, as in the files of a Portuguese spreadsheet. A row with
    a day and without a cost removes the cost of that day. A row without both is left out, so that the file
    of `write_costs` can be sent back as it is.

    Raises:
        BadCosts: the header lacks a column, or a row can't be used.
        TooManyCosts: there are more than `MAX_ROWS` rows with a cost or a day.
    """
    content = text.removeprefix(_BOM)
    delimiter = ";" if ";" in content.partition("\n")[0] else ","
    records = csv.reader(StringIO(content, newline=""), delimiter=delimiter, strict=True)
    costs: dict[int, Cost] = {}
    errors: list[RowError] = []
    try:
        header = [name.strip() for name in next(records, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            raise BadCosts([RowError(_HEADER_ROW, f"the header lacks the column {', '.join(missing)}")])
        for row, cells in enumerate(records, start=_HEADER_ROW + 1):
            values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            if not any(values.get(name) for name in ("unit_cost", "valid_from")):
                continue
            try:
                costs[row] = _cost(values, currency, decimal_comma=delimiter == ";")
            except ValueError as error:
                errors.append(RowError(row, str(error)))
            if len(costs) + len(errors) > MAX_ROWS:
                raise TooManyCosts(MAX_ROWS)
    except csv.Error as error:
        row = max((*costs, *(each.row for each in errors)), default=_HEADER_ROW) + 1
        errors.append(RowError(row, f"this or a later row is not CSV: {error}"))
    if errors:
        raise BadCosts(errors)
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


def _cost(values: Mapping[str, str], currency: str, decimal_comma: bool) -> Cost:
    """Raises ValueError: a value can't be used."""
    product_id = values.get("product_id", "")
    if not 0 < len(product_id) <= MAX_ID_CHARS or not fullmatch(PRINTABLE, product_id):
        raise ValueError(f"product_id must have 1 to {MAX_ID_CHARS} characters, and no control characters")
    try:
        valid_from = date.fromisoformat(values.get("valid_from", ""))
    except ValueError:
        raise ValueError("valid_from must be a day such as 2026-11-26") from None
    text = values.get("unit_cost", "")
    unit_cost_minor = _amount(text, currency, decimal_comma) if text else None
    return Cost(product_id, valid_from, unit_cost_minor, values.get("currency", ""))


def _amount(text: str, currency: str, decimal_comma: bool) -> int:
    amount = text.replace(",", ".") if decimal_comma and text.count(",") == 1 and "." not in text else text
    decimals = minor_digits(currency)
    if not fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", amount):
        raise ValueError(f"unit_cost {text!r} is not an amount such as {to_major(1290, currency)}")
    try:
        minor = to_minor(amount, currency)
    except (InexactMoney, InvalidOperation):
        raise ValueError(f"unit_cost {text!r} has more than the {decimals} decimals of {currency}") from None
    if minor < 0:
        raise ValueError(f"unit_cost {text!r} is below 0")
    return minor
