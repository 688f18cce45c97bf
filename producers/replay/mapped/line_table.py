"""Reads all line files of a mapping into arrays: a number or a code for each field of each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from producers.replay.mapped.cells import EMPTY, NO_CODE, IdCodes, Memo, number_parser, time_parser
from producers.replay.mapped.joined import ColumnReader, Get, JoinedFile, open_joins
from producers.replay.mapped.mapping import Mapping
from producers.replay.mapped.rows import Row, SourceFile
from producers.replay.mapped.sections import Amount, FileFormat, Status

PRICE_DIGITS = 4
"""Decimals of a price beyond the currency's smallest coin, such as 0.00125 per unit."""

CANCELLED, UNPAID, RETURNED, OTHER_STATUS, NO_STATUS = 1, 2, 3, 0, -1

Arrays = dict[str, NDArray[np.generic]]

ID_FIELDS = ("order", "line", "product", "shopper", "seller")
TEXT_FIELDS = ("product_name", "category", "country", "seller_name", "payment")


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
    needed |= {mapping.currency.column} if mapping.currency.column else set()
    joined = open_joins(mapping.joins, directory, files[0], needed)
    reader = _LineReader(mapping)
    batches: list[Arrays] = []
    bounds = [0]
    for (_, file_format), file in zip(find_files(mapping, directory), files, strict=True):
        from_joins = {column for each in joined for column in each.columns}
        for column in sorted((needed | {each.on for each in mapping.joins}) - from_joins):
            file.find(column)
        columns = ColumnReader(file, joined, needed)
        rows = 0
        for batch in file.batches():
            batches.append(reader.read(batch, columns, file_format, len(file.header)))
            rows += len(batch)
        bounds.append(bounds[-1] + rows)
    if not bounds[-1]:
        raise UserError(f"{files[0].path} has no rows after its first line: there is nothing to import")
    return reader.table(files, joined, bounds, batches)


