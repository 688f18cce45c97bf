"""The lag benchmark reads the number of orders from a seller's page."""

import asyncio
from urllib.parse import urlencode

import httpx

from bench.figures.lag import _orders_on_page
from common.http_client import HttpClient
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S
from tests.principals import bearer

PERIOD = {"from": "2018-02-17T00:00:00-03:00", "to": "2018-02-19T00:00:00-03:00", "grain": "hour"}


def test_the_page_shows_as_many_orders_as_the_api(shop: Settings, api: httpx.Client) -> None:
    async def orders_on_page() -> int:
        http = HttpClient(shop.serving, 1, CLIENT_KEEPALIVE_S, 30, 30, lambda: bearer(shop))
        try:
            return await _orders_on_page(http, f"/sell/ana?{urlencode(PERIOD)}")
        finally:
            await http.aclose()

    shown = api.get("/v1/sellers/ana/sales", params=PERIOD).raise_for_status().json()
    assert asyncio.run(orders_on_page()) == shown["totals"]["orders"] > 0
