"""What the rules read from other parts in the background: products for exposure, and suspended sellers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from common.clock import Clock
from common.configuration.recommendation_rules import EXPOSURE_SHARE, NEW_PRODUCT_DAYS, SMALL_SELLER_UNITS
from common.configuration.values import SettingValues
from common.timeouts import PEER_TIMEOUT_S
from serving.catalogue.cards import open_cards
from serving.clickhouse import ClickHouseQueries
from serving.live_versions import LiveVersions
from serving.polled import PolledValue

POOL_EVERY_S = 20.0
"""How often the products for exposure are read: a new product is among them within this time."""

POOL_SIZE = 500
"""The largest number of products for exposure."""

OF_SELLER = 5
"""The largest number of products of one seller among them, so that sellers with many have no advantage."""

SOLD_IN = timedelta(days=30)
"""The time in which the units of a small seller are counted."""

SUSPENDED_EVERY_S = 1.0

Products = tuple[str, ...]
Sellers = frozenset[str]


def products_for_exposure(
    clickhouse: ClickHouseQueries, versions: LiveVersions, values: SettingValues, clock: Clock
) -> PolledValue[Products]:
    """Return the products that are new or of small sellers, and for sale, in a random order.

    The order is the same in all processes, and another one every hour. There are none if the share of
    exposure is 0, and until ClickHouse has answered once.
    """

    async def read() -> Products:
        if values.get(EXPOSURE_SHARE) <= 0:
            return ()
        now = clock()
        rows = await clickhouse.rows(
            "products_for_exposure",
            sold_since=_whole_seconds(now - SOLD_IN),
            listed_since=_whole_seconds(now - timedelta(days=values.get(NEW_PRODUCT_DAYS))),
            small_seller_units=values.get(SMALL_SELLER_UNITS),
            seed=f"{now:%Y-%m-%d %H}",
            of_seller=OF_SELLER,
            limit=POOL_SIZE,
        )
        cards = await (await open_cards(versions)).read(row["product_id"] for row in rows)
        return tuple(product_id for product_id, card in cards.items() if card.for_sale)

    return PolledValue("products for exposure", (), read, POOL_EVERY_S, 2 * PEER_TIMEOUT_S)


def suspended_sellers(ask: Callable[[], Awaitable[Mapping[str, Any]]]) -> PolledValue[Sellers]:
    """Return the sellers that may not sell. It is empty until the sellers service has answered once.

    `ask` returns the response of `GET /v1/seller_suspensions`. While no commerce service answers, nobody can
    place an order either.
    """

    async def read() -> Sellers:
        return frozenset((await ask())["seller_ids"])

    return PolledValue("suspended sellers", frozenset(), read, SUSPENDED_EVERY_S, PEER_TIMEOUT_S)


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
