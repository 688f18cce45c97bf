"""Columns of a Parquet or CSV file by what they mean, whatever they are called there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from common.errors import UserError

Names = Mapping[str, str]
"""What a column means → what it is called, where that differs: {"user": "uid"}."""

MEANINGS = ("user", "item", "time", "weight", "session", "position", "prefix", "target")


def parse_names(said: str) -> Names:
    """`user=uid,item=sku` as a mapping.

    Raises:
        UserError: it can't be read, or names a meaning that there is not.
    """
    pairs = [each.split("=") for each in said.split(",") if each.strip()]
    if any(len(pair) != 2 or pair[0].strip() not in MEANINGS or not pair[1].strip() for pair in pairs):
        raise UserError(
            f"--columns {said!r} can't be read: write user=<column>,item=<column>, of {', '.join(MEANINGS)}"
        )
    return {meaning.strip(): name.strip() for meaning, name in pairs}


def read(path: Path, names: Names, needed: Sequence[str], wanted: Sequence[str] = ()) -> dict[str, pa.Array]:
    """The columns of a file by meaning: all of `needed`, and those of `wanted` that are there.

    A column that `names` tells of is needed, too.

    Raises:
        UserError: the file can't be read, has no row, or lacks a column.
    """
    table = read_all(path)
    found = {}
    for meaning in (*needed, *wanted):
        name = names.get(meaning, meaning)
        if name in table.column_names:
            found[meaning] = table.column(name).combine_chunks()
        elif meaning in needed or meaning in names:
            raise UserError(
                f"{path} has no column {name!r}: it has {', '.join(table.column_names)}; "
                f"say which is meant with --columns {meaning}=<column>"
            )
    return found


def read_all(path: Path) -> pa.Table:
    """A file with all its columns.

    Raises:
        UserError: the file can't be read, or has no row.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file: name a Parquet or CSV file")
    try:
        is_csv = path.suffix.lower() == ".csv"
        table = pyarrow.csv.read_csv(path) if is_csv else pyarrow.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} can't be read as {'CSV' if is_csv else 'Parquet'}: {reason}") from error
    if not table.num_rows:
        raise UserError(f"{path} has no row: give a file with events")
    return table


def require_one_kind(what: str, train: pa.Array, test: pa.Array) -> None:
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
