"""Reads published tables, CSV or Parquet, into typed Arrow tables."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from common.errors import UserError
from producers.importer.dataset import ConversionFindings

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class TableSpec:
    """One table of a data set.

    Its file is `<name>.parquet` or `<csv>.csv`. A column with `nullable=False` must have a value. `key` are
    the columns that identify a row in the report. An optional table may be absent.
    """

    name: str
    csv: str
    schema: pa.Schema
    key: tuple[str, ...]
    optional: bool = False

    def find(self, directory: Path) -> Path | None:
        """Return the file of this table: Parquet if it exists, otherwise CSV; None if neither exists."""
        names = (f"{self.name}.parquet", f"{self.csv}.csv")
        return next((directory / name for name in names if (directory / name).is_file()), None)


def find_files(directory: Path, specs: list[TableSpec]) -> dict[str, Path]:
    """Return table name → file of every existing table.

    Raises:
        UserError: the directory or a table that is not optional is missing.
    """
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory: give the directory of the data set's tables")
    found = {spec.name: spec.find(directory) for spec in specs}
    missing = [spec for spec in specs if found[spec.name] is None and not spec.optional]
    if missing:
        names = ", ".join(f"{spec.name}.parquet (or {spec.csv}.csv)" for spec in missing)
        raise UserError(f"{directory} lacks {names}: put the file there, or give another directory")
    return {name: path for name, path in found.items() if path is not None}


def read_table(path: Path, spec: TableSpec, findings: ConversionFindings) -> pa.Table:
    """Return the table's declared columns, typed. Rows with an unreadable cell go to `findings` instead.

    Raises:
        UserError: the file is truncated or lacks a column.
    """
    raw = _read_file(path, spec)
    columns = [_typed(raw.column(column.name), column, path) for column in spec.schema]
    good = np.ones(raw.num_rows, bool)
    keys: list[str] = []
    for column, (values, unreadable) in zip(spec.schema, columns, strict=True):
        bad = values.is_null().to_numpy(zero_copy_only=False).copy()
        if column.nullable:
            bad &= np.isin(np.arange(raw.num_rows), list(unreadable))
        bad &= good
        if bad.any():
            keys = keys or row_keys(raw, spec.key)
            for row in np.flatnonzero(bad).tolist():
                wrong = f"not {_TYPE_NAMES[column.type]}" if row in unreadable else "empty"
                findings.reject(spec.name, [keys[row]], f"{column.name} is {wrong}")
        good &= ~bad
    table = pa.table([values for values, _ in columns], schema=spec.schema.remove_metadata())
    return table if good.all() else table.filter(pa.array(good))


def row_keys(table: pa.Table, key: tuple[str, ...]) -> list[str]:
    """Return the key columns of each row, joined by a space."""
    columns = [map(str, table.column(name).to_pylist()) for name in key]
    return list(map(" ".join, zip(*columns, strict=True)))


def _read_file(path: Path, spec: TableSpec) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            table = pyarrow.parquet.read_table(path)
        else:
            _require_line_end(path)
            table = pyarrow.csv.read_csv(
                path,
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={column.name: pa.string() for column in spec.schema},
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{path} can't be read, it may be truncated ({first}): download it again") from error
    missing = [column.name for column in spec.schema if column.name not in table.column_names]
    if missing:
        raise UserError(
            f"{path} is not the table {spec.name}: it lacks the column {', '.join(missing)} "
            f"(it has {', '.join(table.column_names[:12])})"
        )
    return table


def _require_line_end(path: Path) -> None:
    """Refuse a file without a final line end. Its last value may be truncated, such as 13.2 from 13.29."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 1, 0))
        if file.read(1) not in (b"\n", b"\r"):
            raise UserError(
                f"{path} can't be read, it may be truncated (its last line has no line end): download it "
                "again, or add the line end if the last line is complete"
            )


def _typed(values: pa.ChunkedArray, column: pa.Field, path: Path) -> tuple[pa.ChunkedArray, set[int]]:
    """Return the column in its declared type, and the rows with unreadable values, which become null."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        raise UserError(f"{path}: {column.name} has a time zone; wall-clock times without one are expected")
    try:
        if pa.types.is_timestamp(values.type) and pa.types.is_timestamp(column.type):
            return pc.cast(values, column.type, safe=False), set()
        if not pa.types.is_string(values.type) and pa.types.is_timestamp(column.type):
            raise UserError(f"{path}: {column.name} is {values.type}, not {_TYPE_NAMES[column.type]}")
        return pc.cast(values, column.type), set()
    except pa.ArrowException:
        parse = _PARSERS[column.type]
        parsed = [_try_parse(parse, value) for value in values.to_pylist()]
        nulls = values.is_null().to_pylist()
        unreadable = {row for row, value in enumerate(parsed) if value is None and not nulls[row]}
        return pa.chunked_array([pa.array(parsed, column.type)]), unreadable


def _try_parse(parse: Callable[[Any], Any], value: Any) -> Any:
    try:
        return None if value is None else parse(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _integer_parser(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = float(value)
        if number != int(number) or not low <= number <= high:
            raise ValueError(value)
        return int(number)

    return parse


def _parse_timestamp(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        raise ValueError(value)
    return moment


_PARSERS: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.string(): str,
    pa.int8(): _integer_parser(-(2**7), 2**7 - 1),
    pa.int32(): _integer_parser(-(2**31), 2**31 - 1),
    pa.float64(): float,
    pa.timestamp("ms"): _parse_timestamp,
}
_TYPE_NAMES = {
    pa.string(): "a text",
    pa.int8(): "a small whole number",
    pa.int32(): "a whole number",
    pa.float64(): "a number",
    pa.timestamp("ms"): "a time such as 2017-10-02 10:56:33",
}
