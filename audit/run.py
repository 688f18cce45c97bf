"""Runs comparisons. While the shop is open, reads the rows that differ again."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.registry import COMPARISONS
from audit.sources.busy import StoreBusy
from audit.stores import Stores
from audit.table_comparison import TableComparison
from common.background import in_background

REREAD_PAUSE_S = 1.0
"""Pause between two readings, in which pending events arrive."""

REREAD_AT_MOST_S = 1_800.0
"""Rows that differ are read again for so long at most, because nothing of the audit is recorded before."""

STALLED_READINGS = 3
"""Rows that differ are read at least so often again without fewer of them, however long a reading takes."""

BESIDE = frozenset({"facts_vs_seller_api", "aggregates_vs_marketplace_api"})
"""The comparisons that mostly wait for answers of the API: they can run beside the others."""

Compared = tuple[ComparisonResult | TableComparison, ComparisonResult]
"""A comparison, and its result."""


def compare_once(name: str, stores: Stores) -> list[ComparisonResult]:
    """Return the results of a comparison without reading anything again."""
    return [result for _, result in _compared([name], stores)]


def compare_all(
    names: Iterable[str],
    stores: Stores,
    has_moved: Callable[[], bool],
    stalled_s: float,
    progress: Callable[[str], None],
    beside: Stores | None = None,
) -> Iterator[ComparisonResult]:
    """Yield the results of the named comparisons; those that differ on an open shop come last.

    If an event was sent since the cut (`has_moved`), the differing rows are read again until they agree, or
    until their number has not fallen for `stalled_s` and `STALLED_READINGS`. Rows that still
    differ then are differences.
    Comparisons of `BESIDE` run in a thread with the stores `beside`, if they are given: the same stores over
    connections of their own.
    """
    names = list(names)
    apart = [name for name in names if name in BESIDE and beside]
    in_thread = in_background(lambda: list(_compared(apart, beside or stores)))
    in_turn = partial(_compared, [name for name in names if name not in apart], stores, progress)
    pending: list[TableComparison] = []
    for compared in (in_turn, in_thread.result):  # what a comparison in the thread raised is raised here
        for each, result in compared():
            if isinstance(each, TableComparison) and result.differing and has_moved():
                pending.append(each)
            else:
                yield result
    yield from _reread(pending, stores, stalled_s, progress)


def _compared(
    names: list[str], stores: Stores, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Compared]:
    for name in names:
        progress(name)
        for each in COMPARISONS[name](stores):
            yield each, _result(each.spec, each.compare) if isinstance(each, TableComparison) else each


def _result(spec: ComparisonSpec, read: Callable[[], ComparisonResult]) -> ComparisonResult:
    """Return what `read` returns. If a store is too busy for it, the other comparisons go on."""
    try:
        return read()
    except StoreBusy as error:
        return ComparisonResult(spec, unread=str(error))


def _reread(
    pending: list[TableComparison], stores: Stores, stalled_s: float, progress: Callable[[str], None]
) -> Iterator[ComparisonResult]:
    begun_s = time.monotonic()
    fewest, fewest_at_s, stalled = float("inf"), begun_s, 0
    while pending:
        time.sleep(REREAD_PAUSE_S)
        stores.service_db.take_snapshot()
        differing, remaining, results = 0, [], []
        for each in pending:
            progress(f"{each.spec.name}: reading the rows that differ again")
            result = _result(each.spec, each.reread)
            if result.differing:
                differing += len(result.differing)
                remaining.append(each)
                results.append(result)
            else:
                yield result
        if differing < fewest:
            fewest, fewest_at_s, stalled = differing, time.monotonic(), 0
        else:
            stalled += 1
        now_s = time.monotonic()
        has_stalled = stalled >= STALLED_READINGS and now_s - fewest_at_s >= stalled_s
        if has_stalled or now_s - begun_s >= REREAD_AT_MOST_S:
            yield from results
            return
        pending = remaining
