"""Compares two Arrow tables, row by row and value by value."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import SHOWN, About, Comparison, Difference, Value

_KEY = "\x1fkey"
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
    dead-letter topic). Needs about three times the memory of both tables.

    Raises:
        ValueError: the right side lacks a column of the left side.
    """
    if missing := set(left.column_names) - set(right.column_names):
        raise ValueError(f"{about.name}: {about.right} has no column {', '.join(sorted(missing))}")
    fields = [name for name in left.column_names if name not in about.key]
    right = right.select(left.column_names).cast(left.schema)
    left_once, left_counts = _once(left, about.key)
    right_once, right_counts = _once(right, about.key)

    gone = left_once.filter(pc.invert(_among(left_once[_KEY], right_once[_KEY])))
    extra = right_once.filter(pc.invert(_among(right_once[_KEY], left_once[_KEY])))
    forgiven = _among(pc.cast(gone[about.key[0]], pa.string()), pa.array(explained, pa.string()))
    excused = gone.filter(forgiven)
    gone = gone.filter(pc.invert(forgiven))
    both_left = left_once.filter(_among(left_once[_KEY], right_once[_KEY])).sort_by(_KEY)
    both_right = right_once.filter(_among(right_once[_KEY], left_once[_KEY])).sort_by(_KEY)

    found: list[Difference] = []
    count = 0
    for rows, counts, (on_left, on_right) in ((gone, left_counts, (1, 0)), (extra, right_counts, (0, 1))):
        count += rows.num_rows
        for row in rows.slice(0, SHOWN).to_pylist():
            times = counts.get(row[_KEY], 1)
            found.append(Difference(_key(about, row), "row", times * on_left, times * on_right))
    uneven = [
        key
        for key in left_counts.keys() | right_counts.keys()
        if left_counts.get(key, 1) != right_counts.get(key, 1)
    ]
    doubled = both_left.filter(_among(both_left[_KEY], pa.array(uneven, pa.string())))
    count += doubled.num_rows
    for row in doubled.slice(0, SHOWN).to_pylist():
        on_left, on_right = left_counts.get(row[_KEY], 1), right_counts.get(row[_KEY], 1)
        found.append(Difference(_key(about, row), "row", on_left, on_right))
    for name in fields:
        unequal = pc.indices_nonzero(_unequal(_flat(both_left[name]), _flat(both_right[name]), rounding))
        count += len(unequal)
        found.extend(_differing(about, name, both_left, both_right, unequal.slice(0, SHOWN)))

    return Comparison(
        about=about,
        rows=both_left.num_rows + gone.num_rows + extra.num_rows + excused.num_rows,
        figures=both_left.num_rows * len(fields),
        explained=excused.num_rows,
        totals={
            name: (_sum(left[name]), _sum(right[name])) for name in fields if _is_figure(left.schema, name)
        },
        differences=tuple(found[:SHOWN]),
        difference_count=count,
        notes=notes,
    )


def _once(table: pa.Table, key: tuple[str, ...]) -> tuple[pa.Table, dict[str, int]]:
    """The table with each key once and joined to one string, and how often each repeated key came."""
    parts = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in key]
    joined = pc.binary_join_element_wise(*parts, _SEPARATOR)
    keyed = table.append_column(_KEY, joined)
    counts = keyed.group_by(_KEY).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if not repeated.num_rows:
        return keyed, {}
    first = pa.table({_KEY: joined, "at": pa.array(range(table.num_rows), pa.int64())})
    kept = first.group_by(_KEY).aggregate([("at", "min")])["at_min"]
    return keyed.take(kept), dict(
        zip(*repeated.select([_KEY, "count_all"]).to_pydict().values(), strict=True)
    )


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column in one piece: Arrow 16 crashes the process on columns without chunks."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _among(column: pa.ChunkedArray, values: pa.ChunkedArray | pa.Array) -> pa.Array:
    """True where a value of `column` is one of `values`."""
    return pc.is_in(_flat(column), value_set=_flat(values))


def _unequal(left: pa.Array, right: pa.Array, rounding: float) -> pa.Array:
    """True where the values differ; null equals null only, and what is no number nothing."""
    if pa.types.is_nested(left.type):
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return pa.array([a != b for a, b in pairs], pa.bool_())
    differs = pc.not_equal(left, right)
    if rounding and pa.types.is_floating(left.type):
        bound = pc.multiply(pc.max_element_wise(pc.abs(left), pc.abs(right)), rounding)
        apart = pc.invert(pc.less_equal(pc.abs(pc.subtract(left, right)), bound))
        differs = pc.and_(differs, pc.or_(apart, pc.is_inf(bound)))
    one_null = pc.xor(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(differs, False), one_null)


def _differing(
    about: About, name: str, left: pa.Table, right: pa.Table, at: pa.Array
) -> Iterator[Difference]:
    lefts, rights = left.take(at).to_pylist(), right.take(at).to_pylist()
    for a, b in zip(lefts, rights, strict=True):
        yield Difference(_key(about, a), name, _plain(a[name]), _plain(b[name]))


def _key(about: About, row: dict[str, object]) -> dict[str, Value]:
    return {name: _plain(row[name]) for name in about.key}


def _plain(value: object) -> Value:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _is_figure(schema: pa.Schema, name: str) -> bool:
    return bool(pa.types.is_integer(schema.field(name).type))


def _sum(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column, min_count=0).as_py())
