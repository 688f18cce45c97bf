"""What personal recommendations brought a seller: net sales per shopper beside the hold-out."""

from datetime import timedelta

from common.experiments.assignment import HOLDOUT
from recommenders.experiments.moments import Moments
from recommenders.experiments.seller_uplift import seller_uplift
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.recommendations.experiments import presenter
from serving.recommendations.experiments.schemas import RecommendationUplift
from serving.recommendations.experiments.service import RECOMMENDED

TABLES = ("recommendation_answered", "recommendation_shown", "sales_lines")

BIAS = (
    "Compared are shoppers with personal recommendations and the hold-out, who get popular products. An "
    "order that recommendations moved from one seller to another counts as gained here and as lost there, "
    "so the uplifts of all sellers together exceed what the marketplace gained. What recommended shoppers "
    "buy is missing from the stock that the hold-out can buy, which makes the figure too high."
)
"""What biases the figure, for people."""

_NOBODY = Moments.of([])


class UpliftService:
    """Computes the uplift of sellers."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, days: int) -> RecommendationUplift:
        """Return the uplift of the last `days` days.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        end = self._context.clock()
        start = end - timedelta(days=days)
        as_of = await self._context.watermarks.as_of(TABLES)
        rows = await self._context.clickhouse.rows(
            "seller_recommendation_uplift",
            seller_id=seller_id,
            currency=self._context.currency,
            period_start=start,
            period_end=end,
        )
        await self._context.require_seller(seller_id, [])
        sums = {row["arm"]: _moments_per_shopper(row) for row in rows}
        found = seller_uplift(sums.get(HOLDOUT, _NOBODY), sums.get(RECOMMENDED, _NOBODY))
        return {
            "seller_id": seller_id,
            "period": {"from": start, "to": end},
            "currency": self._context.currency,
            "enough_data": found.total is not None,
            "uplift_minor": None if found.total is None else presenter.interval(found.total),
            "sequence_minor": None if found.sequence is None else presenter.interval(found.sequence),
            "bias": BIAS,
            "as_of": self._context.local(as_of),
        }


def _moments_per_shopper(row: Row) -> Moments:
    """Return the sums of a row, with 1 as the denominator of each shopper."""
    units, y, c = int(row["units"]), float(row["y"]), float(row["c"])
    return Moments(units, y, units, c, float(row["yy"]), units, float(row["cc"]), y, float(row["yc"]), c)
