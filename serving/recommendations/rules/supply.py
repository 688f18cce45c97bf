"""What the rules read from other parts in the background: products for exposure, and suspended sellers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from common.clock import Clock
from common.configuration.recommendation_rules import EXPOSURE_SHARE, NEW_PRODUCT_DAYS, SMALL_SELLER_UNITS
from common.configuration.values import SettingValues
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.clickhouse import ClickHouseQueries, Value
from serving.kit.live_versions import LiveVersions
from serving.kit.polled import PolledValue
from serving.kit.product_cards import open_cards
from serving.kit.shared_queries import SharedQueries, whole_minute
from serving.recommendations.rules.context import ExposurePool

POOL_EVERY_S = 30.0
"""How often each process takes the products for exposure: a new one is among them within a minute. The query
reads the sales of a month."""

NEWEST_FOR = timedelta(hours=1)
"""A product listed less than this long ago is one of the newest."""

NEWEST, POOL_SIZE = 50, 450
"""The largest numbers of the newest products, and of others for exposure. There are so few of the newest that
each of them is drawn for one list in a hundred or more often."""

OF_SELLER = 5
"""The largest number of products of one seller among each of them, so that sellers with many have no
advantage."""

SOLD_IN = timedelta(days=30)
"""The time in which the units of a small seller are counted."""

SUSPENDED_EVERY_S = 1.0

Sellers = frozenset[str]
Suspensions = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns the response of `GET /v1/seller_suspensions`."""


def products_for_exposure(
    clickhouse: ClickHouseQueries, versions: LiveVersions, values: SettingValues, clock: Clock
) -> PolledValue[ExposurePool]:
    """Return the products that are new or of small sellers, and for sale.

    Those of the last `NEWEST_FOR` come apart, newest first, so that each soon gets a place. The others are in
    a random order, which is the same in all processes, and another one every hour. There are none if the
    share of exposure is 0, and until ClickHouse has answered once.
    """

    shared = SharedQueries(clickhouse, versions.redis)

    async def read() -> ExposurePool:
        if values.get(EXPOSURE_SHARE) <= 0:
            return ExposurePool()
        now = clock()
        parameters: dict[str, Value] = {
            "sold_since": whole_minute(now - SOLD_IN),
            "listed_since": whole_minute(now - timedelta(days=values.get(NEW_PRODUCT_DAYS))),
            "newest_since": whole_minute(now - NEWEST_FOR),
            "small_seller_units": values.get(SMALL_SELLER_UNITS),
            "seed": f"{now:%Y-%m-%d %H}",
            "of_seller": OF_SELLER,
            "limit": POOL_SIZE,
        }
        (rows,) = await shared.rows_of_all(POOL_EVERY_S, ("products_for_exposure", parameters))
        cards = await (await open_cards(versions)).read(row["product_id"] for row in rows)
        for_sale = [row for row in rows if (card := cards.get(row["product_id"])) and card.for_sale]
        newest = [row["product_id"] for row in for_sale if row["is_newest"]]
        others = [row["product_id"] for row in for_sale if not row["is_newest"]]
        return ExposurePool(tuple(newest[:NEWEST]), tuple(others))

    return PolledValue("products for exposure", ExposurePool(), read, POOL_EVERY_S, 2 * PEER_TIMEOUT_S)


def suspended_sellers(ask: Suspensions) -> PolledValue[Sellers]:
    """Return the sellers that may not sell. It is empty until the sellers service has answered once.

    While no commerce service answers, nobody can place an order either.
    """

    async def read() -> Sellers:
        return frozenset((await ask())["seller_ids"])

    return PolledValue("suspended sellers", frozenset(), read, SUSPENDED_EVERY_S, PEER_TIMEOUT_S)
