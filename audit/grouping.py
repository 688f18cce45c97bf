"""Groups the rows of Arrow tables, also of tables without rows."""

from collections.abc import Sequence

import pyarrow as pa

Aggregation = tuple[str, str] | tuple[list[str], str]
"""A column and the function of its values; `([], "count_all")` counts rows."""


def grouped(
    table: pa.Table, by: str | Sequence[str], aggregations: Sequence[Aggregation], *, use_threads: bool = True
) -> pa.Table:
    """Return a row for each group: the columns `by`, then the aggregations, as Arrow names them.

    Arrow 16 groups a table without rows with a length that it has not set, and so may allocate up to 4 GB,
    which fails under a limit. Such a table is grouped with one row instead, which is then dropped.
    """
    sample = table if table.num_rows else pa.Table.from_pylist([{}], table.schema)
    keys = [by] if isinstance(by, str) else list(by)
    groups = sample.group_by(keys, use_threads=use_threads).aggregate(list(aggregations))
    return groups if table.num_rows else groups.slice(0, 0)
