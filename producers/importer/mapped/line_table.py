"""Reads all line files of a mapping into arrays: a number or a code for each field of each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.money import minor_digits
from producers.importer.mapped.cells import (
    EMPTY,
    GUEST,
    NO_CODE,
    UNREADABLE,
    IdCodes,
    Integers,
    Memo,
    NumberColumn,
    has_value,
    time_parser,
)
from producers.importer.mapped.joined import ColumnReader, Get, JoinedFile, open_joins
from producers.importer.mapped.mapping import Amount, FileFormat, Mapping, Status
from producers.importer.mapped.rows import Row, SourceFile
from producers.kit.tables.numbers import Separator

MAX_AMOUNT = 4e18
"""Limit of an amount that fits 64 bits."""

PRICE_DIGITS = 4
"""Decimals of a price beyond the currency's smallest coin, such as 0.00125 per unit."""

CANCELLED, UNPAID, RETURNED, OTHER_STATUS, NO_STATUS = 1, 2, 3, 0, -1

Arrays = dict[str, NDArray[np.generic]]

ID_FIELDS = ("order", "line", "product", "shopper", "seller")
TEXT_FIELDS = ("product_name", "category", "country", "seller_name", "payment")


class LineReader:
    """Converts batches of rows to arrays. `codes` number the values of each field, over all batches."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        missing = self._missing = frozenset(mapping.missing) | {""}
        # The guest of an order has the longest id.
        prefixes = {"order": f"{mapping.id_prefix}{GUEST}", "line": ""}
        self.codes = {field: IdCodes(missing, prefixes.get(field, mapping.id_prefix)) for field in ID_FIELDS}
        self.codes |= {field: IdCodes(missing, is_text=True) for field in TEXT_FIELDS}
        if mapping.shopper and mapping.shopper.hash:  # e-mail addresses
            self.codes["shopper"] = IdCodes(missing, ignore_case=True)
        self.amounts: dict[str, Amount] = {
            name: amount for name in ("discount", "shipping", "tax") if (amount := getattr(mapping, name))
        }
        self._times = {
            name: (time.column, Memo(time_parser(time), missing))
            for name, time in (("time", mapping.time), ("cancelled_at", mapping.cancelled_at))
            if time
        }
        digits = minor_digits(mapping.currency.only)
        self._number_columns = {
            f"{name}: {column}": (column, digits)
            for name, amount in self.amounts.items()
            for column in (*amount.column, *amount.less)
        }
        self._number_columns["price"] = (mapping.price.column, digits + PRICE_DIGITS)
        if mapping.quantity:
            self._number_columns["quantity"] = (mapping.quantity, 0)
        self._numbers: dict[tuple[str, Separator], NumberColumn] = {}
        self._ambiguous: list[tuple[NumberColumn, Integers, NDArray[np.bool_]]] = []
        self._statuses = _status_codes(mapping.status)
        columns = mapping.columns() | {
            "seller": mapping.seller.column,
            "seller_name": [mapping.seller.name_column] if mapping.seller.name_column else [],
        }
        self._columns = {field: columns.get(field, []) for field in (*ID_FIELDS, *TEXT_FIELDS)}

    def read(self, batch: list[Row], reader: ColumnReader, width: int) -> Arrays:
        """Return the arrays of these rows of a file with `width` columns."""
        mapping = self._mapping
        malformed = self._mend(batch, width)
        get = reader.read(batch)
        arrays: dict[str, NDArray[Any]] = {"malformed": malformed, "digest": _digests(batch)}
        for field, columns in self._columns.items():
            empty = np.full(len(batch), NO_CODE, np.int32)
            arrays[field] = self.codes[field].encode(self._coalesce(get, columns)) if columns else empty
        arrays["quantity"] = np.ones(len(batch), np.int64)
        for name, (column, digits) in self._number_columns.items():
            arrays[name] = self._numbers_of(name, get(column), reader.decimals[column], digits)
        for name in ("time", "cancelled_at"):
            arrays[name] = self._times_of(name, get, len(batch))
        statuses = self._statuses_of(get(mapping.status.column)) if mapping.status else None
        arrays["status"] = np.zeros(len(batch), np.int8) if statuses is None else statuses
        arrays["other_currency"] = np.zeros(len(batch), bool)
        if mapping.currency.column:
            texts = [text.strip() for text in get(mapping.currency.column)]
            known = self._missing | {text for text in set(texts) if text.upper() == mapping.currency.only}
            arrays["other_currency"] = np.array([text not in known for text in texts], bool)
        return arrays

    def sum_amounts(self, arrays: dict[str, NDArray[Any]]) -> dict[str, Integers]:
        """Take the columns of discounts, shipping and taxes out of the arrays, and return the sum of each."""
        return {name: self._sum(name, amount, arrays) for name, amount in self.amounts.items()}

    def _sum(self, name: str, amount: Amount, arrays: dict[str, NDArray[Any]]) -> Integers:
        """Return an amount of each row; the code of a cell that is no number is that of the sum."""
        quantity = arrays["quantity"]
        sums = np.full(len(quantity), EMPTY, np.int64)
        for sign, columns in ((1, amount.column), (-1, amount.less)):
            for column in columns:
                values = arrays.pop(f"{name}: {column}")
                both = has_value(values) & has_value(sums)
                sums = np.where(
                    both, sums + sign * np.where(both, values, 0),
                    np.where(has_value(values) & (sums == EMPTY), sign * values,
                        np.where(values == EMPTY, sums, values)),
                )  # fmt: skip
        if amount.of == "unit":
            counted = has_value(sums) & has_value(quantity)
            large = counted & (np.abs(sums.astype(float) * quantity) > MAX_AMOUNT)
            sums = np.where(
                counted & ~large, sums * np.where(counted, quantity, 1), np.where(large, UNREADABLE, sums)
            )
        return sums

    def resolve(self) -> None:
        """Mark the ambiguous numbers in the arrays of all batches, after all rows have been read."""
        for numbers, values, ambiguous in self._ambiguous:
            numbers.resolve(values, ambiguous)

    def _numbers_of(self, name: str, texts: Sequence[str], decimal: Separator, digits: int) -> Integers:
        numbers = self._numbers.get((name, decimal))
        if numbers is None:
            numbers = self._numbers[name, decimal] = NumberColumn(decimal, digits, self._missing)
        values, ambiguous = numbers.read(texts), numbers.ambiguous(texts)
        if ambiguous.any():
            self._ambiguous.append((numbers, values, ambiguous))
        return values

    def _times_of(self, name: str, get: Get, rows: int) -> Integers:
        if name not in self._times:
            return np.full(rows, EMPTY, np.int64)
        columns, memo = self._times[name]
        if len(columns) == 1:
            return memo.read(get(columns[0]))
        parts = zip(*(get(column) for column in columns), strict=True)
        return memo.read([" ".join(part.strip() for part in row) for row in parts])

    def _statuses_of(self, texts: Sequence[str]) -> NDArray[np.int8]:
        missing, known = self._missing, self._statuses
        return np.array(
            [
                NO_STATUS if text.strip() in missing else known.get(text.strip().casefold(), OTHER_STATUS)
                for text in texts
            ],
            np.int8,
        )

    def _mend(self, batch: list[Row], width: int) -> NDArray[np.bool_]:
        """Return which rows have another number of cells than the header, and make them empty.

        A further cell without a value, which a delimiter at the line's end makes, is removed.
        """
        malformed = np.zeros(len(batch), bool)
        for number, row in enumerate(batch):
            if len(row) == width + 1 and not row[-1].strip():
                row.pop()
            if len(row) != width:
                malformed[number] = True
                batch[number] = [""] * width
        return malformed

    def _coalesce(self, get: Get, columns: list[str]) -> Sequence[str]:
        """Return the first text of each row that is not missing."""
        texts = get(columns[0])
        for column in columns[1:]:
            texts = [
                text if text.strip() not in self._missing else other
                for text, other in zip(texts, get(column), strict=True)
            ]
        return texts


def _digests(batch: list[Row]) -> NDArray[np.uint64]:
    """Return a number for each row that differs if any cell differs."""
    hashes = (blake2b("\x1f".join(row).encode("utf-8", "replace"), digest_size=8) for row in batch)
    return np.fromiter((int.from_bytes(each.digest(), "big") for each in hashes), np.uint64, len(batch))


def _status_codes(status: Status | None) -> dict[str, int]:
    if status is None:
        return {}
    meanings = ((status.cancelled, CANCELLED), (status.unpaid, UNPAID), (status.returned, RETURNED))
    return {value.casefold(): code for values, code in meanings for value in values}


@dataclass(frozen=True)
class LineTable:
    """The n rows of all line files, in the order of the files.

    Codes are indices into `codes[field].values()`. `price` has `PRICE_DIGITS` more decimals than the
    currency's smallest coin; discount, shipping and tax are in the smallest coin. `digest` identifies the
    whole row. `bounds` has the first row of each file and, at the end, n.
    """

    files: list[SourceFile]
    joined: list[JoinedFile]
    bounds: list[int]
    codes: dict[str, IdCodes]
    malformed: NDArray[np.bool_]
    digest: NDArray[np.uint64]
    time: NDArray[np.int64]
    price: NDArray[np.int64]
    quantity: NDArray[np.int64]
    fields: dict[str, NDArray[np.int32]]
    amounts: dict[str, NDArray[np.int64]]
    status: NDArray[np.int8]
    cancelled_at: NDArray[np.int64]
    other_currency: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time)


def find_files(mapping: Mapping, directory: Path) -> list[tuple[Path, FileFormat]]:
    """Return the line files and their formats.

    Raises:
        UserError: the directory is missing, no file has such a name, or a file is given twice.
    """
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory: give the directory of the tables")
    found: dict[Path, FileFormat] = {}
    for entry in mapping.files:
        if Path(entry.path).is_absolute():
            raise UserError(f"the mapping's path {entry.path} must be relative to {directory}")
        paths = sorted(path for path in directory.glob(entry.path) if path.is_file())
        if not paths:
            raise UserError(f"{directory / entry.path} is not there: correct `path` in the mapping")
        for path in paths:
            if path in found:
                raise UserError(f"{path} is given twice in `files`: remove one entry")
            found[path] = entry
    return list(found.items())


def read_lines(mapping: Mapping, directory: Path) -> LineTable:
    """Read every row of the line files.

    Raises:
        UserError: a file or a column is missing, or a file can't be read.
    """
    files = [SourceFile(path, file_format) for path, file_format in find_files(mapping, directory)]
    needed = {column for columns in mapping.columns().values() for column in columns}
    joined = open_joins(mapping.joins, directory, files[0], needed)
    from_joins = {column for each in joined for column in each.columns}
    own = (needed | {each.on for each in mapping.joins}) - from_joins
    reader = LineReader(mapping)
    batches: list[Arrays] = []
    bounds = [0]
    for file in files:
        for column in sorted(own):
            file.find(column)
        columns = ColumnReader(file, joined, needed)
        rows = 0
        for batch in file.batches():
            batches.append(reader.read(batch, columns, len(file.header)))
            rows += len(batch)
        bounds.append(bounds[-1] + rows)
    if not bounds[-1]:
        raise UserError(f"{files[0].path} has no rows after its first line: there is nothing to import")
    reader.resolve()
    names = list(batches[0])
    whole: dict[str, Any] = {name: np.concatenate([each.pop(name) for each in batches]) for name in names}
    amounts = reader.sum_amounts(whole)
    fields = {name: whole.pop(name) for name in (*ID_FIELDS, *TEXT_FIELDS)}
    return LineTable(files, joined, bounds, reader.codes, fields=fields, amounts=amounts, **whole)
