"""Lists of a search and a category in an order that fits the visitor, of the API and of the shop's pages."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from common.clock import system_clock
from common.configuration.definitions import HOLDOUT_SHARE
from common.configuration.values import SettingValue, SettingValues
from common.settings import Settings
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategies import StrategyChoice
from tests.integration.serving.conftest import TABLES, ask, insert, put, put_offers
from tests.principals import bearer

LISTING = (
    *("event_id", "occurred_at", "product_id", "seller_id"),
    *("name", "category", "currency", "price_minor"),
)
NEWEST_FIRST = tuple(f"list-jug-{number}" for number in range(9, -1, -1))
SEEN, LIKED, SOLD_OUT = "list-seen", ("list-jug-1", "list-jug-4"), "list-jug-6"


@pytest.fixture(scope="module", autouse=True)
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """Ten jugs, two of which others viewed together with a product of another category, and one sold out."""
    rows = [
        [
            f"jug{place}",
            f"2018-01-01 00:00:0{9 - place}.000",
            each,
            "ana",
            f"Fine Jug {each}",
            "Jugs",
            "BRL",
            900,
        ]
        for place, each in enumerate(NEWEST_FIRST)
    ]
    put(shop, "product_listed", LISTING, rows)
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        for each in (SEEN, *NEWEST_FIRST):
            put_offers(
                client, each,
                {"seller_id": "eva" if each == SEEN else "ana", "price_minor": 900, "name": "Fine Bowl",
                 "category": "Bowls" if each == SEEN else "Jugs"},
                stock={"ana": 0 if each == SOLD_OUT else 5}, interest=9.0 if each == SEEN else 0.0,
            )  # fmt: skip
        client.zadd(f"similar:{SEEN}", {LIKED[0]: 9.0, LIKED[1]: 8.0, SOLD_OUT: 9.0})
        yield client
        client.delete(f"similar:{SEEN}", *(f"product:{each}" for each in (SEEN, *NEWEST_FIRST)))
    ask(shop, "TRUNCATE TABLE product_listed")
    insert(shop, "product_listed", TABLES["product_listed"][1])


@pytest.fixture
def visitor(redis: "Redis[str]") -> Iterator[str]:
    """A shopper who looked at one product."""
    visitor_id = f"list-{uuid4().hex[:12]}"
    redis.zadd(f"recent:{visitor_id}", {SEEN: 1_800_000_000})
    yield visitor_id
    redis.delete(f"recent:{visitor_id}")


def found(shop: Settings, visitor: str, **parameters: Any) -> dict[str, Any]:
    url = f"{shop.serving}/v1/recommendations/{visitor}/products"
    answer = httpx.get(url, params=parameters, headers=bearer(shop), trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    content: dict[str, Any] = answer.json()
    return content


def ids(page: dict[str, Any]) -> list[str]:
    return [product["product_id"] for product in page["products"]]


@pytest.mark.parametrize("asked", [{"category": "Jugs"}, {"q": "fine jug"}])
def test_what_goes_with_a_viewed_product_comes_first_and_says_why_unless_it_is_sold_out(
    shop: Settings, visitor: str, asked: dict[str, str]
) -> None:
    page = found(shop, visitor, **asked)

    assert (page["personalised"], page["found"], page["next_cursor"]) == (True, 10, None)
    assert ids(page) == [*LIKED, *(each for each in NEWEST_FIRST if each not in LIKED)]
    assert [product["reason"] and product["reason"]["text"] for product in page["products"][:3]] == [
        "Because you looked at Fine Bowl", "Because you looked at Fine Bowl", None,
    ]  # fmt: skip
    assert [part["source"] for part in page["parts"] if part["answered"]] == ["item_neighbours"]


def test_pages_have_each_product_once_although_the_taste_changes_between_them(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    first = found(shop, visitor, category="Jugs", limit=4)
    redis.zadd("similar:list-jug-9", {"list-jug-0": 9.0, LIKED[0]: 9.0})
    redis.zadd(f"recent:{visitor}", {"list-jug-9": 1_800_000_600})
    second = found(shop, visitor, category="Jugs", limit=4, cursor=first["next_cursor"])
    redis.delete(f"recent:{visitor}", "similar:list-jug-9")
    third = found(shop, visitor, category="Jugs", limit=4, cursor=second["next_cursor"])

    assert [page["personalised"] for page in (first, second, third)] == [True, True, False]
    assert ids(first)[:2] == list(LIKED)
    assert ids(second)[0] == "list-jug-0"
    assert sorted([*ids(first), *ids(second), *ids(third)]) == sorted(NEWEST_FIRST)
    assert third["next_cursor"] is None


def test_without_a_history_and_for_other_lists_the_order_is_that_of_everybody(
    shop: Settings, visitor: str
) -> None:
    page = found(shop, "list-nobody", category="Jugs")
    assert (page["personalised"], page["as_of"], ids(page)) == (False, None, list(NEWEST_FIRST))
    public = httpx.get(f"{shop.serving}/v1/products?category=Jugs", headers=bearer(shop), trust_env=False)
    assert ids(public.json()) == list(NEWEST_FIRST)
    assert public.headers["cache-control"].startswith("public")
    assert ids(found(shop, visitor, category="Jugs", cursor=cursor_behind(shop, 5))) == list(NEWEST_FIRST[5:])


def cursor_behind(shop: Settings, count: int) -> str:
    """The cursor behind the first products of the order of everybody, as that behind a window."""
    parameters: dict[str, Any] = {"category": "Jugs", "limit": count}
    page = httpx.get(f"{shop.serving}/v1/products", params=parameters, headers=bearer(shop), trust_env=False)
    return str(page.json()["next_cursor"])


@pytest.mark.parametrize("cursor", ["x", "WyIiLCIiXQ", "WyJ4IiwiQUFBQUFBQT0iXQ"])
def test_a_cursor_of_no_list_is_refused(shop: Settings, visitor: str, cursor: str) -> None:
    url = f"{shop.serving}/v1/recommendations/{visitor}/products"
    answer = httpx.get(url, params={"cursor": cursor}, headers=bearer(shop), trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["title"]) == (422, "Unknown cursor")


def test_the_hold_out_gets_the_order_of_everybody(shop: Settings, visitor: str) -> None:
    async def is_known(share: float) -> bool:
        values = SettingValues()
        values.update({HOLDOUT_SHARE.name: SettingValue(1, share)})
        client = open_redis(shop)
        choice = StrategyChoice(values, system_clock, Random(1))
        service = RecommendationService(LiveVersions(client), choice=choice)
        known = await service.listings.known(visitor)
        await client.aclose()
        return known is not None

    with ThreadPoolExecutor(1) as thread:  # the browser's event loop runs in this one
        assert thread.submit(asyncio.run, is_known(0.0)).result()
        assert not thread.submit(asyncio.run, is_known(1.0)).result()


def test_the_shop_has_nothing_else_for_a_new_visitor(shop: Settings) -> None:
    answer = httpx.get(f"{shop.serving}/shop/found?category=Jugs", trust_env=False, timeout=30)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_page_is_sorted_for_the_visitor_until_they_turn_it_off(redis: "Redis[str]", page: Page) -> None:
    cards = page.locator("#found [data-product]")
    page.goto("/shop/products?category=Jugs")
    expect(cards.first).to_have_attribute("data-product", NEWEST_FIRST[0])
    (session,) = re.findall(r'data-session="([0-9a-f]{32})"', page.request.get("/shop").text())
    visitor = f"recent:{session}"
    redis.zadd(visitor, {SEEN: 1_800_000_000})
    page.goto("/shop/products?category=Jugs")
    expect(page.get_by_text("Sorted for you, by what you looked at and what is popular.")).to_be_visible()
    expect(cards.first).to_have_attribute("data-product", LIKED[0])
    expect(cards).to_have_count(len(NEWEST_FIRST))
    expect(page.get_by_role("link", name="For you")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Most popular").click()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("link", name="Most popular")).to_have_attribute("aria-current", "true")
    expect(cards.first).to_have_attribute("data-product", NEWEST_FIRST[0])
    page.get_by_role("link", name="For you").click()
    expect(cards.first).to_have_attribute("data-product", LIKED[0])
    redis.delete(visitor)
