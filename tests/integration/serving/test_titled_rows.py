"""Rows of recommendations whose titles say why: those of the API, and of the pages in both languages."""

import asyncio
import re
import time
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from common.clock import system_clock
from common.configuration.definitions import HOLDOUT_SHARE
from common.configuration.recommendation_rules import CONSUMABLE_CATEGORIES, REPURCHASE_DAYS
from common.configuration.setting import Setting
from common.configuration.values import SettingValue, SettingValues
from common.settings import Settings
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.rules.shop_rules import ShopRules
from serving.recommendations.schemas import TitledRows
from serving.recommendations.service import RecommendationService
from serving.recommendations.shelves import RowPage
from serving.recommendations.strategies import StrategyChoice
from tests.integration.serving.commerce_stub import ORDER_ID, CommerceStub, cart_of, order_of_two_sellers
from tests.integration.serving.conftest import put_offers
from tests.principals import bearer

DAY_S = 86_400.0
LAMPS = tuple(f"row-lamp-{number}" for number in range(5))
BULBS = tuple(f"row-bulb-{number}" for number in range(16))
POTS = tuple(f"row-pot-{number}" for number in range(6))
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
                stock={"ana": 5}, interest=100.0,
            )  # fmt: skip
        scores = {each: 30.0 - place for place, each in enumerate((*LAMPS[1:], *BULBS))}
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


def rows_under(shop: Settings, visitor: str, page: RowPage, *changed: tuple[Setting[Any], Any]) -> TitledRows:
    """The rows under other settings than the defaults."""
    values = SettingValues()
    values.update({setting.name: SettingValue(1, value) for setting, value in changed})

    async def answer() -> TitledRows:
        client = open_redis(shop)
        choice = StrategyChoice(values, system_clock, Random(1))
        service = RecommendationService(LiveVersions(client), rules=ShopRules(values), choice=choice)
        rows = await service.titled_rows.of_page(visitor, 6, page)
        await client.aclose()
        return rows

    return asyncio.run(answer())


