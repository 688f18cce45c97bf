"""The rules that each row must fulfil by itself, before rows become orders."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from producers.importer.mapped.cells import (
    AMBIGUOUS,
    BAD_CODE,
    EMPTY,
    NO_CODE,
    NO_ID,
    UNKNOWN_ZONE,
    UNREADABLE,
    Integers,
    has_value,
)
from producers.importer.mapped.line_table import PRICE_DIGITS, LineTable
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.outcomes import Mask, Outcomes
from producers.kit.listings import MAX_PRICE_MINOR

MAX_QUANTITY = 1_000_000
MAX_LINE_MINOR = 10**14
"""The largest amount of a line, in the currency's smallest coin."""

EARLIEST_MS = 86_400_000
"""The earliest time, in Unix milliseconds: the second day of 1970."""


@dataclass(frozen=True)
class CheckedLines:
    """What the rules derive of each row. Values of rejected rows have no meaning.

    `amount_minor` is quantity times price, exact, and never negative; a return's `units` are, too.
    """

    is_return: Mask
    is_shipping: Mask
    units: NDArray[np.int64]
    amount_minor: NDArray[np.int64]
    discount_minor: NDArray[np.int64]


def check_rows(table: LineTable, mapping: Mapping, outcomes: Outcomes, now_ms: int) -> CheckedLines:
    """Reject the rows that can't be used, and return what the rules derive of the others.

    A time after `now_ms` is rejected: it would be later than everything that the platform knows.
    """
    for file, (start, end) in zip(table.files, pairwise(table.bounds), strict=True):
        rows = start + np.flatnonzero(table.malformed[start:end])
        outcomes.reject(rows, f"has more or fewer cells than the {len(file.header)} columns")
    fields, values = table.fields, {name: codes.values() for name, codes in table.codes.items()}
    products = fields["product"]
    outcomes.reject(_matches(products, values["product"], mapping.not_products), "is not a product")
    _check_ids(table, mapping, outcomes)
    _check_times(table, mapping, outcomes, now_ms)
    is_return = (table.quantity < 0) & has_value(table.quantity)
    if not mapping.returns.negative_quantity:
        outcomes.reject(is_return, "the quantity is below 0")
    is_return |= _starts_with(fields["order"], values["order"], mapping.returns.order_prefix)
    units = _check_quantities(table, outcomes)
    amount_minor = _check_prices(table, mapping, outcomes, units, is_return)
    discount_minor = _check_amounts(table, mapping, outcomes, amount_minor)
    outcomes.reject(table.other_currency, f"the currency is not {mapping.currency.only}")
    is_shipping = _matches(products, values["product"], mapping.shipping_products)
    outcomes.reject(is_shipping & is_return, "takes shipping back, which no return of goods does")
    _drop_duplicates(table, mapping, outcomes)
    return CheckedLines(is_return, is_shipping, units, amount_minor, discount_minor)


def _check_ids(table: LineTable, mapping: Mapping, outcomes: Outcomes) -> None:
    required = {
        "product": True,
        "order": mapping.order.otherwise == "reject",
        "seller": not mapping.seller.id,
    }
    for field in ("product", "order", "seller", "line", "shopper"):
        codes = table.fields[field]
        if required.get(field):
            outcomes.reject(codes == NO_CODE, f"the {field} is empty")
        outcomes.reject(codes == BAD_CODE, f"the {field} {NO_ID}")


def _check_times(table: LineTable, mapping: Mapping, outcomes: Outcomes, now_ms: int) -> None:
    at = table.time
    outcomes.reject(at == UNREADABLE, f"the time is not written as {mapping.time.format}")
    outcomes.reject(at == UNKNOWN_ZONE, "the time has an abbreviation that names no zone, or several")
    given = at != EMPTY
    outcomes.reject(given & (at < EARLIEST_MS), "the time is before 1970")
    outcomes.reject(given & (at > now_ms), "the time is in the future")
    if not mapping.order.column:
        outcomes.reject(~given, "the time is empty")
    # Other rows of the order must not inherit an impossible time.
    at[given & ((at < EARLIEST_MS) | (at > now_ms))] = UNREADABLE
    ended = table.cancelled_at
    ended[(ended != EMPTY) & ((ended < EARLIEST_MS) | (ended > now_ms))] = UNREADABLE
    outcomes.reject(ended == UNREADABLE, "the time of the cancellation is unreadable or impossible")


