"""The catalogue with real stores: offers are found, page by page, with their available units."""

from collections.abc import Iterator

import httpx
import pytest
from redis import Redis

from common.settings import Settings
from tests.integration.serving.conftest import TABLES, ask, drop_cached, insert, put, put_offers

LISTING = (
    "event_id",
    "occurred_at",
    "product_id",
    "seller_id",
    "name",
    "category",
    "currency",
    "price_minor",
)
LISTED = [
    ["l1", "2018-01-01 00:00:00.000", "desk-lamp", "ana", "Slim Desk Lamp, Teal", "Lamps", "BRL", 9990],
    ["l2", "2018-01-02 00:00:00.000", "floor-lamp", "ana", "Classic Floor Lamp, Sand", "Lamps", "BRL", 14990],
    ["l3", "2018-01-03 00:00:00.000", "lampada", ODD := "o'hara\\", "Lâmpada de mesa", "Lamps", "BRL", 4990],
    ["l4", "2018-01-04 00:00:00.000", "desk", "ana", "Desk for Writing", "Desks", "BRL", 69990],
    ["l5", "2018-01-05 00:00:00.000", "nameless", "ana", None, "garden_tools", "BRL", 2990],
    ["l6", "2018-01-06 00:00:00.000", "gone", "ana", "Gone Lamp", "Lamps", "BRL", 990],
    ["le", "2018-01-06 00:00:00.000", "fake", "ana", "Counterfeit Lamp", "Lamps", "BRL", 990],
    ["l7", "2018-01-07 00:00:00.000", "abroad", "ana", "Lamp Abroad", "Lamps", "EUR", 990],
    ["l8", "2018-01-08 00:00:00.000", "back", "ana", "Back Lamp", "Lamps", "BRL", 1990],
    ["l9", "2018-01-10 00:00:00.000", "back", "ana", "Back Again Lamp", "Lamps", "BRL", 2490],
    ["la", "2018-01-11 00:00:00.000", "shared", "ana", "Shared Vase", "Vases", "BRL", 3000],
    ["lb", "2018-01-12 00:00:00.000", "shared", "new", "Shared Vase", "Vases", "BRL", 2000],
    ["lc", "2018-01-13 00:00:00.000", "twin", "ana", "Twin Vase", "Vases", "BRL", 3000],
    ["ld", "2018-01-14 00:00:00.000", "twin", "new", "Twin Vase", "Vases", "BRL", 2000],
]
CHANGED = [
    ["c1", "2018-02-01 00:00:00.000", "desk-lamp", "ana", "Slim Desk Lamp, Teal", "Lamps", "BRL", 7990],
    ["c2", "2018-02-02 00:00:00.000", "abroad", "ana", "Lamp Far Abroad", "Lamps", "EUR", 990],
]
DELISTED = [
    ["d1", "2018-01-20 00:00:00.000", "gone", "ana"],
    ["d2", "2018-01-09 00:00:00.000", "back", "ana"],
    ["d3", "2018-01-20 00:00:00.000", "shared", "new"],
]


@pytest.fixture(scope="module", autouse=True)
def listings(shop: Settings) -> Iterator[None]:
    put(shop, "product_listed", LISTING, LISTED)
    put(shop, "product_changed", LISTING, CHANGED)
    put(shop, "product_delisted", LISTING[:4], DELISTED)
    blocked = ["d4", "2018-01-20 00:00:00.000", "fake", "ana", "policy_violation"]
    put(shop, "product_delisted", (*LISTING[:4], "reason"), [blocked])
    with Redis.from_url(shop.redis) as redis:
        put_offers(redis, "desk", {"seller_id": "ana", "price_minor": 69990}, stock={"ana": 0})
        put_offers(redis, "desk-lamp", {"seller_id": "ana", "price_minor": 69990}, stock={"ana": 3})
        yield
        redis.delete("product:desk", "product:desk-lamp")
    for table in ("product_listed", "product_changed", "product_delisted"):
        ask(shop, f"TRUNCATE TABLE {table}")
    insert(shop, "product_listed", TABLES["product_listed"][1])


def found(api: httpx.Client, **asked: str | int) -> list[str]:
    answer = api.get("/v1/products", params=asked)
    assert answer.status_code == 200, answer.text
    return [product["product_id"] for product in answer.json()["products"]]


def test_every_word_is_found_in_name_or_category_with_or_without_accents(api: httpx.Client) -> None:
    assert set(found(api, q="lamp")) == {"desk-lamp", "floor-lamp", "lampada", "back"}
    assert found(api, q="LAMPS teal") == ["desk-lamp"]
    assert found(api, q="lampada") == found(api, q="LÂMPADA") == ["lampada"]
    assert found(api, q="tools garden") == ["nameless"]
    assert found(api, q="chair") == []


