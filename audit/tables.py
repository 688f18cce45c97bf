"""Compares two Arrow tables, row by row and value by value."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import MAX_DIFFERENCES, ComparisonResult, ComparisonSpec, Difference, Value
from audit.grouping import grouped

_SEPARATOR = "\x1f"
ROUNDING = 1e-9
"""Relative tolerance for floating-point sums, because the stores add the terms in different orders."""


def compare_tables(
    spec: ComparisonSpec,
    left: pa.Table,
    right: pa.Table,
    *,
    explained: frozenset[str] = frozenset(),
    notes: tuple[str, ...] = (),
    rounding: float = 0.0,
) -> ComparisonResult:
    """Compare two tables of the same columns; the order of their rows does not matter.

    All values must be equal. `rounding` is the relative tolerance of floating-point values.

    A key that one side lacks, or has more often than the other, is a difference of the field `row`. A row
    that the right side lacks is no difference if the first column of its key is in `explained` (the row is in
    a dead-letter topic).

    Raises:
        ValueError: the right side lacks a column of the left side.
    """
    if missing := set(left.column_names) - set(right.column_names):
        raise ValueError(f"{spec.name}: {spec.right} has no column {', '.join(sorted(missing))}")
    fields = [name for name in left.column_names if name not in spec.key]
    right = right.select(left.column_names).cast(left.schema)
    lefts, rights = _IndexedRows.of(left, spec.key), _IndexedRows.of(right, spec.key)
    left_only, right_only = lefts.missing_in(rights), rights.missing_in(lefts)
    subjects = pc.cast(_flat(left[spec.key[0]]).take(left_only), pa.string())
    is_explained = pc.is_in(subjects, value_set=pa.array(explained, pa.string()))
    left_only, explained_rows = left_only.filter(pc.invert(is_explained)), left_only.filter(is_explained)
    at_left, at_right = lefts.matched(rights)

    differences: list[Difference] = []
    differing = {*lefts.keys.take(left_only).to_pylist(), *rights.keys.take(right_only).to_pylist()}
    count = 0
    for rows, only, (on_left, on_right) in ((lefts, left_only, (1, 0)), (rights, right_only, (0, 1))):
        count += len(only)
        for key, row in rows.first_rows(only):
            times = rows.repeated.get(key, 1)
            differences.append(Difference(_key(spec, row), "row", times * on_left, times * on_right))
    unequal_counts = [
        key
        for key in lefts.repeated.keys() | rights.repeated.keys()
        if lefts.repeated.get(key, 1) != rights.repeated.get(key, 1)
    ]
    is_uneven = pc.is_in(lefts.keys.take(at_left), value_set=pa.array(unequal_counts, pa.string()))
    uneven = at_left.filter(is_uneven)
    count += len(uneven)
    differing.update(lefts.keys.take(uneven).to_pylist())
    for key, row in lefts.first_rows(uneven):
        on_left, on_right = lefts.repeated.get(key, 1), rights.repeated.get(key, 1)
        differences.append(Difference(_key(spec, row), "row", on_left, on_right))
    for name in fields:
        is_unequal = _unequal(_flat(left[name]).take(at_left), _flat(right[name]).take(at_right), rounding)
        unequal = pc.indices_nonzero(is_unequal)
        count += len(unequal)
        differing.update(lefts.keys.take(at_left.take(unequal)).to_pylist())
        sides = lefts.first_rows(at_left.take(unequal)), rights.first_rows(at_right.take(unequal))
        for (_, left_row), (_, right_row) in zip(*sides, strict=True):
            differences.append(
                Difference(_key(spec, left_row), name, _plain(left_row[name]), _plain(right_row[name]))
            )

    return ComparisonResult(
        spec=spec,
        rows=len(at_left) + len(left_only) + len(right_only) + len(explained_rows),
        figures=len(at_left) * len(fields),
        explained=len(explained_rows),
        totals={
            name: (_sum(left[name]), _sum(right[name]))
            for name in fields
            if pa.types.is_integer(left.schema.field(name).type)
        },
        differences=tuple(differences[:MAX_DIFFERENCES]),
        difference_count=count,
        notes=notes,
        differing=frozenset(differing),
    )


def joined_keys(table: pa.Table, key: tuple[str, ...]) -> pa.Array:
    """Return the key of each row as one string; nulls count as empty strings."""
    parts = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in key]
    return _flat(pc.binary_join_element_wise(*parts, _SEPARATOR))


def first_key_columns(keys: frozenset[str]) -> list[str]:
    """Return the distinct values of the first key column, sorted, of keys that `joined_keys` returned."""
    return sorted({key.partition(_SEPARATOR)[0] for key in keys})


def replace_rows(table: pa.Table, newer: pa.Table, key: tuple[str, ...], keys: frozenset[str]) -> pa.Table:
    """Return the table with the rows of these keys taken from `newer`, which may have other rows as well."""
    replaced = pa.array(keys, pa.string())
    old = pc.is_in(joined_keys(table, key), value_set=replaced)
    new = pc.is_in(joined_keys(newer, key), value_set=replaced)
    rows = newer.select(table.column_names).cast(table.schema).filter(new)
    return pa.concat_tables([table.filter(pc.invert(old)), rows])


@dataclass(frozen=True)
class _IndexedRows:
    """A table with an index of its keys. Rows are named by their position, so the table is not copied.

    `keys` has the joined key of each row, `first` the position of the first row of each key, and `repeated`
    the number of rows of each key that has several.
    """

    table: pa.Table
    keys: pa.Array
    first: pa.Array
    repeated: dict[str, int]

    @classmethod
    def of(cls, table: pa.Table, key: tuple[str, ...]) -> "_IndexedRows":
        """Index a table by this key."""
        keys = joined_keys(table, key)
        positions = pa.array(np.arange(len(keys)))
        if pc.count_distinct(keys).as_py() == len(keys):
            return cls(table, keys, positions, {})
        counted = grouped(pa.table({"key": keys, "at": positions}), "key", [("at", "min"), ([], "count_all")])
        often = counted.filter(pc.greater(counted["count_all"], 1))
        repeated = dict(zip(often["key"].to_pylist(), often["count_all"].to_pylist(), strict=True))
        return cls(table, keys, _flat(counted["at_min"]), repeated)

    def missing_in(self, other: "_IndexedRows") -> pa.Array:
        """Return the positions of the rows whose key the other side lacks."""
        return self.first.filter(pc.invert(pc.is_in(self.keys.take(self.first), value_set=other.keys)))

    def matched(self, other: "_IndexedRows") -> tuple[pa.Array, pa.Array]:
        """Return the positions of the rows with equal keys on both sides, as pairs ordered by key."""
        keys = self.keys.take(self.first)
        found_at = pc.index_in(keys, value_set=other.keys.take(other.first))
        common = pc.is_valid(found_at)
        order = pc.sort_indices(keys.filter(common))
        return (
            self.first.filter(common).take(order),
            other.first.take(found_at.filter(common)).take(order),
        )

    def first_rows(self, at: pa.Array) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield the first `MAX_DIFFERENCES` of the rows at these positions, each with its key."""
        for position in at.slice(0, MAX_DIFFERENCES).to_pylist():
            yield self.keys[position].as_py(), self.table.slice(position, 1).to_pylist()[0]


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return the column as one array, because Arrow 16 crashes on columns without chunks."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _unequal(left: pa.Array, right: pa.Array, rounding: float) -> pa.Array:
    """Return True where the values differ. Null equals only null, and NaN equals nothing."""
    if pa.types.is_map(left.type):
        return _unequal_lists(_sorted_pairs(left), _sorted_pairs(right))
    if pa.types.is_list(left.type):
        return _unequal_lists(left, right)
    if pa.types.is_struct(left.type):
        return _unequal_structs(left, right)
    differs = pc.not_equal(left, right)
    if rounding and pa.types.is_floating(left.type):
        bound = pc.multiply(pc.max_element_wise(pc.abs(left), pc.abs(right)), rounding)
        apart = pc.invert(pc.less_equal(pc.abs(pc.subtract(left, right)), bound))
        differs = pc.and_(differs, pc.or_(apart, pc.is_inf(bound)))
    return pc.or_(pc.fill_null(differs, False), pc.xor(pc.is_null(left), pc.is_null(right)))


