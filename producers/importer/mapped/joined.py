"""Adds the columns of other files to the lines: those of the order, the product or the shopper."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError
from producers.importer.mapped.cells import without_zero_fraction
from producers.importer.mapped.mapping import Join
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.rows import Row, SourceFile

Get = Callable[[str], Sequence[str]]
"""Column → its texts, one for each row of a batch."""


class JoinedFile:
    """The rows of a joined file, by key. Of rows with equal keys, the first counts."""

    def __init__(self, join: Join, file: SourceFile, columns: list[str]) -> None:
        self.join = join
        self.file = file
        self.columns = columns
        self._rows: dict[str, int] = {}
        self._values: dict[str, list[str]] = {column: [] for column in columns}
        key, width = file.find(join.key_column), len(file.header)
        positions = {column: file.find(column) for column in columns}
        repeats: list[bool] = []
        malformed: list[bool] = []
        for batch in file.batches():
            for row in batch:
                number, is_malformed = len(repeats), len(row) != width
                malformed.append(is_malformed)
                value = "" if is_malformed else join_key(row[key])
                repeats.append(not is_malformed and self._rows.setdefault(value, number) != number)
            for column, position in positions.items():
                self._values[column] += [row[position] if len(row) == width else "" for row in batch]
        self._rows.pop("", None)
        self._outcomes = Outcomes.of(len(repeats))
        self._outcomes.reject(np.array(malformed, bool), f"has more or fewer cells than the {width} columns")
        self._outcomes.reject(np.array(repeats, bool), f"repeats the {join.key_column} of an earlier row")
        self._referenced = np.zeros(len(repeats), bool)

    def look_up(self, keys: Sequence[str]) -> Get:
        """Return the columns for lines with these keys; texts are empty where no row has the key."""
        found = [self._rows.get(join_key(key), -1) for key in keys]
        self._referenced[[row for row in found if row >= 0]] = True

        def get(column: str) -> list[str]:
            values = self._values[column]
            return [values[row] if row >= 0 else "" for row in found]

        return get

    def outcomes(self) -> Outcomes:
        """Return what became of each row, after all lines have been read."""
        self._outcomes.use(self._referenced, "details of lines")
        self._outcomes.reject(~self._referenced, "no line refers to it")
        return self._outcomes


class ColumnReader:
    """Finds the columns of a line file in the file itself or in the joined files.

    `decimals` has the decimal separator of each column: that of its file.
    """

    def __init__(self, file: SourceFile, joins: list[JoinedFile], needed: set[str]) -> None:
        self._joins = joins
        self._own = {name: file.find(name) for name in needed if name in file.header}
        self._own |= {each.join.on: file.find(each.join.on) for each in joins if each.join.on in file.header}
        self.decimals = {name: joined.join.decimal for joined in reversed(joins) for name in joined.columns}
        self.decimals |= dict.fromkeys(self._own, file.format.decimal)

    def read(self, batch: list[Row]) -> Get:
        """Return the columns of these rows."""
        columns: dict[str, Sequence[str]] = {
            name: [row[position] for row in batch] for name, position in self._own.items()
        }
        for joined in self._joins:
            get = joined.look_up(columns[joined.join.on])
            for name in joined.columns:
                columns.setdefault(name, get(name))
        return columns.__getitem__


def open_joins(joins: list[Join], directory: Path, first: SourceFile, needed: set[str]) -> list[JoinedFile]:
    """Open the joined files, and read the needed columns that the lines' file lacks.

    Raises:
        UserError: a file is missing, or a column is in no file, or in several.
    """
    files = [SourceFile(existing(directory, join.path), join) for join in joins]
    wanted = needed | {join.on for join in joins}
    keys = {join.key_column for join in joins} | {join.on for join in joins}
    home: dict[str, SourceFile] = {}
    for name in sorted(wanted - set(first.header)):
        holders = [file for file in files if name in file.header]
        if not holders:
            first.find(name)
        if len(holders) > 1 and name not in keys:
            raise UserError(
                f"the column {name!r} is in {holders[0].path} and in {holders[1].path}: rename one of them"
            )
        home[name] = holders[0]
    opened: list[JoinedFile] = []
    for join, file in zip(joins, files, strict=True):
        if join.on not in first.header and not any(join.on in each.columns for each in opened):
            if holder := next((each for each in files if each is not file and join.on in each.header), None):
                raise UserError(
                    f"the join of {join.path} reads the column {join.on!r} of the lines, which they get from "
                    f"{holder.path.name}: list the join of {holder.path.name} before it"
                )
            first.find(join.on)
        opened.append(JoinedFile(join, file, [name for name, holder in home.items() if holder is file]))
    return opened


def existing(directory: Path, path: str) -> Path:
    """Return the file at `path` in a directory.

    Raises:
        UserError: there is no such file, or the path is absolute.
    """
    if Path(path).is_absolute():
        raise UserError(f"the mapping's path {path} must be relative to {directory}")
    found = directory / path
    if not found.is_file():
        raise UserError(f"{found} is not there: correct `path` in the mapping, or the directory")
    return found


def join_key(text: str) -> str:
    """Return the text under which a row of a joined file is found: `17.0` is `17`."""
    return without_zero_fraction(text.strip())
