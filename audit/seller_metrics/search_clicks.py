"""Clicks in search results on the offers of sellers, and what followed from each."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.seller_metrics.figures import SourceMonths

LEADS_TO_MS = 24 * 3_600_000
"""What happens this long after a click did not follow from it."""

Offer = tuple[str, str, str]
"""Session, seller and product."""


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `search_clicks`."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["kind"]].append(row)
    confirmed = {row["id"] for row in found["confirmed"]}
    added = _times(found["carted"])
    ordered = _times(row for row in found["ordered"] if row["id"] in confirmed)
    for click in found["clicked"]:
        sums = months.at(click["seller_id"], click["at_ms"]).sums
        sums["clicks"] += 1
        sums["carted"] += _follows(click["at_ms"], added[_offer(click)])
        sums["bought"] += _follows(click["at_ms"], ordered[_offer(click)])


def _times(rows: Iterable[Mapping[str, Any]]) -> dict[Offer, list[int]]:
    times: dict[Offer, list[int]] = defaultdict(list)
    for row in sorted(rows, key=lambda each: int(each["at_ms"])):
        times[_offer(row)].append(row["at_ms"])
    return times


def _offer(row: Mapping[str, Any]) -> Offer:
    return row["session_id"], row["seller_id"], row["product_id"]


def _follows(clicked_ms: int, times: Sequence[int]) -> bool:
    """Return whether the first of the times at or after a click is less than a day later."""
    number = bisect_left(times, clicked_ms)
    return number < len(times) and times[number] < clicked_ms + LEADS_TO_MS
