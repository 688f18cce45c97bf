"""The newest reviews of sellers at the end of each month, and those before them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

NEWEST = 20
"""How many reviews are compared with as many before them."""

_MINUTE_MS = 60_000


def add(reviews: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `review_trend`."""
    of_seller: dict[str, list[tuple[int, str, str, int]]] = defaultdict(list)
    for review in reviews:
        minute_ms = review["at_ms"] // _MINUTE_MS * _MINUTE_MS
        identity = minute_ms, review["order_id"], review["review_id"]
        of_seller[review["seller_id"]].append((*identity, review["score"]))
    for seller_id, own in of_seller.items():
        own.sort()
        for end_ms in months.month_ends(own[0][0]):
            scores = [score for minute_ms, _, _, score in own if minute_ms < end_ms]
            if len(scores) >= 2 * NEWEST:
                sums = months.at(seller_id, end_ms - 1).sums
                sums["recent_scores"] += sum(scores[-NEWEST:])
                sums["earlier_scores"] += sum(scores[-2 * NEWEST : -NEWEST])
                sums["compared_reviews"] += NEWEST
