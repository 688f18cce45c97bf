"""Reads all line files of a mapping into arrays: a number or a code for each field of each row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from producers.importer.mapped.cells import IdCodes
from producers.importer.mapped.joined import ColumnReader, JoinedFile, open_joins
from producers.importer.mapped.line_reader import ID_FIELDS, TEXT_FIELDS, Arrays, LineReader
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.rows import SourceFile
from producers.importer.mapped.sections import FileFormat


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
