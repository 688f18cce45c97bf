"""After how many days consumables are usually bought again: computed from all shoppers' purchases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from common.clock import Clock
from common.configuration.recommendation_rules import CONSUMABLE_CATEGORIES
from common.configuration.values import SettingValues
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.clickhouse import Value
from serving.kit.polled import PolledValue
from serving.kit.shared_queries import SharedQueries, whole_minute

READ_EVERY_S = 600.0
BOUGHT_IN = timedelta(days=365)
"""The time in which purchases count."""

LIMIT = 20_000
"""The largest number of products and categories that are read, those with most purchases first: 4 MB."""

PRIOR = 5.0
"""The category's median counts as so many purchases of a product, and the setting as so many of a category.
With fewer, chance decides about a median."""


class Median(NamedTuple):
    """The median of the days between two purchases by the same shopper, and of how many it is."""

    days: float
    purchases_again: int

    def shrunk(self, prior_days: float) -> float:
        """Return the mean of the median and the prior, weighted by the purchases and by `PRIOR`."""
        return (self.purchases_again * self.days + PRIOR * prior_days) / (self.purchases_again + PRIOR)


UNKNOWN = Median(0.0, 0)


@dataclass(frozen=True, slots=True)
class RepurchaseIntervals:
    """The medians of products and of categories, without capitals."""

    of_product: Mapping[str, Median] = field(default_factory=dict)
    of_category: Mapping[str, Median] = field(default_factory=dict)

    def days(self, product_id: str, category: str | None, default: float) -> float:
        """Return the usual days until a product is bought again.

        The product's median is shrunk to the category's, which is shrunk to `default`.
        """
        of_category = self.of_category.get(category or "", UNKNOWN).shrunk(default)
        return self.of_product.get(product_id, UNKNOWN).shrunk(of_category)

    def least_days(self, product_id: str, default: float) -> float:
        """Return the least that `days` can be, whatever the category of the product is."""
        return min(self.days(product_id, each, default) for each in (None, *self.of_category))


def repurchase_intervals(
    shared: SharedQueries, values: SettingValues, clock: Clock
) -> PolledValue[RepurchaseIntervals]:
    """Return the intervals of consumable categories. There are none until ClickHouse has answered once."""

    async def read() -> RepurchaseIntervals:
        categories = [category.casefold() for category in values.get(CONSUMABLE_CATEGORIES)]
        if not categories:
            return RepurchaseIntervals()
        since = whole_minute(clock() - BOUGHT_IN).replace(hour=0, minute=0)
        parameters: dict[str, Value] = {"since": since, "categories": categories, "limit": LIMIT}
        (rows,) = await shared.rows_of_all(READ_EVERY_S, ("repurchase_intervals", parameters))
        medians = [
            (
                row["product_id"],
                row["category"],
                Median(float(row["median_days"]), int(row["purchases_again"])),
            )
            for row in rows
        ]
        return RepurchaseIntervals(
            {product_id: median for product_id, _, median in medians if product_id},
            {category: median for product_id, category, median in medians if not product_id},
        )

    return PolledValue("repurchase intervals", RepurchaseIntervals(), read, READ_EVERY_S, 2 * PEER_TIMEOUT_S)
