"""Rows of recommendations whose titles say why: the API's, and those of the shop's pages, in both languages."""

import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from common.configuration.definitions import HOLDOUT_SHARE
from common.configuration.recommendation_rules import CONSUMABLE_CATEGORIES
from common.settings import Settings
from tests.integration.servers import with_setting
from tests.integration.serving.conftest import put_offers
from tests.principals import bearer

DAY_S = 86_400.0
LAMPS = tuple(f"row-lamp-{number}" for number in range(5))
BULBS = tuple(f"row-bulb-{number}" for number in range(4))
POTS = tuple(f"row-pot-{number}" for number in range(4))
CATEGORY = {"lamp": "row_lamps", "bulb": "row_bulbs", "pot": "row_pots"}
PRODUCTS = (*LAMPS, *BULBS, *POTS)


@pytest.fixture(scope="module")
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """Lamps that were viewed with other lamps and with bulbs, and pots that are popular."""
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        for product_id in PRODUCTS:
            category = CATEGORY[product_id.split("-")[1]]
            name = product_id.replace("-", " ").title()
            put_offers(
                client, product_id,
                {"seller_id": "ana", "price_minor": 900, "name": name, "category": category},
                stock={"ana": 5}, interest=10.0,
            )  # fmt: skip
        scores = {each: 9.0 - place for place, each in enumerate((*LAMPS[1:], *BULBS))}
        client.zadd(f"similar:{LAMPS[0]}", scores)
        client.zadd("popular:row_pots", {each: 9.0 - place for place, each in enumerate(POTS)})
        yield client
        client.delete("popular:row_pots", f"similar:{LAMPS[0]}", *(f"product:{each}" for each in PRODUCTS))


@pytest.fixture
def visitor(redis: "Redis[str]") -> Iterator[str]:
    """A shopper without a history."""
    visitor_id = f"rows-{uuid4().hex[:12]}"
    yield visitor_id
    redis.delete(*(f"{kind}:{visitor_id}" for kind in ("recent", "carted", "bought")))


def rows_of(shop: Settings, visitor: str, **parameters: Any) -> dict[str, dict[str, Any]]:
    """The rows by name, in their order."""
    url = f"{shop.serving}/v1/recommendations/{visitor}/rows"
    answer = httpx.get(url, params=parameters, headers=bearer(shop), trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return {row["row"]: row for row in answer.json()["rows"]}


def products(row: dict[str, Any]) -> list[str]:
    return [item["product_id"] for item in row["items"]]
