"""Reads the columns of Parquet and CSV files by meaning, under any name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from common.errors import UserError
from recommenders.evaluation.sets import Numbers

T = TypeVar("T")

ColumnNames = Mapping[str, str]
"""Maps the meaning of a column to its name in the file, if the two differ: {"user": "uid"}."""

IDS = ("user", "item", "session", "target")
"""The meanings whose columns have ids: texts in a CSV file, whatever they look like."""

MISSING_IDS = ("", "NULL", "null", "NaN", "nan", "None", "N/A", "#N/A", "\\N")
"""Texts that stand for a missing id."""

MEANINGS = ("user", "item", "time", "weight", "session", "position", "prefix", "target")


def parse_column_names(text: str) -> ColumnNames:
    """Parse a text such as `user=uid,item=sku`.

    Raises:
        UserError: the text can't be parsed, or has an unknown meaning.
    """
    pairs = [each.split("=") for each in text.split(",") if each.strip()]
    if any(len(pair) != 2 or pair[0].strip() not in MEANINGS or not pair[1].strip() for pair in pairs):
        raise UserError(
            f"--columns {text!r} can't be read: write user=<column>,item=<column>, of {', '.join(MEANINGS)}"
        )
    return {meaning.strip(): name.strip() for meaning, name in pairs}


def read_columns(
    path: Path,
    names: ColumnNames,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    notes: list[str] | None = None,
) -> dict[str, pa.Array]:
    """Return the columns of a file by meaning: all of `needed`, and those of `optional` that exist.

    An optional column is needed if `names` gives its name. Rows without an id are left out, which is added to
    `notes`.

    Raises:
        UserError: the file can't be read, has no row with ids, or lacks a column.
    """
    existing = _open_with(path, _names)
    chosen = {}
    for meaning in (*needed, *optional):
        name = names.get(meaning, meaning)
        if name in existing:
            chosen[meaning] = name
        elif meaning in needed or meaning in names:
            raise UserError(
                f"{path} has no column {name!r}: it has {', '.join(existing)}; "
                f"name the right one with --columns {meaning}=<column>"
            )
    ids = {name: meaning for meaning, name in chosen.items() if meaning in IDS}
    table = _table(path, sorted(set(chosen.values())), ids)
    table = _with_ids(path, table, ids, [] if notes is None else notes)
    return {meaning: table.column(name).combine_chunks() for meaning, name in chosen.items()}


def read_table(path: Path, ids: str) -> pa.Table:
    """Read all columns of a file, of which the column `ids` has ids.

    Raises:
        UserError: the file can't be read, or has no row.
    """
    return _table(path, None, [ids])


def _with_ids(path: Path, table: pa.Table, ids: Mapping[str, str], notes: list[str]) -> pa.Table:
    """Return the rows that have all ids. `ids` maps the name of a column to its meaning."""
    for name, meaning in ids.items():
        column = table.column(name)
        missing = column.is_null(nan_is_null=True)
        if _is_text(column):
            texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
            missing = pc.or_(missing, pc.is_in(texts, pa.array(MISSING_IDS)))
        if count := pc.sum(missing).as_py():
            notes.append(f"{count:,} rows of {path.name} have no {meaning}: left out")
            table = table.filter(pc.invert(missing))
            if not table.num_rows:
                raise UserError(f"{path} has no row with a {meaning}: give a file with events")
    return table


def _table(path: Path, columns: list[str] | None, ids: Iterable[str]) -> pa.Table:
    """Read the given columns of a file, or all columns if None. Those of `ids` are texts in a CSV file."""
    table = _open_with(path, lambda file, is_csv: _rows(file, is_csv, columns, ids))
    if not table.num_rows:
        raise UserError(f"{path} has no row: give a file with events")
    return table


def _open_with(path: Path, read: Callable[[Path, bool], T]) -> T:
    """Return `read(path, is_csv)`.

    Raises:
        UserError: the file can't be read.
    """
    if not path.is_file():
        raise UserError(f"{path} is not a file: name a Parquet or CSV file")
    is_csv = path.suffix.lower() == ".csv"
    try:
        return read(path, is_csv)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} can't be read as {'CSV' if is_csv else 'Parquet'}: {reason}") from error


def _names(path: Path, is_csv: bool) -> list[str]:
    if not is_csv:
        return list(pyarrow.parquet.read_schema(path).names)
    with pyarrow.csv.open_csv(path) as opened:
        return list(opened.schema.names)


def _rows(path: Path, is_csv: bool, columns: list[str] | None, ids: Iterable[str]) -> pa.Table:
    if not is_csv:
        return pyarrow.parquet.read_table(path, columns=columns)
    options = pyarrow.csv.ConvertOptions(
        include_columns=columns, column_types=dict.fromkeys(ids, pa.string())
    )
    return pyarrow.csv.read_csv(path, convert_options=options)


def order_by(positions: pa.Array) -> Numbers:
    """Return the row numbers sorted by position. Rows with equal positions keep their order.

    Raises:
        UserError: a position is missing or not a number.
    """
    is_number = pa.types.is_integer(positions.type) or pa.types.is_floating(positions.type)
    if positions.null_count or not is_number or not np.isfinite(positions.to_numpy()).all():
        raise UserError("a position is missing or not a number: number the events of each shopper or session")
    return np.argsort(positions.to_numpy(), kind="stable")


def with_same_id_type(*columns: pa.Array) -> list[pa.Array]:
    """Return columns of ids that are compared. If one has texts, the integers of others become texts."""
    if not any(_is_text(column) for column in columns):
        return list(columns)
    return [column if _is_text(column) else _as_text(column) for column in columns]


def _as_text(column: pa.Array) -> pa.Array:
    """Return the texts of integers, also if they are stored as floats: 7.0 is 7."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64(), safe=False)
    return column.cast(pa.string())


def _is_text(column: pa.Array | pa.ChunkedArray) -> bool:
    id_type = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(id_type) or pa.types.is_large_string(id_type))