class _LineReader:
    """Converts batches of rows to arrays. Codes continue over all batches."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        missing = self._missing = frozenset(mapping.missing) | {""}
        self._codes = {field: IdCodes(missing) for field in ID_FIELDS}
        self._codes |= {field: IdCodes(missing, is_text=True) for field in TEXT_FIELDS}
        if mapping.shopper and mapping.shopper.hash:  # e-mail addresses
            self._codes["shopper"] = IdCodes(missing, ignore_case=True)
        self._time = Memo(time_parser(mapping.time), missing)
        cancelled_at = mapping.cancelled_at
        self._cancelled_at = Memo(time_parser(cancelled_at), missing) if cancelled_at else None
        self._numbers: dict[tuple[str, int], Memo] = {}
        self._status = _status_codes(mapping.status)
        seller = mapping.seller
        self._columns = {
            "order": mapping.order.column,
            "line": [mapping.line] if mapping.line else [],
            "product": mapping.product.column,
            "shopper": mapping.shopper.column if mapping.shopper else [],
            "seller": seller.column,
            "product_name": mapping.product_name.column if mapping.product_name else [],
            "category": mapping.category.column if mapping.category else [],
            "country": mapping.country.column if mapping.country else [],
            "seller_name": [seller.name_column] if seller.name_column else [],
            "payment": mapping.payment.column if mapping.payment else [],
        }

    def read(self, batch: list[Row], reader: ColumnReader, file_format: FileFormat, width: int) -> Arrays:
        """Return the arrays of these rows."""
        malformed = self._mend(batch, width)
        digests = (blake2b("\x1f".join(row).encode("utf-8", "replace"), digest_size=8) for row in batch)
        get = reader.read(batch)
        empty = np.full(len(batch), NO_CODE, np.int32)
        arrays: Arrays = {
            field: self._codes[field].encode(self._coalesce(get, columns)) if columns else empty
            for field, columns in self._columns.items()
        }
        for name, amount in self.amounts().items():
            arrays[name] = self._number(file_format, self._mapping.minor_digits).read(get(amount.column))
        price = self._number(file_format, self._mapping.minor_digits + PRICE_DIGITS)
        quantity, status = self._mapping.quantity, self._mapping.status
        ones = np.ones(len(batch), np.int64)
        currency = self._mapping.currency
        return arrays | {
            "malformed": malformed,
            "digest": np.fromiter((int.from_bytes(each.digest(), "big") for each in digests), np.uint64),
            "time": self._time.read(self._joined_texts(get, self._mapping.time.column)),
            "price": price.read(get(self._mapping.price.column)),
            "quantity": self._number(file_format, 0).read(get(quantity)) if quantity else ones,
            "status": self._read_status(get(status.column)) if status else np.zeros(len(batch), np.int8),
            "cancelled_at": self._cancelled_at.read(
                self._joined_texts(get, self._mapping.cancelled_at.column)
            )
            if self._cancelled_at and self._mapping.cancelled_at
            else np.full(len(batch), EMPTY, np.int64),
            "other_currency": np.fromiter(
                (text.strip() not in self._missing | {currency.only} for text in get(currency.column)), bool
            )
            if currency.column
            else np.zeros(len(batch), bool),
        }

    def amounts(self) -> dict[str, Amount]:
        """Return the further amounts of the mapping, by name."""
        every = {
            "discount": self._mapping.discount,
            "shipping": self._mapping.shipping,
            "tax": self._mapping.tax,
        }
        return {name: amount for name, amount in every.items() if amount}

    def table(
        self, files: list[SourceFile], joined: list[JoinedFile], bounds: list[int], batches: list[Arrays]
    ) -> LineTable:
        """Return the table of all batches. It empties `batches`."""
        names = list(batches[0])
        whole: dict[str, NDArray[np.generic]] = {}
        for name in names:
            whole[name] = np.concatenate([batch.pop(name) for batch in batches])
        amounts = {name: whole.pop(name) for name in self.amounts()}
        fields = {name: whole.pop(name) for name in (*ID_FIELDS, *TEXT_FIELDS)}
        return LineTable(files, joined, bounds, self._codes, fields=fields, amounts=amounts, **whole)  # type: ignore[arg-type]

    def _mend(self, batch: list[Row], width: int) -> NDArray[np.bool_]:
        """Return which rows have another number of cells than the header, and make them empty.

        A further cell without a value, which a delimiter at the line's end makes, is removed.
        """
        malformed = np.zeros(len(batch), bool)
        for number, row in enumerate(batch):
            if len(row) != width:
                if len(row) == width + 1 and not row[-1].strip():
                    row.pop()
                else:
                    malformed[number] = True
                    batch[number] = [""] * width
        return malformed

    def _number(self, file_format: FileFormat, digits: int) -> Memo:
        key = (file_format.decimal, digits)
        if key not in self._numbers:
            self._numbers[key] = Memo(number_parser(*key), self._missing)
        return self._numbers[key]

    def _coalesce(self, get: Get, columns: list[str]) -> Sequence[str]:
        """Return the first text of each row that is not missing."""
        texts = get(columns[0])
        for column in columns[1:]:
            texts = [
                text if text.strip() not in self._missing else other
                for text, other in zip(texts, get(column), strict=True)
            ]
        return texts

    def _joined_texts(self, get: Get, columns: list[str]) -> Sequence[str]:
        if len(columns) == 1:
            return get(columns[0])
        parts = zip(*(get(column) for column in columns), strict=True)
        return [" ".join(part.strip() for part in row) for row in parts]

    def _read_status(self, texts: Sequence[str]) -> NDArray[np.int8]:
        missing, known = self._missing, self._status
        return np.fromiter(
            (
                NO_STATUS if text.strip() in missing else known.get(text.strip().casefold(), OTHER_STATUS)
                for text in texts
            ),
            np.int8,
            len(texts),
        )


def _status_codes(status: Status | None) -> dict[str, int]:
    if status is None:
        return {}
    meanings = ((status.cancelled, CANCELLED), (status.unpaid, UNPAID), (status.returned, RETURNED))
    return {value.casefold(): code for values, code in meanings for value in values}