def test_the_rows_of_home_follow_the_last_product_and_the_favourite_category(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    redis.zadd(f"recent:{visitor}", {LAMPS[0]: 1_800_000_000, POTS[0]: 1_799_999_990, POTS[1]: 1_799_999_980})

    rows = rows_of(shop, visitor, n=6)

    assert list(rows) == ["because_looked", "popular_in_favourite"]
    looked, popular = rows.values()
    assert looked["title"] == "Because you looked at Row Lamp 0"
    assert {item["reason"]["product_id"] for item in looked["items"]} == {LAMPS[0]}
    assert products(looked) == [*LAMPS[1:], *BULBS[:2]]
    assert (popular["title"], products(popular)) == ("Popular in row pots", list(POTS[2:]))
    assert {item["reason"]["category"] for item in popular["items"]} == {"row_pots"}


def test_a_mail_has_the_rows_of_home_and_one_that_follows_from_everything(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    redis.zadd(f"recent:{visitor}", {LAMPS[0]: 1_800_000_000, POTS[0]: 1_799_999_990, POTS[1]: 1_799_999_980})

    rows = rows_of(shop, visitor, n=6, page="email")

    assert list(rows) == ["because_looked", "for_you", "popular_in_favourite"]
    assert (rows["for_you"]["title"], products(rows["for_you"])) == ("Chosen for you", list(BULBS[2:8]))


def test_a_row_without_enough_products_or_a_history_is_left_out(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    assert rows_of(shop, visitor) == {}
    redis.zadd(f"recent:{visitor}", {LAMPS[0]: 1_800_000_000})
    excluded = ",".join((*LAMPS[1:], *BULBS[2:]))
    assert rows_of(shop, visitor, exclude=excluded) == {}


def test_the_cart_is_completed_by_products_of_other_categories(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    redis.zadd(f"carted:{visitor}", {LAMPS[0]: 1_800_000_000})
    redis.zadd(f"recent:{visitor}", {LAMPS[0]: 1_800_000_000, POTS[0]: 1_800_000_001})

    completes = rows_of(shop, visitor, page="cart")["completes_cart"]

    assert (completes["title"], completes["strategy"]) == ("Completes your cart", "completes_cart")
    assert products(completes) == list(BULBS[:12])
    assert {item["reason"]["text"] for item in completes["items"]} == {"Goes with Row Lamp 0 in your cart"}
    assert [part["source"] for part in completes["parts"]] == ["item_neighbours", "trained_neighbours"]


def test_a_product_of_a_category_in_the_cart_or_of_none_does_not_complete_it(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    redis.zadd(f"carted:{visitor}", {LAMPS[0]: 1_800_000_000, BULBS[0]: 1_800_000_000})
    assert "completes_cart" not in rows_of(shop, visitor, page="cart")


def test_what_was_bought_goes_on_to_what_goes_with_it(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    redis.zadd(f"bought:{visitor}", {POTS[0]: 1_700_000_000.5, LAMPS[0]: 1_800_000_000.5})

    rows = rows_of(shop, visitor, page="order", n=6)

    assert list(rows) == ["because_bought"]
    assert rows["because_bought"]["title"] == "Because you bought Row Lamp 0"
    assert products(rows["because_bought"]) == [*LAMPS[1:], *BULBS[:2]]


def test_nothing_is_because_of_a_purchase_whose_payment_may_be_declined(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    """The half second says that an order was confirmed."""
    redis.zadd(f"bought:{visitor}", {POTS[0]: 1_700_000_000.5, LAMPS[0]: 1_800_000_000})

    pending = rows_of(shop, visitor, page="order", n=6)
    redis.zadd(f"bought:{visitor}", {LAMPS[0]: 0})
    declined = rows_of(shop, visitor, page="order", n=6)

    assert {name: row["title"] for name, row in pending.items()} == {
        "because_looked": "Because you looked at Row Lamp 0"
    }
    assert "Row Lamp 0" not in {row["name"] for row in declined.values()}


def test_consumables_are_offered_again_once_they_are_due(
    shop: Settings, redis: "Redis[str]", visitor: str
) -> None:
    days_ago = {BULBS[0]: 40, BULBS[1]: 90, BULBS[2]: 5, POTS[0]: 90}
    redis.zadd(f"bought:{visitor}", {each: time.time() - days * DAY_S for each, days in days_ago.items()})
    consumable = (CONSUMABLE_CATEGORIES, ["Row_Bulbs"]), (REPURCHASE_DAYS, 30), (HOLDOUT_SHARE, 0.0)

    (again,) = rows_under(shop, visitor, "home", *consumable)["rows"]

    assert (again["row"], again["title"]) == ("buy_again", "Buy again")
    assert [item["product_id"] for item in again["items"]] == [BULBS[1], BULBS[0]]
    assert again["items"][0]["reason"] == {
        "kind": "again", "product_id": BULBS[1], "category": None, "text": "You bought it before",
    }  # fmt: skip
    assert rows_under(shop, visitor, "home", (HOLDOUT_SHARE, 0.0))["rows"] == []


def test_the_hold_out_gets_no_personal_rows(shop: Settings, redis: "Redis[str]", visitor: str) -> None:
    redis.zadd(f"recent:{visitor}", {LAMPS[0]: 1_800_000_000})
    assert rows_under(shop, visitor, "home", (HOLDOUT_SHARE, 0.0))["rows"]
    assert rows_under(shop, visitor, "home", (HOLDOUT_SHARE, 1.0))["rows"] == []


@pytest.mark.parametrize(("page", "kind", "titles"), [
    ("/shop", "recent", ["Because you looked at Row Lamp 0", "Porque você viu Row Lamp 0"]),
    ("/shop/cart", "carted", ["Completes your cart", "Complete seu carrinho"]),
])  # fmt: skip
def test_pages_show_the_rows_in_both_languages_and_no_product_twice(
    shop: Settings, redis: "Redis[str]", commerce: CommerceStub, page: str, kind: str, titles: list[str]
) -> None:
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30) as browser:
        new = browser.get(page).raise_for_status().text
        (session,) = re.findall(r'data-session="([0-9a-f]{32})"', new)
        assert 'id="row-' not in new.replace('id="row-status"', "")
        redis.zadd(f"{kind}:{session}", {LAMPS[0]: 1_800_000_000})
        if kind == "carted":
            commerce.cart = cart_of((LAMPS[0], "ana", 9_990))
        shown = [
            browser.get(page, headers={"Accept-Language": language}).raise_for_status().text
            for language in ("en", "pt-BR")
        ]
        redis.delete(f"{kind}:{session}")
    for html, title in zip(shown, titles, strict=True):
        cards = re.findall(r'class="pc"[^>]* data-product="([^"]+)"', html)
        assert cards
        assert len(cards) == len(set(cards))
        (heading,) = re.findall(r'<h2 id="row-(?:because_looked|completes_cart)">(.*?)</h2>', html)
        assert heading == title
        assert re.search(r'data-strategy="(because_looked|completes_cart)"[^>]* data-surface=', html)


@pytest.mark.parametrize("page", ["/shop", "/shop/cart", "/shop/recommended?surface=cart"])
def test_the_cart_of_a_page_is_that_of_the_browser(
    shop: Settings, redis: "Redis[str]", commerce: CommerceStub, page: str
) -> None:
    def shown(browser: httpx.Client, *cart: str) -> str:
        commerce.cart = cart_of(*((product, "ana", 9_990) for product in cart))
        if page != "/shop/cart":  # which sets the cookie itself
            browser.cookies.set("souk_cart", f"{len(cart)}:{'|'.join(cart)}", path="/shop")
        return browser.get(page).raise_for_status().text

    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30) as browser:
        session = browser.get("/shop/visitor").raise_for_status().json()["session"]
        redis.zadd(f"carted:{session}", {LAMPS[0]: 1_800_000_000})
        empty, other, same = shown(browser), shown(browser, POTS[0]), shown(browser, POTS[0], LAMPS[0])
        hostile = shown(browser, "%00", "x" * 2_000, "a%2Cb")
        redis.delete(f"carted:{session}")

    for html in (empty, other, hostile):
        assert "in your cart" not in html
        assert "Completes your cart" not in html
    assert "Goes with Row Lamp 0 in your cart" in same


def test_the_page_of_a_cancelled_order_has_no_rows(
    shop: Settings, redis: "Redis[str]", commerce: CommerceStub
) -> None:
    page = f"/shop/orders/{ORDER_ID}"
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30, follow_redirects=True) as browser:
        session = browser.get("/shop/visitor").raise_for_status().json()["session"]
        redis.zadd(f"bought:{session}", {LAMPS[0]: 1_800_000_000.5})
        paid = browser.get(page).raise_for_status().text
        commerce.order = order_of_two_sellers("cancelled", "cancelled")
        declined = browser.get(page).raise_for_status().text
        redis.delete(f"bought:{session}")

    assert "Because you bought Row Lamp 0" in paid
    assert "Because you" not in declined