def _sorted_pairs(maps: pa.MapArray) -> pa.ListArray:
    """Return each map as the list of its pairs by key: a store may return them in any order."""
    kind = pa.list_(pa.struct([("key", maps.type.key_type), ("value", maps.type.item_type)]))
    lists = maps.cast(kind)
    pairs, owners = pc.list_flatten(lists), pc.list_parent_indices(lists)
    by_key = pa.table({"owner": owners, "key": pc.struct_field(pairs, [0])})
    order = pc.sort_indices(by_key, sort_keys=[("owner", "ascending"), ("key", "ascending")])
    ends = np.cumsum(pc.fill_null(pc.list_value_length(lists), 0))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pairs.take(order), type=kind, mask=pc.is_null(lists))


def _unequal_lists(left: pa.ListArray, right: pa.ListArray) -> pa.Array:
    """Return True where the lists differ in length or in an element."""
    differs = _unequal(pc.list_value_length(left), pc.list_value_length(right), 0.0)
    alike = pc.indices_nonzero(pc.invert(differs))
    left, right = left.take(alike), right.take(alike)
    elements = _unequal(pc.list_flatten(left), pc.list_flatten(right), 0.0)
    owners = pc.unique(pc.list_parent_indices(left).filter(elements))
    positions = pa.array(np.arange(len(differs)))
    return pc.or_(differs, pc.is_in(positions, value_set=alike.take(owners).cast(positions.type)))


def _unequal_structs(left: pa.StructArray, right: pa.StructArray) -> pa.Array:
    """Return True where the structs differ in a field, or only one of them is null."""
    differs = pc.xor(pc.is_null(left), pc.is_null(right))
    for field in range(left.type.num_fields):
        differs = pc.or_(
            differs, _unequal(pc.struct_field(left, [field]), pc.struct_field(right, [field]), 0.0)
        )
    return differs


def _key(spec: ComparisonSpec, row: dict[str, object]) -> dict[str, Value]:
    return {name: _plain(row[name]) for name in spec.key}


def _plain(value: object) -> Value:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _sum(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column, min_count=0).as_py())
