"""What a seller pays for its products: the rows of a request, checked before any is stored, and as CSV."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from common.ids import MAX_ID_LENGTH, is_id
from common.money import minor_digits, to_major
from producers.kit.listings import MAX_PRICE_MINOR
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
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
from producers.services.sellers.problems import TOO_MANY_COSTS, BadCosts, RowError

MAX_ROWS = 5_000
"""Limit of costs in one request."""

MAX_DATES = 100
"""Limit of costs of one product, removed ones included."""

MAX_COST_MINOR = MAX_PRICE_MINOR

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days from which a cost can be valid."""

COLUMNS = ("product_id", "unit_cost", "currency", "valid_from")
"""The columns, in the order in which they are written. `unit_cost` is in the main unit: 12.90."""

_MAX_AMOUNT = 10**15
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOM = "\ufeff"


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
class UnitCost:
    """What a unit costs from a day of the shop on."""

    unit_cost_minor: int
    valid_from: date


@dataclass(frozen=True, slots=True)
class ProductCosts:
    """A product of a seller, with its costs, oldest first. Not `listed`: it was delisted."""

    product_id: str
    listed: bool
    costs: list[UnitCost]


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


async def find_costs(sql: Any, seller_id: str, after: str, limit: int, currency: str) -> list[ProductCosts]:
    """Return at most `limit` products of a seller after a product id, with their costs in a currency."""
    products: dict[str, ProductCosts] = {}
    for row in await _find_costs(sql, seller_id, after, limit, currency):
        product = products.setdefault(row["product_id"], ProductCosts(row["product_id"], row["listed"], []))
        if row["valid_from"] is not None:
            product.costs.append(UnitCost(row["unit_cost_minor"], row["valid_from"]))
    return [*products.values()]


@statement("""
    SELECT listing.product_id, listing.listed, found.valid_from, found.unit_cost_minor
    FROM (
        SELECT product_id, listed
        FROM listings
        WHERE seller_id = $seller_id::text AND product_id > $after::text
        ORDER BY product_id
        LIMIT $limit::integer
    ) AS listing
    LEFT JOIN product_costs AS found
        ON found.seller_id = $seller_id::text AND found.product_id = listing.product_id
            AND found.currency = $currency::text AND found.unit_cost_minor IS NOT NULL
    ORDER BY listing.product_id, found.valid_from
""")
async def _find_costs(
    sql: Any, seller_id: str, after: str, limit: int, currency: str
) -> list[dict[str, Any]]:
    """Return a row for each cost of the products, and one for a product without a cost."""


@statement("""
    SELECT product_id
    FROM unnest($costs.product_id::text[]) AS given (product_id)
    WHERE NOT EXISTS (
        SELECT FROM listings
        WHERE listings.product_id = given.product_id AND listings.seller_id = $seller_id::text
    )
""")
async def find_unlisted(tx: Transaction, seller_id: str, costs: Sequence[Cost]) -> frozenset[str]:
    """Return the products of these costs that the seller has never listed."""


@statement("""
    INSERT INTO product_costs AS stored
        (seller_id, product_id, valid_from, currency, unit_cost_minor, version, changed_at)
    SELECT $seller_id::text, product_id, valid_from, $currency::text, unit_cost_minor, 1, $tx.now::timestamptz
    FROM unnest($costs.product_id::text[], $costs.valid_from::date[], $costs.unit_cost_minor::bigint[])
        AS given (product_id, valid_from, unit_cost_minor)
    WHERE unit_cost_minor IS NOT NULL
        OR EXISTS (
            SELECT FROM product_costs AS found
            WHERE found.seller_id = $seller_id::text AND found.product_id = given.product_id
                AND found.valid_from = given.valid_from
        )
    ON CONFLICT (seller_id, product_id, valid_from) DO UPDATE
    SET currency = excluded.currency, unit_cost_minor = excluded.unit_cost_minor,
        version = stored.version + 1, changed_at = excluded.changed_at
    WHERE (stored.currency, stored.unit_cost_minor)
        IS DISTINCT FROM (excluded.currency, excluded.unit_cost_minor)
    RETURNING product_id, valid_from, unit_cost_minor, version
""")
async def save_costs(
    tx: Transaction, seller_id: str, costs: Sequence[Cost], currency: str
) -> list[SavedCost]:
    """Save costs of a locked seller; return those that have changed.

    Removing a cost that is not there changes nothing.
    """


@statement("""
    SELECT product_id
    FROM product_costs
    WHERE seller_id = $seller_id::text AND product_id = ANY ($costs.product_id::text[])
    GROUP BY product_id
    HAVING count(*) > $limit::integer
    ORDER BY product_id
""")
async def find_overfull_products(
    tx: Transaction, seller_id: str, costs: Sequence[Cost], limit: int
) -> frozenset[str]:
    """Return the products of these costs that have more than `limit` costs now."""


def read_costs(text: str, currency: str) -> NumberedCosts:
    """Return the costs of a file with the columns `COLUMNS`, in any order; other columns are ignored.

    Rows are numbered as a spreadsheet does: the first line is row 1. Columns are separated as the header
    says: by commas, semicolons, tabs or bars. Costs and days are read as spreadsheets of many countries write
    them (`12,50`, `R$ 1.234,50`, `26/11/2026`); the file settles what a cell alone does not say. A row with a
    day and without a cost removes the cost of that day. A row without both is left out, so that the file of
    `write_costs` can be sent back as it is.

    Raises:
        BadCosts: the header lacks a column, or a row can't be used.
        TOO_MANY_COSTS: there are more than `MAX_ROWS` rows with a cost or a day.
    """
    rows, delimiter, errors = _read_rows(text)
    if len(rows) + len(errors) > MAX_ROWS:
        raise TOO_MANY_COSTS(limit=MAX_ROWS)
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
        for cost in product.costs:
            yield (
                product.product_id,
                f"{to_major(cost.unit_cost_minor, currency):f}",
                currency,
                f"{cost.valid_from}",
            )


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
