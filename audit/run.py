"""Runs comparisons. While the shop is open, reads the rows that differ again."""

import time
from collections.abc import Callable, Iterable, Iterator

from audit.comparison import ComparisonResult
from audit.registry import COMPARISONS
from audit.stores import Stores
from audit.table_comparison import TableComparison

REREAD_PAUSE_S = 1.0
"""Pause between two readings, in which pending events arrive."""


def compare_once(name: str, stores: Stores) -> list[ComparisonResult]:
    """Return the results of a comparison without reading anything again."""
    return [_compare(each) for each in COMPARISONS[name](stores)]


def compare_all(
    names: Iterable[str],
    stores: Stores,
    has_moved: Callable[[], bool],
    stalled_s: float,
    progress: Callable[[str], None],
) -> Iterator[ComparisonResult]:
    """Yield the results of the named comparisons; those that differ on an open shop come last.

    If an event was sent since the cut (`has_moved`), the differing rows are read again until they agree, or
    until their number has not fallen for `stalled_s`. Rows that still differ then are differences.
    """
    pending: list[TableComparison] = []
    for name in names:
        progress(name)
        for each in COMPARISONS[name](stores):
            result = _compare(each)
            if isinstance(each, TableComparison) and result.differing and has_moved():
                pending.append(each)
            else:
                yield result
    yield from _reread(pending, stores, stalled_s, progress)


def _reread(
    pending: list[TableComparison], stores: Stores, stalled_s: float, progress: Callable[[str], None]
) -> Iterator[ComparisonResult]:
    fewest, fewest_at_s = float("inf"), time.monotonic()
    while pending:
        time.sleep(REREAD_PAUSE_S)
        stores.service_db.take_snapshot()
        differing, remaining, results = 0, [], []
        for each in pending:
            progress(f"{each.spec.name}: reading the rows that differ again")
            result = each.reread()
            if result.differing:
                differing += len(result.differing)
                remaining.append(each)
                results.append(result)
            else:
                yield result
        if differing < fewest:
            fewest, fewest_at_s = differing, time.monotonic()
        elif time.monotonic() - fewest_at_s >= stalled_s:
            yield from results
            return
        pending = remaining


def _compare(comparison: ComparisonResult | TableComparison) -> ComparisonResult:
    return comparison.compare() if isinstance(comparison, TableComparison) else comparison
