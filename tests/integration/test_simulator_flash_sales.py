"""Sellers of the simulator set the prices of a flash sale through the API, when it begins and ends."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import orjson

from common.clock import from_millis, to_millis
from producers.simulator.calendar import HOUR_MS, Calendar, FlashSale, sale_price
from producers.simulator.live.api import ShopApi
from producers.simulator.live.flash_sales import GIVE_UP_MS, FlashSales
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World
from tests.integration.http_server import Heard, Say, answered, serving

BEGUN_MS = to_millis(datetime(2026, 5, 1, 12, tzinfo=UTC))
DONE = answered("200 OK", b"{}")


class Sellers:
    """The sale after `BEGUN_MS`, and requests to a server, with a clock that the test sets."""

    def __init__(self, world: World, say: Say) -> None:
        self.world, self._say, self.now_ms = world, say, BEGUN_MS
        self.status, self.heard = SimulatorStatus(), Heard()
        self.sale: FlashSale = Calendar(world).sales(BEGUN_MS, BEGUN_MS + 7 * 24 * HOUR_MS)[0]

    def run(self, use: Callable[[FlashSales], Coroutine[Any, Any, None]]) -> None:
        async def live() -> None:
            async with serving(self._say) as self.heard, ShopApi(self.heard.url, self.status) as api:
                clock = lambda: from_millis(self.now_ms)  # noqa: E731
                await use(FlashSales(self.world, Calendar(self.world), api, clock))

        asyncio.run(live())

    def prices(self) -> dict[str, int]:
        """Return product → the price of the newest request; the paths name its seller."""
        found = {}
        for request in self.heard.requests:
            line, body = request.split(b"\r\n")[0].decode(), request.partition(b"\r\n\r\n")[2]
            method, path, _ = line.split(" ")
            _, _, _, seller, _, product, price = path.split("/")
            row = self.world.products.ids.index(product)
            assert (method, price) == ("PUT", "price")
            assert seller == self.world.sellers.ids[int(self.world.products.seller[row])]
            found[product] = orjson.loads(body)["price_minor"]
        return found

    def expected(self, in_sale: bool) -> dict[str, int]:
        products, rows = self.world.products, self.sale.products
        prices = products.price_minor[rows]
        prices = sale_price(prices, self.sale) if in_sale else prices
        return dict(zip([products.ids[row] for row in rows.tolist()], prices.tolist(), strict=True))


def test_prices_fall_when_a_sale_begins_and_rise_when_it_ends(world: World) -> None:
    sellers = Sellers(world, DONE)

    async def use(sales: FlashSales) -> None:
        sellers.now_ms = sellers.sale.start_ms
        await sales.set_due_prices()
        assert sellers.prices().items() >= sellers.expected(in_sale=True).items()
        sellers.now_ms = sellers.sale.end_ms
        await sales.set_due_prices()
        assert sellers.prices().items() >= sellers.expected(in_sale=False).items()
        asked = len(sellers.heard.requests)
        sellers.now_ms += HOUR_MS
        await sales.set_due_prices()
        assert len(sellers.heard.requests) == asked

    sellers.run(use)


def test_a_sale_that_ended_while_nothing_ran_is_ended_at_the_next_start(world: World) -> None:
    sellers = Sellers(world, DONE)
    sellers.now_ms = sellers.sale.end_ms + HOUR_MS

    async def use(sales: FlashSales) -> None:
        await sales.set_due_prices()
        assert sellers.prices().items() >= sellers.expected(in_sale=False).items()

    sellers.run(use)


def test_a_price_that_can_not_be_set_is_tried_again_until_it_is_given_up(world: World) -> None:
    sellers = Sellers(world, answered("503 Service Unavailable", b"{}"))

    async def use(sales: FlashSales) -> None:
        sellers.now_ms = sellers.sale.start_ms
        await sales.set_due_prices()
        first = len(sellers.heard.requests)
        await sales.set_due_prices()
        assert len(sellers.heard.requests) == 2 * first > 0
        sellers.now_ms += GIVE_UP_MS + 1
        await sales.set_due_prices()
        assert len(sellers.heard.requests) == 2 * first

    sellers.run(use)


def test_a_rejected_price_is_not_tried_again(world: World) -> None:
    sellers = Sellers(world, answered("409 Conflict", b'{"type": "urn:souk:blocked-listing"}'))

    async def use(sales: FlashSales) -> None:
        sellers.now_ms = sellers.sale.start_ms
        await sales.set_due_prices()
        asked = len(sellers.heard.requests)
        await sales.set_due_prices()
        assert len(sellers.heard.requests) == asked > 0

    sellers.run(use)
