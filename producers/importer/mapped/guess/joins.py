"""Proposes which file has the order lines, and which other files have details of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter

from producers.importer.mapped.column_roles import role_of
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile
from producers.importer.mapped.guess.vocabulary import KNOWN, name_score, normal
from producers.importer.mapped.joined import join_key
from producers.importer.mapped.mapping import MISSING
from producers.importer.mapped.rows import SourceFile

_LINE_FIELDS = ("product", "product_name", "price", "quantity", "order", "line", "time")
_ENOUGH = 0.8
"""The share of the lines' values that a joined file must have; a common name needs a tenth of it."""


@dataclass(frozen=True)
class ProposedJoin:
    """A file whose column `key` identifies its rows, and the lines' column that refers to it.

    `columns` are those of the file, with a cell for each row of the lines. `matched` is the share of the
    values of `on` that the file has.
    """

    file: FileProfile
    on: ColumnProfile
    key: ColumnProfile
    matched: float
    columns: list[ColumnProfile]


def columns_of(lines: FileProfile, joins: list[ProposedJoin]) -> list[ColumnProfile]:
    """Return the columns of the lines and of the joined files; of those with one name, the first."""
    columns: dict[str, ColumnProfile] = {}
    for column in chain(lines.columns, *(join.columns for join in joins)):
        columns.setdefault(column.name, column)
    return list(columns.values())


def line_file(files: list[FileProfile]) -> FileProfile:
    """Return the file that looks most like order lines.

    It names products, prices, quantities and orders, and its values repeat those that identify rows of
    others.
    """

    def score(file: FileProfile) -> tuple[int, int]:
        fields = [max((name_score(each, column.name) for column in file.columns), default=0) > KNOWN
                  for each in _LINE_FIELDS]  # fmt: skip
        # In a list of products or of orders, the product or the order does not repeat.
        repeats = any(
            not column.is_unique and name_score(each, column.name) > KNOWN
            for each in ("product", "order", "product_name")
            for column in file.columns
        )
        refers = sum(_refers(file, other) for other in files if other.header != file.header)
        return (sum(fields) + 2 * repeats + 2 * refers, file.rows)

    return max(files, key=score)


def propose_joins(lines: FileProfile, others: list[FileProfile]) -> list[ProposedJoin]:
    """Return the joins of other files, each after the one that has its `on`."""
    joins: list[ProposedJoin] = []
    left = list(others)
    while left:
        known = [*lines.columns, *(column for join in joins for column in join.columns)]
        found = [join for file in left if (join := _join(known, file))]
        if not found:
            break
        best = max(found, key=lambda join: join.matched)
        joins.append(best)
        left = [file for file in left if file is not best.file]
    return joins


def _refers(file: FileProfile, other: FileProfile) -> bool:
    """Whether rows of `other` are what values of this file refer to."""
    return any(
        not on.is_unique and _is_similar(on, key) and len(values & set(on.given)) > 0.1 * key.distinct
        for key, values in ((key, set(key.given)) for key in filter(_may_identify, other.columns))
        for on in file.columns
    )


def _join(known: list[ColumnProfile], file: FileProfile) -> ProposedJoin | None:
    """Return the join that finds a row for the most values of a column."""
    wanted = {id(on): {join_key(text) for text in on.given} for on in known if _may_refer(on)}
    keys = [key for key in file.columns if _may_identify(key)]
    if not keys or not wanted:
        return None
    every = set().union(*wanted.values())
    held: list[set[str]] = [set() for _ in keys]
    places = [file.header.index(key.name) for key in keys]
    for row in _rows(file):
        for values, place in zip(held, places, strict=True):
            if (text := join_key(row[place])) in every:
                values.add(text)
    candidates: list[tuple[tuple[bool, bool, float, int], ColumnProfile, ColumnProfile]] = []
    for key, values in zip(keys, held, strict=True):
        for on in known:
            texts = wanted.get(id(on))
            share = len(values & texts) / len(texts) if texts else 0.0
            is_named = _is_similar(on, key)
            is_telling = len(values) >= 5 and _is_telling(on)
            if share >= (_ENOUGH / 10 if is_named else _ENOUGH) and (is_named or is_telling):
                candidates.append(((is_named, share > 0.99, share, len(values)), on, key))
    if not candidates:
        return None
    (_, _, share, _), on, key = max(candidates, key=itemgetter(0))
    return ProposedJoin(file, on, key, share, list(_aligned(file, on, key)))


def _may_identify(column: ColumnProfile) -> bool:
    """Whether a column may identify the rows of its file. A time or an amount does not, however unique."""
    return column.is_unique and not column.missing_share and len(column.given) > 1 and _may_refer(column)


def _may_refer(column: ColumnProfile) -> bool:
    is_time = bool(column.time_formats) and column.number_share < 0.9
    return bool(column.given) and not is_time and not _is_decimal(column) and role_of(column.name) is None


def _is_decimal(column: ColumnProfile) -> bool:
    return column.number_share > 0.9 and not column.is_integer


def _is_telling(column: ColumnProfile) -> bool:
    """Whether equal values can't be chance: counting numbers, such as 1 to 50, are in many columns."""
    return column.number_share < 0.5 or min(map(len, column.given)) >= 5


def _is_similar(on: ColumnProfile, key: ColumnProfile) -> bool:
    left, right = normal(on.name), normal(key.name)
    stem = normal(key.file.path.stem)
    singular = {stem, stem.removesuffix("s"), stem.removesuffix("es")}
    if left == right or (
        right in ("id", "code", "number") and any(left == f"{each}_{right}" for each in singular)
    ):
        return True
    return any(
        name_score(field, on.name) and name_score(field, key.name)
        for field in ("order", "product", "shopper")
    )


def _aligned(file: FileProfile, on: ColumnProfile, key: ColumnProfile) -> Iterator[ColumnProfile]:
    """Yield the columns of a file with a cell for each row of the lines."""
    place = file.header.index(key.name)
    wanted = {join_key(text) for text in on.texts if text not in MISSING}
    found: dict[str, list[str]] = {}
    for row in _rows(file):
        value = join_key(row[place])
        if value in wanted:
            found.setdefault(value, row)
    empty = [""] * len(file.header)
    rows = [found.get(join_key(text), empty) for text in on.texts]
    for column in file.columns:
        if column is not key:
            at = file.header.index(column.name)
            yield ColumnProfile(file, column.name, [row[at].strip() for row in rows])


def _rows(file: FileProfile) -> Iterator[list[str]]:
    width = len(file.header)
    return (row for _, row in SourceFile(file.path, file.format).rows() if len(row) == width)
