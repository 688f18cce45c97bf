"""Writes CSV (RFC 4180), in which a spreadsheet finds no formula."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
