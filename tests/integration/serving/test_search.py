"""The API over a live index: filters, facets, suggestions, and what it does when the index comes and goes."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import count
from time import monotonic
from typing import Any

import httpx
import orjson
import pytest
from redis import Redis

from common.settings import Settings
from schemas.product_categories import ProductCategory, default_tree
from serving.kit.cache.store import MAX_AGE_MS
from serving.products.search.index import REBUILD, current_format, index_path, make_live, search_folder
from serving.products.search.indexer import Generation
from tests.integration.servers import await_true
from tests.integration.serving.conftest import drop_cached, live_index, put_offers
from tests.principals import bearer

_numbers = count(1)


def listed(product: str, name: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    defaults = {
        "product_id": product,
        "seller_id": "ana",
        "at": 1_700_000_000_000,
        "event_id": product,
        "name": name,
        "category": "Lamps",
        "description": None,
        "attributes": {},
        "group_id": None,
        "currency": "BRL",
        "price_minor": 1_000,
        "pictures": [],
    }
    return "product_listed", {**defaults, **changes}


EVENTS = [
    ("seller_registered", {"seller_id": "ana", "name": "Ana", "at": 1}),
    listed("red", "Desk lamp", group_id="desk", attributes={"colour": "red"}, price_minor=900),
    listed("blue", "Desk lamp", group_id="desk", attributes={"colour": "blue"}),
    listed("chair", "Cadeira de escritório", category="Chairs", price_minor=5_000),
    listed("shirt", "Shirt", category="Clothes", seller_id="bob"),
]


@pytest.fixture(autouse=True)
def live(shop: Settings, api: httpx.Client) -> Iterator[Generation]:
    """A live index in the home of the API, which the process of this connection reads."""
    with live_index(shop, str(next(_numbers)), EVENTS) as generation:
        await_true(lambda: find(api, q="cadeira")["tried"])
        yield generation


def find(api: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = api.get("/v1/products", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(page: dict[str, Any]) -> list[str]:
    return [product["product_id"] for product in page["products"]]


@pytest.fixture
def guest(shop: Settings) -> Iterator[httpx.Client]:
    """A visitor with a session."""
    headers = {"Accept": "text/html"}
    with httpx.Client(base_url=shop.serving, headers=headers, trust_env=False, timeout=60) as http:
        yield http


def test_a_misspelt_word_is_found_and_said(api: httpx.Client) -> None:
    page = find(api, q="cadiera de escrtiorio")
    assert ids(page) == ["chair"]
    assert page["did_you_mean"] == "cadeira escritório"
    assert [attempt["step"] for attempt in page["tried"]] == ["words", "spelling"]


def test_a_variant_that_fits_the_filters_is_shown(api: httpx.Client) -> None:
    assert ids(find(api, q="desk lamp")) == ["red"]
    assert ids(find(api, q="desk lamp", attribute="colour:blue")) == ["blue"]
    both = api.get("/v1/products", params=[("attribute", "colour:blue"), ("attribute", "colour:red")])
    assert both.json()["found"] == 1


def test_a_variant_with_a_price_of_the_filter_is_shown(api: httpx.Client) -> None:
    assert find(api, q="desk lamp")["products"][0]["price_minor"] == 900
    page = find(api, q="desk lamp", price_min=950, sort="cheapest")
    assert [(each["product_id"], each["price_minor"]) for each in page["products"]] == [("blue", 1_000)]


def test_facets_say_what_further_filters_would_leave(api: httpx.Client) -> None:
    page = find(api, facets=True, seller="ana", price_max=2_000)
    assert page["found"] == 1
    assert page["facets"]["prices"] == [
        {"from_minor": 500, "to_minor": 1_000, "products": 1},
        {"from_minor": 1_000, "to_minor": 2_000, "products": 1},
        {"from_minor": 5_000, "to_minor": 10_000, "products": 1},
    ]
    assert page["facets"]["sellers"] == [
        {"value": "ana", "name": "Ana", "products": 1, "chosen": True},
        {"value": "bob", "name": None, "products": 1, "chosen": False},
    ]


def test_the_order_for_a_visitor_is_one_of_what_the_filters_leave(
    shop: Settings, api: httpx.Client, guest: httpx.Client
) -> None:
    everybody = ids(find(api, seller="ana"))
    visitor, liked = re.findall(r'data-session="([0-9a-f]{32})"', guest.get("/shop").text)[0], everybody[-1]
    path = f"/v1/recommendations/{visitor}/products"
    with Redis.from_url(shop.redis) as redis:
        for product, seller in (("red", "ana"), ("blue", "ana"), ("chair", "ana"), ("shirt", "bob")):
            put_offers(redis, product, {"seller_id": seller, "price_minor": 900}, stock={seller: 5})
        redis.zadd(f"recent:{visitor}", {"shirt": 1_800_000_000})
        redis.zadd("similar:shirt", {liked: 9.0})
        try:
            personal = api.get(path, params={"seller": "ana"}).raise_for_status().json()
            assert (personal["personalised"], personal["found"]) == (True, 2)
            assert ids(personal) == [liked, *everybody[:-1]]
            first = api.get(path, params={"seller": "ana", "limit": 1}).raise_for_status().json()
            cursor = {"seller": "ana", "limit": 1, "cursor": first["next_cursor"]}
            assert ids(first) + ids(api.get(path, params=cursor).json()) == ids(personal)
            two = [("attribute", "colour:blue"), ("attribute", "colour:green"), ("price_min", "950")]
            assert ids(api.get(path, params=two).raise_for_status().json()) == ["blue"]
            address = re.search(r'data-personal="([^"]+)"', guest.get("/shop/products?seller=ana").text)
            assert address is not None
            page = guest.get(unescape(address[1])).raise_for_status()
            assert re.findall(r'data-product="([^"]+)" data-seller', page.text) == ids(personal)
        finally:
            for key in ("red", "blue", "chair", "shirt"):
                redis.delete(f"product:{key}")
            redis.delete(f"recent:{visitor}", "similar:shirt")


def test_a_list_that_was_stored_is_not_used_with_another_category_tree(
    shop: Settings, live: Generation
) -> None:
    with httpx.Client(base_url=shop.serving, headers=bearer(shop), trust_env=False) as api:
        assert ids(find(api, category="Furniture")) == []
        chairs = replace(default_tree().categories["Chairs"], parent_id="Furniture")
        furniture = ProductCategory("Furniture", None, {"en": "Furniture"})
        tree = default_tree()
        live.rows.set_tree(
            replace(tree, categories={**tree.categories, "Furniture": furniture, "Chairs": chairs})
        )
        while live.write_pending(100):
            pass
        deadline = monotonic() + MAX_AGE_MS / 2_000  # later, the stored list ends by itself
        await_true(lambda: ids(find(api, category="Furniture")) == ["chair"] or monotonic() > deadline)
        assert monotonic() < deadline


def test_available_units_are_those_of_redis(api: httpx.Client, shop: Settings) -> None:
    with Redis.from_url(shop.redis) as redis:
        put_offers(redis, "chair", {"seller_id": "ana", "price_minor": 5_000}, stock={"ana": 7})
        try:
            assert find(api, q="cadeira")["products"][0]["available"] == 7
        finally:
            redis.delete("product:chair")


def test_pages_go_on_behind_each_other(api: httpx.Client) -> None:
    first = find(api, limit=2)
    second = find(api, limit=2, cursor=first["next_cursor"])
    assert sorted(ids(first) + ids(second)) == ["chair", "red", "shirt"]
    assert second["next_cursor"] is None


def test_a_search_that_finds_nothing_offers_something(api: httpx.Client) -> None:
    page = find(api, q="qqqqqqq")
    assert page["found"] == 0
    assert {product["product_id"] for product in page["instead"]} == {"red", "chair", "shirt"}


def test_products_categories_and_sellers_are_suggested(api: httpx.Client) -> None:
    answer = api.get("/v1/products/suggestions", params={"q": "lam"}).raise_for_status().json()
    assert [each["name"] for each in answer["products"]] == ["Desk lamp"]
    assert [each["id"] for each in answer["categories"]] == ["Lamps"]
    sellers = api.get("/v1/products/suggestions", params={"q": "an"}).raise_for_status().json()["sellers"]
    assert sellers == [{"id": "ana", "name": "Ana", "products": 2}]


@pytest.mark.parametrize(
    "text", ["a" * 10_000, "de para", "\"'*:^~[]{}()", "🎁", "name:lamp OR *", "🙈" * 500]
)
def test_no_text_is_an_error(api: httpx.Client, text: str) -> None:
    find(api, q=text, facets=True)
    assert api.get("/v1/products/suggestions", params={"q": text}).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"attribute": "colour"},
        {"attribute": ":blue"},
        {"price_min": -1},
        {"rating": 6},
        {"sort": "loudest"},
        {"cursor": "x"},
        {"seller": ".."},
        [("q", "a"), ("q", "b")],
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(api: httpx.Client, asked: Any) -> None:
    assert api.get("/v1/products", params=asked).status_code == 422


def test_a_change_is_found_after_a_commit(api: httpx.Client, shop: Settings, live: Generation) -> None:
    live.rows.apply([listed("new", "Zyx lamp")], {})
    live.write_pending(100)
    drop_cached(shop)
    await_true(lambda: ids(find(api, q="zyx")) == ["new"])


def test_without_an_index_filters_are_refused_and_words_are_not(api: httpx.Client, shop: Settings) -> None:
    make_live(search_folder(shop), "another format")
    await_true(lambda: find(api)["found"] != 3)
    assert find(api, q="lamp")["tried"] == []
    answer = api.get("/v1/products", params={"in_stock": True})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:souk:problem:search-unavailable")
    assert api.get("/v1/products/suggestions", params={"q": "lamp"}).json()["products"] == []


def test_a_damaged_index_is_not_read_and_another_one_is_asked_for(
    api: httpx.Client, shop: Settings, live: Generation
) -> None:
    folder, damaged = search_folder(shop), f"{current_format()}-{next(_numbers)}"
    shutil.copytree(index_path(live.folder), index_path(folder / damaged))
    for store in index_path(folder / damaged).glob("*.idx"):
        store.write_bytes(b"")
    make_live(folder, damaged)
    drop_cached(shop)

    def is_refused() -> bool:
        drop_cached(shop)
        return api.get("/v1/products", params={"in_stock": True}).status_code == 503

    await_true(is_refused)
    assert (folder / REBUILD).exists()
    assert orjson.loads(api.get("/v1/products").content)["tried"] == []