def _check_quantities(table: LineTable, outcomes: Outcomes) -> NDArray[np.int64]:
    quantity = table.quantity
    outcomes.reject(quantity == EMPTY, "the quantity is empty")
    _reject_unreadable("quantity", quantity, "a whole number", outcomes)
    outcomes.reject(quantity == 0, "the quantity is 0")
    units = np.abs(np.where(outcomes.pending, quantity, 1))
    outcomes.reject(units > MAX_QUANTITY, f"the quantity is above {MAX_QUANTITY:,}")
    return np.where(outcomes.pending, units, 1)


def _reject_unreadable(name: str, values: Integers, what: str, outcomes: Outcomes) -> None:
    outcomes.reject(values == UNREADABLE, f"the {name} is not {what}")
    outcomes.reject(
        values == AMBIGUOUS, f"the {name} is ambiguous: its column has decimal points and decimal commas"
    )


def _check_prices(
    table: LineTable, mapping: Mapping, outcomes: Outcomes, units: NDArray[np.int64], is_return: Mask
) -> NDArray[np.int64]:
    price, by_line = table.price, mapping.price.of == "line"
    outcomes.reject(price == EMPTY, "the price is empty")
    _reject_unreadable("price", price, "a number", outcomes)
    outcomes.reject(price == 0, "the price is 0")
    outcomes.reject((price < 0) & ~(is_return & by_line), "the price is below 0")
    scale = 10**PRICE_DIGITS
    price = np.abs(np.where(outcomes.pending, price, 0))
    factor = np.where(by_line, 1, units)
    is_large = price.astype(float) * factor > float(MAX_LINE_MINOR) * scale
    unit_minor = price.astype(float) / scale / (units if by_line else 1)
    outcomes.reject(is_large | (unit_minor > MAX_PRICE_MINOR), "the price is too high")
    exact = np.where(outcomes.pending, price * factor, 0)
    half = scale // 2 if mapping.price.round else 0
    amount_minor: NDArray[np.int64] = (exact + half) // scale
    if mapping.price.round:
        outcomes.reject(amount_minor == 0, "the price is 0 after rounding")
    else:
        outcomes.reject(exact % scale != 0, "the price has a fraction of the smallest coin")
    return amount_minor


def _check_amounts(
    table: LineTable, mapping: Mapping, outcomes: Outcomes, amount_minor: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Check discounts, shipping and tax, and return the discount of each line."""
    discount = np.zeros(len(table), np.int64)
    for name, values in table.amounts.items():
        amount = getattr(mapping, name)
        _reject_unreadable(name, values, "a number", outcomes)
        given = np.where(has_value(values), -values if amount.negative else values, 0)
        # The amounts of a return are those of a sale with the opposite sign.
        given = np.where(table.quantity < 0, np.abs(given), given)
        outcomes.reject(given < 0, f"the {name} is {'above' if amount.negative else 'below'} 0")
        outcomes.reject(given > MAX_LINE_MINOR, f"the {name} is too high")
        # Rejected rows keep theirs: the first row of an order may have the amounts of the whole order.
        table.amounts[name] = np.where((given < 0) | (given > MAX_LINE_MINOR), 0, given)
        if name == "discount" and amount.of != "order":
            discount = table.amounts[name]
            outcomes.reject(discount > amount_minor, "the discount is above the price")
    return discount


def _drop_duplicates(table: LineTable, mapping: Mapping, outcomes: Outcomes) -> None:
    rows = np.flatnonzero(outcomes.pending)
    if mapping.duplicates == "drop":
        outcomes.reject(_later(rows, table.digest[rows]), "is an exact copy of an earlier row")
        rows = np.flatnonzero(outcomes.pending)
    numbered = rows[(table.fields["order"][rows] >= 0) & (table.fields["line"][rows] >= 0)]
    key = table.fields["order"][numbered].astype(np.int64) << 32 | table.fields["line"][numbered]
    outcomes.reject(_later(numbered, key), "repeats the order and the line of an earlier row")


def _later(rows: NDArray[np.int64], keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the rows that have the key of an earlier one."""
    _, first = np.unique(keys, return_index=True)
    return np.delete(rows, first)


def _matches(codes: NDArray[np.int32], values: list[str], patterns: list[str]) -> Mask:
    """Return which codes stand for a value that one of the patterns (`POST`, `ADJUST*`) matches."""
    chosen = [code for code, value in enumerate(values) if any(fnmatchcase(value, each) for each in patterns)]
    return np.isin(codes, chosen)


def _starts_with(codes: NDArray[np.int32], values: list[str], prefixes: list[str]) -> Mask:
    chosen = [code for code, value in enumerate(values) if value.startswith(tuple(prefixes))]
    return np.isin(codes, chosen)
