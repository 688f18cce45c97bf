"""Writes CSV (RFC 4180): a spreadsheet finds no formula in it, and money is in units of its currency."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from common.money import to_major
from producers.kit.tables.records import guarded

CURRENCY = "currency"


class MinorUnits:
    """Marks the type of a field as money: an integer of minor units in JSON, a decimal in CSV."""


def csv_lines(rows: Iterable[Sequence[Any]], are_numbers: Sequence[bool] = ()) -> bytes:
    """Return rows as lines of CSV in UTF-8: null is empty, times are ISO 8601, lists are JSON.

    A spreadsheet runs a text as a formula if it begins with `=`, `+`, `-`, `@`, a tab or a carriage return.
    Sellers and shoppers write some of the texts. Therefore, such a text gets an apostrophe in front. A number
    never does, nor a text in a column of `are_numbers`, which has a decimal or a large integer.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)
    if any(are_numbers):
        for row in rows:
            pairs = zip(row, are_numbers, strict=True)
            writer.writerow([value if is_number else _cell(value) for value, is_number in pairs])
    else:
        writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def money_fields(*entries: type) -> frozenset[str]:
    """Return the fields of TypedDicts that are money: those whose type has the mark `MinorUnits`."""
    return frozenset(
        name
        for entry in entries
        for name, field in get_type_hints(entry, include_extras=True).items()
        if _is_money(field)
    )


def csv_columns(columns: Sequence[str], money: Collection[str]) -> list[str]:
    """Return the header of a table: columns of money without `_minor`, and the currency if there is money."""
    header = [name.removesuffix("_minor") if name in money else name for name in columns]
    return [*header, CURRENCY] if money and CURRENCY not in columns else header


def csv_rows(
    columns: Sequence[str], money: Collection[str], rows: Iterable[Mapping[str, Any]], currency: str | None
) -> Iterator[list[Any]]:
    """Yield the cells of rows, in which money has minor units, for the header `csv_columns`.

    `currency` is that of rows that have none of their own.
    """
    adds_currency = bool(money) and CURRENCY not in columns
    for row in rows:
        own = row.get(CURRENCY, currency)
        cells = [_amount(row[name], own) if name in money else row[name] for name in columns]
        yield [*cells, own] if adds_currency else cells


def _amount(minor: int | None, currency: Any) -> Any:
    return None if minor is None else to_major(minor, currency)


def _is_money(field: Any) -> bool:
    if get_origin(field) is Annotated and any(isinstance(mark, MinorUnits) for mark in field.__metadata__):
        return True
    return any(_is_money(part) for part in get_args(field))


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
