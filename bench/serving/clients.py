"""The clients of the answers benchmark: shoppers who browse and buy, sellers who open their pages."""

import asyncio
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson

from bench.serving.workload import LIST, ORDER, ORDERS, PAGE, RECOMMENDATIONS, SALES, RequestLog, Workload
from common.http_client import HttpClient, RequestFailed, RequestTimedOut

LIST_LENGTH = 12

SEED = 1
"""With the same seed, every run has the same shoppers and sellers at the same times."""

_LIST = re.compile(r'data-part="([^"]+)"')
_JSON = ("content-type", "application/json")


@dataclass(frozen=True)
class SampledMarketplace:
    """The people and products of a running marketplace that requests are drawn from.

    `activity` has the cumulative activity of the shoppers, who are drawn by it. The sellers have orders.
    `items` are the first recommended products.
    """

    currency: str
    shoppers: Sequence[str]
    activity: Sequence[float]
    sellers: Sequence[str]
    items: list[dict[str, Any]]

    def draw_shopper(self, random: Random) -> str:
        """Draw a shopper by activity."""
        return random.choices(self.shoppers, cum_weights=self.activity)[0]


def order_body(marketplace: SampledMarketplace, shopper: str, item: dict[str, Any]) -> bytes:
    """Return the body of a checkout: one unit of a product, paid by a card that the provider accepts."""
    return orjson.dumps(
        {
            "shopper_id": shopper,
            "currency": marketplace.currency,
            "payment": {"method": "credit_card", "token": "tok_visa", "installments": 1},
            "lines": [{"product_id": item["product_id"], "seller_id": item["seller_id"], "quantity": 1}],
        }
    )


def order_headers() -> Sequence[tuple[str, str]]:
    """Return the headers of a checkout, with an idempotency key of its own."""
    return [_JSON, ("idempotency-key", str(uuid4()))]


class Clients:
    """Sends the requests of shoppers and sellers; a method sends those of one arrival."""

    def __init__(
        self, http: HttpClient, marketplace: SampledMarketplace, workload: Workload, log: RequestLog
    ) -> None:
        self._http, self._marketplace, self._workload, self._log = http, marketplace, workload, log
        self._random = Random(SEED)
        self._items = marketplace.items

    async def get_recommendations(self) -> None:
        """Request a shopper's recommendations."""
        target = f"/v1/recommendations/{quote(self._shopper())}?n={LIST_LENGTH}"
        answer = await self._request(RECOMMENDATIONS, "GET", target)
        if answer is not None:
            self._items = orjson.loads(answer)["items"] or self._items

    async def place_order(self) -> None:
        """Place an order for a product of the newest recommendations, and read the order shortly after."""
        item = self._random.choice(self._items)
        body = order_body(self._marketplace, self._shopper(), item)
        answer = await self._request(ORDERS, "POST", "/v1/orders", 202, order_headers(), body)
        if answer is not None:
            await asyncio.sleep(self._workload.read_order_after_s)
            await self._request(ORDER, "GET", f"/v1/orders/{quote(orjson.loads(answer)['order_id'])}")

    async def get_sales(self) -> None:
        """Request a seller's sales of the last 30 days."""
        await self._request(SALES, "GET", f"/v1/sellers/{quote(self._seller())}/sales")

    async def open_page(self) -> None:
        """Open a seller's page, then request the lists of that page."""
        page = await self._request(PAGE, "GET", f"/sell/{quote(self._seller())}")
        if page is not None:
            lists = map(html.unescape, _LIST.findall(page.decode()))
            await asyncio.gather(*(self._request(LIST, "GET", each) for each in lists))

    def _shopper(self) -> str:
        return self._marketplace.draw_shopper(self._random)

    def _seller(self) -> str:
        return self._random.choice(self._marketplace.sellers)

    async def _request(
        self,
        kind: str,
        method: str,
        target: str,
        expected: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> bytes | None:
        """Send a request and log its outcome; returns the body of an expected answer, else None."""
        interval = self._log.start(kind)
        began_s = perf_counter()
        try:
            async with asyncio.timeout(self._workload.timeout_s):
                answer = await self._http.request(method, target, headers, body)
        except (TimeoutError, RequestTimedOut):
            self._log.fail(kind, f"no answer in {self._workload.timeout_s:g} s")
        except RequestFailed as error:
            self._log.fail(kind, f"no answer ({error})")
        else:
            if answer.status == expected:
                self._log.succeed(kind, interval, perf_counter() - began_s)
                return answer.content
            self._log.fail(kind, f"HTTP {answer.status}")
        return None
