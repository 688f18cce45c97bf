"""Those who ask the API while it is measured: shoppers who look and buy, sellers who see their figures."""

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

from bench.asked import LIST, ORDER, ORDERS, PAGE, RECOMMENDATIONS, SALES, Plan, Seen
from common.http_client import HttpClient, NoAnswer, TooSlow

LIST_LENGTH = 12

SEED = 1
"""The same shoppers and sellers come at the same times in every run."""

_LIST = re.compile(r'data-part="([^"]+)"')
_JSON = ("content-type", "application/json")


@dataclass(frozen=True)
class Shop:
    """Who asks, and about whom: shoppers with the sums of their activity, as often as they come; sellers who
    have orders; and recommended products to begin with."""

    currency: str
    shoppers: Sequence[str]
    activity: Sequence[float]
    sellers: Sequence[str]
    items: list[dict[str, Any]]


class Crowd:
    """Asks one thing at a time for each who comes."""

    def __init__(self, http: HttpClient, shop: Shop, plan: Plan, seen: Seen) -> None:
        self._http, self._shop, self._plan, self._seen = http, shop, plan, seen
        self._random = Random(SEED)
        self._items = shop.items

    async def look(self) -> None:
        """A shopper sees what is recommended."""
        target = f"/v1/recommendations/{quote(self._shopper())}?n={LIST_LENGTH}"
        answer = await self._ask(RECOMMENDATIONS, "GET", target)
        if answer is not None:
            self._items = orjson.loads(answer)["items"] or self._items

    async def buy(self) -> None:
        """A shopper orders something that was recommended last, and looks at the order soon after."""
        item = self._random.choice(self._items)
        order = {
            "shopper_id": self._shopper(),
            "currency": self._shop.currency,
            "payment": {"method": "credit_card", "token": "tok_visa", "installments": 1},
            "lines": [{"product_id": item["product_id"], "seller_id": item["seller_id"], "quantity": 1}],
        }
        headers = [_JSON, ("idempotency-key", str(uuid4()))]
        answer = await self._ask(ORDERS, "POST", "/v1/orders", 202, headers, orjson.dumps(order))
        if answer is not None:
            await asyncio.sleep(self._plan.look_after_s)
            await self._ask(ORDER, "GET", f"/v1/orders/{quote(orjson.loads(answer)['order_id'])}")

    async def figures(self) -> None:
        """A seller asks for the sales of the last 30 days."""
        await self._ask(SALES, "GET", f"/v1/sellers/{quote(self._seller())}/sales")

    async def page(self) -> None:
        """A seller opens their page, which asks for its lists."""
        page = await self._ask(PAGE, "GET", f"/sell/{quote(self._seller())}")
        if page is not None:
            lists = map(html.unescape, _LIST.findall(page.decode()))
            await asyncio.gather(*(self._ask(LIST, "GET", each) for each in lists))

    def _shopper(self) -> str:
        [shopper] = self._random.choices(self._shop.shoppers, cum_weights=self._shop.activity)
        return shopper

    def _seller(self) -> str:
        return self._random.choice(self._shop.sellers)

    async def _ask(
        self,
        kind: str,
        method: str,
        target: str,
        expected: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> bytes | None:
        """What was answered, or None where that is not what was expected; either is counted."""
        span = self._seen.asked(kind)
        began_s = perf_counter()
        try:
            async with asyncio.timeout(self._plan.patience_s):
                answer = await self._http.ask(method, target, headers, body)
        except (TimeoutError, TooSlow):
            self._seen.failed(kind, f"no answer in {self._plan.patience_s:g} s")
        except NoAnswer as error:
            self._seen.failed(kind, f"no answer ({error})")
        else:
            if answer.status == expected:
                self._seen.answered(kind, span, perf_counter() - began_s)
                return answer.content
            self._seen.failed(kind, f"HTTP {answer.status}")
        return None
