"""The reviews of sellers, by the time at which they were written."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(reviews: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `review_scores`."""
    for review in reviews:
        sums = months.at(review["seller_id"], review["at_ms"]).sums
        sums["reviews"] += 1
        sums["scores"] += review["score"]
        sums["low"] += review["score"] <= 2
