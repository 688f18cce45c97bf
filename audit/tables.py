"""Compares two Arrow tables, row by row and value by value."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import SHOWN, About, Comparison, Difference, Value

_SEPARATOR = "\x1f"
ROUNDING = 1e-9
"""How far sums of fractions may lie apart, as a share of the larger: they were added up in another order."""


def compare_tables(
    about: About,
    left: pa.Table,
    right: pa.Table,
    *,
    explained: frozenset[str] = frozenset(),
    notes: tuple[str, ...] = (),
    rounding: float = 0.0,
) -> Comparison:
    """Compare two tables of the same columns; the order of their rows does not matter.

    All figures must be equal; only with `rounding`, a share, floating-point figures may lie so far apart.

    A key that one side lacks, or has more than once, is a difference of its field `row`. A row that only
    the left side has is forgiven where the first column of its key is in `explained` (what lies in a
    dead-letter topic).

    Raises:
        ValueError: the right side lacks a column of the left side.
    """
    if missing := set(left.column_names) - set(right.column_names):
        raise ValueError(f"{about.name}: {about.right} has no column {', '.join(sorted(missing))}")
    fields = [name for name in left.column_names if name not in about.key]
    right = right.select(left.column_names).cast(left.schema)
    ours, theirs = _Rows.of(left, about.key), _Rows.of(right, about.key)
    gone, extra = ours.beside(theirs), theirs.beside(ours)
    subjects = pc.cast(_flat(left[about.key[0]]).take(gone), pa.string())
    forgiven = pc.is_in(subjects, value_set=pa.array(explained, pa.string()))
    gone, excused = gone.filter(pc.invert(forgiven)), gone.filter(forgiven)
    at_left, at_right = ours.paired(theirs)

    found: list[Difference] = []
    count = 0
    for rows, only, (on_left, on_right) in ((ours, gone, (1, 0)), (theirs, extra, (0, 1))):
        count += len(only)
        for key, row in rows.show(only):
            times = rows.repeated.get(key, 1)
            found.append(Difference(_key(about, row), "row", times * on_left, times * on_right))
    uneven = [
        key
        for key in ours.repeated.keys() | theirs.repeated.keys()
        if ours.repeated.get(key, 1) != theirs.repeated.get(key, 1)
    ]
    doubled = at_left.filter(pc.is_in(ours.keys.take(at_left), value_set=pa.array(uneven, pa.string())))
    count += len(doubled)
    for key, row in ours.show(doubled):
        on_left, on_right = ours.repeated.get(key, 1), theirs.repeated.get(key, 1)
        found.append(Difference(_key(about, row), "row", on_left, on_right))
    for name in fields:
        unlike = _unequal(_flat(left[name]).take(at_left), _flat(right[name]).take(at_right), rounding)
        unequal = pc.indices_nonzero(unlike)
        count += len(unequal)
        sides = ours.show(at_left.take(unequal)), theirs.show(at_right.take(unequal))
        for (_, mine), (_, yours) in zip(*sides, strict=True):
            found.append(Difference(_key(about, mine), name, _plain(mine[name]), _plain(yours[name])))

    return Comparison(
        about=about,
        rows=len(at_left) + len(gone) + len(extra) + len(excused),
        figures=len(at_left) * len(fields),
        explained=len(excused),
        totals={
            name: (_sum(left[name]), _sum(right[name])) for name in fields if _is_figure(left.schema, name)
        },
        differences=tuple(found[:SHOWN]),
        difference_count=count,
        notes=notes,
    )


@dataclass(frozen=True)
class _Rows:
    """A side's rows by where they stand: what is found is copied, the side itself is not.

    `keys` are the keys of all rows, each joined to one string; `first` says where each key stands first,
    `repeated` how often a key came that came more than once.
    """

    table: pa.Table
    keys: pa.Array
    first: pa.Array
    repeated: dict[str, int]

    @classmethod
    def of(cls, table: pa.Table, key: tuple[str, ...]) -> "_Rows":
        """Those of a table with this key."""
        parts = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in key]
        keys = _flat(pc.binary_join_element_wise(*parts, _SEPARATOR))
        everywhere = pa.array(np.arange(len(keys)))
        if pc.count_distinct(keys).as_py() == len(keys):
            return cls(table, keys, everywhere, {})
        standing = pa.table({"key": keys, "at": everywhere})
        counted = standing.group_by("key").aggregate([("at", "min"), ([], "count_all")])
        often = counted.filter(pc.greater(counted["count_all"], 1))
        repeated = dict(zip(often["key"].to_pylist(), often["count_all"].to_pylist(), strict=True))
        return cls(table, keys, _flat(counted["at_min"]), repeated)

    def beside(self, other: "_Rows") -> pa.Array:
        """Where the rows stand whose key the other side has not."""
        return self.first.filter(pc.invert(pc.is_in(self.keys.take(self.first), value_set=other.keys)))

    def paired(self, other: "_Rows") -> tuple[pa.Array, pa.Array]:
        """Where the rows of both sides stand that have the same key: pairs, in the order of their keys."""
        keys = self.keys.take(self.first)
        there = pc.index_in(keys, value_set=other.keys.take(other.first))
        common = pc.is_valid(there)
        order = pc.sort_indices(keys.filter(common))
        return (
            self.first.filter(common).take(order),
            other.first.take(there.filter(common)).take(order),
        )

    def show(self, at: pa.Array) -> Iterator[tuple[str, dict[str, object]]]:
        """The first `SHOWN` of these rows, each with its key."""
        for position in at.slice(0, SHOWN).to_pylist():
            yield self.keys[position].as_py(), self.table.slice(position, 1).to_pylist()[0]


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column in one piece: Arrow 16 crashes the process on columns without chunks."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _unequal(left: pa.Array, right: pa.Array, rounding: float) -> pa.Array:
    """True where the values differ; null equals null only, and what is no number nothing."""
    if pa.types.is_map(left.type):
        pairs = pa.list_(pa.struct([("key", left.type.key_type), ("value", left.type.item_type)]))
        return _unequal_lists(left.cast(pairs), right.cast(pairs))
    if pa.types.is_list(left.type):
        return _unequal_lists(left, right)
    if pa.types.is_struct(left.type):
        return _unequal_structs(left, right)
    differs = pc.not_equal(left, right)
    if rounding and pa.types.is_floating(left.type):
        bound = pc.multiply(pc.max_element_wise(pc.abs(left), pc.abs(right)), rounding)
        apart = pc.invert(pc.less_equal(pc.abs(pc.subtract(left, right)), bound))
        differs = pc.and_(differs, pc.or_(apart, pc.is_inf(bound)))
    one_null = pc.xor(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(differs, False), one_null)


def _unequal_lists(left: pa.ListArray, right: pa.ListArray) -> pa.Array:
    """True where the lists differ in length, or in an element at the same place."""
    differs = _unequal(pc.list_value_length(left), pc.list_value_length(right), 0.0)
    alike = pc.indices_nonzero(pc.invert(differs))
    left, right = left.take(alike), right.take(alike)
    elements = _unequal(pc.list_flatten(left), pc.list_flatten(right), 0.0)
    owners = pc.unique(pc.list_parent_indices(left).filter(elements))
    everywhere = pa.array(np.arange(len(differs)))
    return pc.or_(differs, pc.is_in(everywhere, value_set=alike.take(owners).cast(everywhere.type)))


def _unequal_structs(left: pa.StructArray, right: pa.StructArray) -> pa.Array:
    """True where the structs differ in a field, or only one is null."""
    differs = pc.xor(pc.is_null(left), pc.is_null(right))
    for field in range(left.type.num_fields):
        differs = pc.or_(
            differs, _unequal(pc.struct_field(left, [field]), pc.struct_field(right, [field]), 0.0)
        )
    return differs


def _key(about: About, row: dict[str, object]) -> dict[str, Value]:
    return {name: _plain(row[name]) for name in about.key}


def _plain(value: object) -> Value:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _is_figure(schema: pa.Schema, name: str) -> bool:
    return bool(pa.types.is_integer(schema.field(name).type))


def _sum(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column, min_count=0).as_py())
