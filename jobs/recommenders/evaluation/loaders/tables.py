"""Columns of a Parquet or CSV file by what they mean, whatever they are called there."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from common.errors import UserError

T = TypeVar("T")

ColumnNames = Mapping[str, str]
"""What a column means → what it is called, where that differs: {"user": "uid"}."""

MEANINGS = ("user", "item", "time", "weight", "session", "position", "prefix", "target")


def parse_column_names(text: str) -> ColumnNames:
    """`user=uid,item=sku` as a mapping.

    Raises:
        UserError: it can't be read, or names a meaning that there is not.
    """
    pairs = [each.split("=") for each in text.split(",") if each.strip()]
    if any(len(pair) != 2 or pair[0].strip() not in MEANINGS or not pair[1].strip() for pair in pairs):
        raise UserError(
            f"--columns {text!r} can't be read: write user=<column>,item=<column>, of {', '.join(MEANINGS)}"
        )
    return {meaning.strip(): name.strip() for meaning, name in pairs}


def read_columns(
    path: Path, names: ColumnNames, needed: Sequence[str], wanted: Sequence[str] = ()
) -> dict[str, pa.Array]:
    """The columns of a file by meaning: all of `needed`, and those of `wanted` that are there.

    A column that `names` tells of is needed, too.

    Raises:
        UserError: the file can't be read, has no row, or lacks a column.
    """
    there = _open_with(path, _names)
    chosen = {}
    for meaning in (*needed, *wanted):
        name = names.get(meaning, meaning)
        if name in there:
            chosen[meaning] = name
        elif meaning in needed or meaning in names:
            raise UserError(
                f"{path} has no column {name!r}: it has {', '.join(there)}; "
                f"say which is meant with --columns {meaning}=<column>"
            )
    table = _table(path, sorted(set(chosen.values())))
    return {meaning: table.column(name).combine_chunks() for meaning, name in chosen.items()}


def read_table(path: Path) -> pa.Table:
    """A file with all its columns.

    Raises:
        UserError: the file can't be read, or has no row.
    """
    return _table(path, None)


def _table(path: Path, columns: list[str] | None) -> pa.Table:
    """A file with these columns; None: with all."""
    table = _open_with(path, lambda file, is_csv: _rows(file, is_csv, columns))
    if not table.num_rows:
        raise UserError(f"{path} has no row: give a file with events")
    return table


def _open_with(path: Path, take: Callable[[Path, bool], T]) -> T:
    """What `take` makes of a file and whether it is CSV.

    Raises:
        UserError: the file can't be read.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file: name a Parquet or CSV file")
    is_csv = path.suffix.lower() == ".csv"
    try:
        return take(path, is_csv)
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


def require_same_id_type(what: str, train: pa.Array, test: pa.Array) -> None:
    """Ids in both files must be of one kind: `1` is not `"1"`.

    Raises:
        UserError: they are strings in one and numbers in the other.
    """
    kinds = ["text" if _is_text(each) else "numbers" for each in (train, test)]
    if kinds[0] != kinds[1]:
        raise UserError(
            f"the {what} ids are {kinds[0]} in the training file and {kinds[1]} in the test file: "
            "write both as one type"
        )


def _is_text(column: pa.Array) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
