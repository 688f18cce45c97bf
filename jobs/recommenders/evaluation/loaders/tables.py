"""Reads the columns of Parquet and CSV files by meaning, under any name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from common.errors import UserError
from jobs.recommenders.evaluation.sets import Numbers

T = TypeVar("T")

ColumnNames = Mapping[str, str]
"""Maps the meaning of a column to its name in the file, if the two differ: {"user": "uid"}."""

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
    path: Path, names: ColumnNames, needed: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, pa.Array]:
    """Return the columns of a file by meaning: all of `needed`, and those of `optional` that exist.

    An optional column is needed if `names` gives its name.

    Raises:
        UserError: the file can't be read, has no row, or lacks a column.
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
    table = _table(path, sorted(set(chosen.values())))
    return {meaning: table.column(name).combine_chunks() for meaning, name in chosen.items()}


def read_table(path: Path) -> pa.Table:
    """Read all columns of a file.

    Raises:
        UserError: the file can't be read, or has no row.
    """
    return _table(path, None)


def _table(path: Path, columns: list[str] | None) -> pa.Table:
    """Read the given columns of a file, or all columns if None."""
    table = _open_with(path, lambda file, is_csv: _rows(file, is_csv, columns))
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


def _rows(path: Path, is_csv: bool, columns: list[str] | None) -> pa.Table:
    if not is_csv:
        return pyarrow.parquet.read_table(path, columns=columns)
    return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(include_columns=columns))


def order_by(positions: pa.Array) -> Numbers:
    """Return the row numbers sorted by position. Rows with equal positions keep their order.

    Raises:
        UserError: a position is missing or not a number.
    """
    is_number = pa.types.is_integer(positions.type) or pa.types.is_floating(positions.type)
    if positions.null_count or not is_number or not np.isfinite(positions.to_numpy()).all():
        raise UserError("a position is missing or not a number: number the events of each shopper or session")
    order: Numbers = np.argsort(positions.to_numpy(), kind="stable")
    return order


def require_same_id_type(what: str, train: pa.Array, test: pa.Array) -> None:
    """Check that the ids in both files have the same type: `1` is not `"1"`.

    Raises:
        UserError: the ids are strings in one file and numbers in the other.
    """
    types = ["text" if _is_text(each) else "numbers" for each in (train, test)]
    if types[0] != types[1]:
        raise UserError(
            f"the {what} ids are {types[0]} in the training file and {types[1]} in the test file: "
            "write both as one type"
        )


def _is_text(column: pa.Array) -> bool:
    id_type = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(id_type) or pa.types.is_large_string(id_type))