def test_the_beginning_of_a_name_is_the_best_match(api: httpx.Client) -> None:
    assert found(api, q="desk") == ["desk", "desk-lamp"]  # although the lamp changed last


def test_what_was_taken_off_is_not_found_and_what_came_back_is(api: httpx.Client) -> None:
    everything = found(api)
    assert "gone" not in everything
    assert "abroad" not in everything  # not in the shop's currency
    assert "back" in everything
    assert api.get("/v1/products/back").json()["price_minor"] == 2490


def test_a_category_is_sorted_by_the_price_of_today(api: httpx.Client) -> None:
    assert found(api, category="Lamps", sort="cheapest") == ["back", "lampada", "desk-lamp", "floor-lamp"]
    assert found(api, category="Lamps", sort="dearest") == ["floor-lamp", "desk-lamp", "lampada", "back"]


@pytest.mark.parametrize("sort", ["best", "newest", "cheapest", "dearest"])
def test_pages_hold_each_product_once_in_the_order_of_the_whole(api: httpx.Client, sort: str) -> None:
    seen, cursor = [], None
    while True:
        asked = {"limit": 1, "q": "lamp", "sort": sort} | ({"cursor": cursor} if cursor else {})
        page = api.get("/v1/products", params=asked).json()
        assert page["found"] == 4
        seen += [product["product_id"] for product in page["products"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == found(api, q="lamp", sort=sort)
    assert len(seen) == 4


LAMPS_NEWEST_FIRST = ["desk-lamp", "back", "lampada", "floor-lamp"]


@pytest.fixture
def popular(shop: Settings) -> Iterator[Redis]:
    """The interest in two lamps, and the units ordered of two products and of one that is not on offer."""
    day = 86_400.0
    ranked = {"popular:Lamps": {"floor-lamp": 2.0**280, "lampada": 2.0**279, "gone": 2.0**281}}
    ranked["popular_products"] = {"desk": 20_000 * day, "nameless": 20_030 * day, "gone": 20_060 * day}
    with Redis.from_url(shop.redis, decode_responses=True) as redis:
        before = {key: redis.zrange(key, 0, -1, withscores=True) for key in ranked}
        for key, scores in ranked.items():
            redis.delete(key)
            redis.zadd(key, scores)
        drop_cached(shop)
        yield redis
        for key in ranked:
            redis.delete(key)
            if before[key]:
                redis.zadd(key, dict(before[key]))
    drop_cached(shop)


@pytest.mark.usefixtures("popular")
def test_popular_products_come_first_then_the_newest(api: httpx.Client) -> None:
    assert found(api, category="Lamps") == ["floor-lamp", "lampada", "desk-lamp", "back"]
    assert found(api)[:3] == ["nameless", "desk", "desk-lamp"]
    assert found(api, category="Lamps", sort="relevance") == found(api, category="Lamps")
    assert found(api, category="Lamps", sort="newest") == LAMPS_NEWEST_FIRST
    assert found(api, q="lamp") == ["lampada", "desk-lamp", "back", "floor-lamp"]  # then the newest


def test_a_page_begins_where_the_page_before_ended_although_popularity_changes(
    api: httpx.Client, shop: Settings, popular: Redis
) -> None:
    first = api.get("/v1/products", params={"category": "Lamps", "limit": 2}).json()
    popular.zadd("popular:Lamps", {"lampada": 2.0**282, "desk-lamp": 2.0**278})
    drop_cached(shop)
    later = found(api, category="Lamps", cursor=first["next_cursor"])
    assert [product["product_id"] for product in first["products"]] == ["floor-lamp", "lampada"]
    assert later == ["desk-lamp", "back"]
    popular.zadd("popular:Lamps", {"back": 2.0**283})
    drop_cached(shop)
    assert found(api, category="Lamps", cursor=first["next_cursor"]) == ["desk-lamp"]
    assert found(api, category="Lamps") == ["back", "lampada", "floor-lamp", "desk-lamp"]


def test_a_product_is_what_it_is_now_with_what_is_left(api: httpx.Client) -> None:
    product = api.get("/v1/products/desk-lamp").json()
    assert (product["price_minor"], product["available"], product["sold_out"]) == (7990, 3, False)
    assert (product["seller_name"], product["on_offer"]) == ("Ana", True)


def test_what_is_sold_out_and_what_nobody_counts_are_told_apart(api: httpx.Client) -> None:
    assert api.get("/v1/products/desk").json()["sold_out"] is True
    uncounted = api.get("/v1/products/lampada").json()
    assert (uncounted["available"], uncounted["sold_out"]) == (None, False)
    assert uncounted["seller_id"] == ODD


def test_a_product_that_was_taken_off_is_still_known(api: httpx.Client) -> None:
    gone = api.get("/v1/products/gone").json()
    assert (gone["name"], gone["on_offer"]) == ("Gone Lamp", False)


def test_a_blocked_product_is_shown_to_nobody(api: httpx.Client) -> None:
    assert api.get("/v1/products/fake").status_code == 404
    assert "fake" not in found(api, q="counterfeit")


def test_a_product_that_nobody_listed_is_a_404_that_says_how_to_find_one(api: httpx.Client) -> None:
    answer = api.get("/v1/products/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:souk:problem:unknown-product")
    assert "GET /v1/products" in answer.json()["detail"]


def test_categories_are_counted_and_the_largest_is_first(api: httpx.Client) -> None:
    categories = api.get("/v1/categories").json()["categories"]
    assert categories == [
        {"category": "Lamps", "products": 4},
        {"category": "Vases", "products": 2},
        {"category": "Desks", "products": 1},
        {"category": "garden_tools", "products": 1},
    ]


def test_a_product_stays_on_offer_when_one_of_its_two_sellers_delists_it(api: httpx.Client) -> None:
    assert set(found(api, q="vase")) == {"shared", "twin"}
    product = api.get("/v1/products/shared").json()
    assert (product["on_offer"], product["seller_id"], product["price_minor"]) == (True, "ana", 3000)
    assert [(offer["seller_id"], offer["on_offer"]) for offer in product["offers"]] == [
        ("ana", True),
        ("new", False),
    ]


def test_the_stock_of_a_card_is_that_of_its_own_seller(api: httpx.Client, shop: Settings) -> None:
    with Redis.from_url(shop.redis) as redis:
        put_offers(redis, "twin", stock={"ana": 7, "new": 4})
        try:
            product = api.get("/v1/products/twin").json()
            assert (product["seller_id"], product["available"]) == ("new", 4)
            put_offers(redis, "twin", stock={"ana": 7, "new": 0})
            in_stock = api.get("/v1/products/twin").json()
            assert (in_stock["seller_id"], in_stock["available"], in_stock["sold_out"]) == ("ana", 7, False)
            listed = api.get("/v1/products", params={"q": "twin"}).json()["products"][0]
            assert (listed["seller_id"], listed["available"]) == ("ana", 7)
        finally:
            redis.delete("product:twin")


def test_two_sellers_of_a_product_make_one_product_of_its_category(api: httpx.Client) -> None:
    categories = {one["category"]: one["products"] for one in api.get("/v1/categories").json()["categories"]}
    assert categories["Vases"] == 2


@pytest.mark.parametrize(
    "cursor", ["nonsense", "WzFd", "é", "WzEsIDIsIDNd", "WzEsOTIyMzM3MjAzNjg1NDc3NTgwOCwiYSJd"]
)
def test_a_cursor_that_is_not_ours_is_refused(api: httpx.Client, cursor: str) -> None:
    answer = api.get("/v1/products", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-cursor")


def test_popular_products_are_not_mistaken_for_a_product(api: httpx.Client) -> None:
    assert api.get("/v1/products/popular").json()["ranking"] == "popular"


def test_a_products_name_is_the_newest_with_and_without_its_card(api: httpx.Client, shop: Settings) -> None:
    def names() -> dict[str, str | None]:
        answer = api.get("/v1/products/popular", params={"n": 50}).json()
        return {one["product_id"]: one["name"] for one in answer["products"]}

    offer = {"seller_id": "ana", "currency": "EUR", "price_minor": 990, "name": "Lamp Back Home"}
    with Redis.from_url(shop.redis) as redis:
        redis.zadd("popular_products", {"abroad": 99.0})
        try:
            assert names()["abroad"] == "Lamp Far Abroad"
            put_offers(redis, "abroad", offer | {"category": "Lamps"})
            assert names()["abroad"] == "Lamp Back Home"
        finally:
            redis.zrem("popular_products", "abroad")
            redis.delete("product:abroad")


def test_a_product_without_a_category_has_the_name_of_its_card(api: httpx.Client, shop: Settings) -> None:
    with Redis.from_url(shop.redis) as redis:
        redis.zadd("popular_products", {"hammer": 99.0})
        put_offers(redis, "hammer", {"seller_id": "ana", "price_minor": 990, "name": "Hammer"})
        try:
            ranked = api.get("/v1/products/popular", params={"n": 50}).json()["products"]
            assert [one["name"] for one in ranked if one["product_id"] == "hammer"] == ["Hammer"]
        finally:
            redis.zrem("popular_products", "hammer")
            redis.delete("product:hammer")
