"""Writes Parquet files: amounts of money are decimals in units of the currency, such as 12.90."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.money import minor_digits, to_major

PARQUET = "application/vnd.apache.parquet"

MONEY_DIGITS = 19
"""The digits of a decimal: as many as the largest number of minor units, a signed integer of 64 bits, has."""

ColumnKind = Literal["text", "time", "count", "number", "money"]
"""What a column of a table has. `money` is an integer of minor units in JSON."""


def money_columns(kinds: Mapping[str, ColumnKind]) -> frozenset[str]:
    """Return the columns that have money."""
    return frozenset(name for name, kind in kinds.items() if kind == "money")


def schema_of(kinds: Mapping[str, ColumnKind], currency: str, as_of: datetime | None = None) -> "pa.Schema":
    """Return the schema of a table, whose times are UTC.

    Its metadata has the currency, and `as_of` if there is one.
    """
    types = {
        "text": pa.string(),
        "time": pa.timestamp("ms", tz="UTC"),
        "count": pa.int64(),
        "number": pa.float64(),
        "money": pa.decimal128(MONEY_DIGITS, minor_digits(currency)),
    }
    metadata = {"currency": currency} | ({"as_of": as_of.isoformat()} if as_of else {})
    return pa.schema([(name, types[kind]) for name, kind in kinds.items()], metadata)


def write_parquet(
    kinds: Mapping[str, ColumnKind],
    rows: Iterable[Mapping[str, Any]],
    currency: str,
    as_of: datetime | None = None,
) -> bytes:
    """Return rows, in which money has minor units, as a Parquet file."""
    schema = schema_of(kinds, currency, as_of)
    listed = list(rows)
    columns = []
    for name, kind in kinds.items():
        values = [row[name] for row in listed]
        if kind == "money":
            values = [None if value is None else to_major(value, currency) for value in values]
        columns.append(pa.array(values, schema.field(name).type))
    file = ParquetFile(schema)
    return file.add(pa.Table.from_arrays(columns, schema=schema)) + file.end()


def money_column(minor: "pa.Array", currency: str) -> "pa.Array":
    """Return integers of minor units (64 bits) as decimals of the currency, exactly."""
    low = minor.fill_null(0).to_numpy(zero_copy_only=False).astype("<i8")
    words = np.empty((len(low), 2), "<i8")
    words[:, 0], words[:, 1] = low, low >> 63
    decimal = pa.decimal128(MONEY_DIGITS, minor_digits(currency))
    column = pa.Array.from_buffers(decimal, len(low), [None, pa.py_buffer(words)])
    return column if minor.null_count == 0 else pc.if_else(minor.is_valid(), column, pa.scalar(None, decimal))


class ParquetFile:
    """A Parquet file that is written in parts. Not more than one of them is in memory."""

    def __init__(self, schema: "pa.Schema") -> None:
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")

    def add(self, rows: "pa.Table") -> bytes:
        """Add rows as one row group, and return the next bytes of the file."""
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=rows.num_rows)
        return self._sink.take()

    def end(self) -> bytes:
        """Return the last bytes of the file."""
        self._writer.close()
        return self._sink.take()


class _Sink:
    """A file that keeps what was written since the last `take`."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self._position += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing: every part is kept at once."""

    def close(self) -> None:
        """Do nothing: `take` returns what was written."""

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
