"""The shares of sellers in the recommended offers of a month, and in the offers listed at its end."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `exposure`: recommended items, listings and delistings."""
    shown: Counter[tuple[int, int]] = Counter()
    moment_of: dict[tuple[int, int], int] = {}
    sellers: set[str] = set()
    steps: dict[tuple[str, str], list[tuple[int, str, bool]]] = defaultdict(list)
    for row in rows:
        sellers.add(row["seller_id"])
        if row["kind"] != "shown":
            step = row["at_ms"], row["event_id"], row["kind"] == "listed"
            steps[row["seller_id"], row["product_id"]].append(step)
            continue
        day = months.day(row["at_ms"])
        moment_of[day.year, day.month] = row["at_ms"]
        shown[day.year, day.month] += 1
        months.at(row["seller_id"], row["at_ms"]).sums["impressions"] += 1
    for month, count in shown.items():
        for seller_id in sellers:
            months.at(seller_id, moment_of[month]).sums["all_impressions"] += count
    if not steps:
        return
    for end_ms in months.month_ends(min(min(each)[0] for each in steps.values())):
        listed = Counter(seller_id for (seller_id, _), own in steps.items() if _is_listed(own, end_ms))
        for seller_id in sellers:
            sums = months.at(seller_id, end_ms - 1).sums
            sums["listed"] += listed[seller_id]
            sums["all_listed"] += listed.total()


def _is_listed(steps: Iterable[tuple[int, str, bool]], end_ms: int) -> bool:
    """Return whether the last step before a moment is a listing or a change of it."""
    before = [step for step in steps if step[0] < end_ms]
    return bool(before) and max(before)[2]
