"""Compares what is viewed since the model in use was trained with what was viewed before.

The measure is the population stability index (PSI) of Siddiqi, Credit Risk Scorecards (2006), there with the
bounds .1 (a small change) and .25 (a large one); .2 is the usual bound to train again. Without a drift, PSI
is about (1/n + 1/m) · χ² with one degree of freedom less than bins (Yurdakul, Statistical Properties of the
Population Stability Index, 2018). With 51 bins and `MIN_VIEWS` views on both sides, 99.9 % of these values
are below .087. Views of one visitor are alike, which doubles the value at most, because a visitor's day
counts with few views.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from clickhouse.client import clickhouse_errors
from recommenders.training.training_log import sql

MIN_VIEWS = 2_000
"""With fewer views before or since, there is no drift: chance alone would come near the threshold."""

MIN_VISITORS = 500
"""With fewer visitors before or since, there is no drift: a few people or robots could make it."""

BINS = 50
"""The number of products, and of categories, that are bins of their own. The rest is one more bin."""

DAILY = 10
"""The number of products that a visitor's day counts with."""

REFERENCE = timedelta(days=7)
"""The newest days of the training data, which is compared: the tastes of a year ago are no reference."""

MAX_VIEWS = 200_000
"""Of more views, those of a share of the visitors are read, so that time and memory are bounded."""

NEW_DAYS = 7
"""A product is new for this many days after its first listing."""


@dataclass(frozen=True)
class Drift:
    """The PSI of each dimension of the views since `since`, and the numbers of views and visitors.

    `views` and `visitors` are those before and since.
    """

    since: datetime
    psi: Mapping[str, float]
    views: tuple[int, int]
    visitors: tuple[int, int]

    def is_known(self) -> bool:
        """Return whether there are enough views and visitors, both before and since."""
        return min(self.views) >= MIN_VIEWS and min(self.visitors) >= MIN_VISITORS

    def exceeded(self, threshold: float) -> str | None:
        """Return the dimension with the largest PSI if it is at least `threshold`, else None."""
        if not self.is_known():
            return None
        largest = max(self.psi, key=lambda dimension: self.psi[dimension])
        return largest if self.psi[largest] >= threshold else None

    def __str__(self) -> str:
        figures = ", ".join(f"{dimension} {value:.3f}" for dimension, value in sorted(self.psi.items()))
        return (
            f"PSI {figures}; {self.views[1]:,} views by {self.visitors[1]:,} visitors since "
            f"{self.since.isoformat(timespec='seconds')}, {self.views[0]:,} by {self.visitors[0]:,} in the "
            f"{REFERENCE.days} days before"
        )


def drift_since_training(client: Client, version: str, now: datetime) -> Drift | None:
    """Return how the views since the training data of the model in use differ from its newest days.

    None if nothing was viewed, the period of the data is not known, or somebody rolled back to this version:
    the next training, which could publish the rejected model again, is left to the night.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    with clickhouse_errors():
        found = client.query(sql("live_model"), parameters={"version": version}).result_rows
        if not found:
            return None
        first, last = (moment.replace(tzinfo=UTC) for moment in found[0])
        period = {"start": max(first, last - REFERENCE), "changed_at": last, "end": now}
        [(before, since)] = client.query(sql("drift_views"), parameters=period).result_rows
        shares = {"share_before": 1 + before // MAX_VIEWS, "share_since": 1 + since // MAX_VIEWS}
        limits = {"daily": DAILY, "bins": BINS, "new_days": NEW_DAYS}
        rows = list(client.query(sql("drift"), parameters=period | shares | limits).named_results())
    if not rows:
        return None
    totals = rows[0]
    return Drift(
        last,
        {row["dimension"]: row["psi"] for row in rows},
        (totals["views_before"], totals["views_since"]),
        (totals["visitors_before"], totals["visitors_since"]),
    )
