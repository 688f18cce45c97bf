"""Makes tables of the values of metrics, as text: a missing value is empty."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from audit.reference.arithmetic import Value

KEY = ("seller_id", "period")
_NOTHING = frozenset((None, 0, "", "0", "0.0"))
"""Values that don't show that anything happened."""


def metric_table(
    names: Sequence[str], rows: Iterable[tuple[str, str, Mapping[str, Value | str]]]
) -> pa.Table:
    """Return the values of some metrics by seller and part of the time, without those of nothing."""
    columns: dict[str, list[str]] = {name: [] for name in (*KEY, *names)}
    for seller_id, period, values in rows:
        if any(values[name] not in _NOTHING for name in names):
            columns["seller_id"].append(seller_id)
            columns["period"].append(period)
            for name in names:
                value = values[name]
                columns[name].append("" if value is None else str(value))
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
