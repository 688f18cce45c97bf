"""The catalogue with names in many scripts and with ids of any characters."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

import httpx
import pytest
from redis import Redis

from common.request_path import in_path
from common.settings import Settings
from tests.integration.serving.conftest import TABLES, ask, insert, put, put_offers

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
NAMES = {
    "hindi": "साड़ी रेशमी", "thai": "โคมไฟตั้งโต๊ะ น้ำ", "tamil": "பட்டு புடவை", "bengali": "রেশমী শাড়ি",
    "khmer": "ចង្កៀងតុ", "emoji": "❤️ mug", "german": "Große Tür", "greek": "Φωτιστικό ΟΔΌΣ",
    "kana": "ガラスのランプ",
    "arabic": "مُصَلًّى", "wide": "Ｌａｎｔｅｒｎ", "korean": "유리 램프", "turkish": "İpek halı",
}  # fmt: skip
"""Product id → its name, in many scripts."""

ODD = ["a/b", "a%2Fb", "100%", "a?b#c", "..a", "two words", 'it\'s "q"', "<i>", "ü/ñ", "a+b&c=d", "/", "a\\b"]
"""Ids of products of the seller `a/b`."""


@pytest.fixture(scope="module", autouse=True)
def listings(shop: Settings) -> Iterator[None]:
    at = "2018-01-15 00:00:00.000"
    scripts = [[f"n-{id_}", at, id_, "ana", name, "Names", "BRL", 990] for id_, name in NAMES.items()]
    odd = [
        [f"o-{number}", at, id_, "a/b", f"Odd {number}", "Odd", "BRL", 990] for number, id_ in enumerate(ODD)
    ]
    put(shop, "product_listed", LISTING, scripts + odd)
    with Redis.from_url(shop.redis) as redis:
        for id_ in ODD:
            put_offers(redis, id_, {"seller_id": "a/b", "price_minor": 990})
        yield
        redis.delete(*(f"product:{id_}" for id_ in ODD))
    ask(shop, "TRUNCATE TABLE product_listed")
    insert(shop, "product_listed", TABLES["product_listed"][1])


def found(api: httpx.Client, **asked: str | int) -> list[str]:
    answer = api.get("/v1/products", params=asked)
    assert answer.status_code == 200, answer.text
    return [product["product_id"] for product in answer.json()["products"]]


@pytest.mark.parametrize("product_id", ODD)
def test_a_product_with_any_id_has_an_address_in_the_api_and_in_the_shop(
    api: httpx.Client, product_id: str
) -> None:
    name = f"Odd {ODD.index(product_id)}"
    answer = api.get(f"/v1/products/{in_path(product_id)}")
    similar = api.get(f"/v1/products/{in_path(product_id)}/similar")
    page = api.get(f"/shop/products/{in_path(product_id)}")

    assert (answer.status_code, similar.status_code, page.status_code) == (200, 200, 200)
    assert (answer.json()["product_id"], answer.json()["name"]) == (product_id, name)
    assert similar.json()["product_id"] == product_id
    assert name in page.text


def test_the_links_of_the_shop_lead_to_products_with_any_id(api: httpx.Client) -> None:
    page = api.get("/shop/products", params={"category": "Odd"}).text
    links = {unescape(link) for link in re.findall(r'href="(/shop/products/[^"?]+)"', page)}

    assert {unquote(link.removeprefix("/shop/products/")) for link in links} == set(ODD)
    assert links == {f"/shop/products/{in_path(id_)}" for id_ in ODD}
    of_seller = re.findall(r'href="(/sell/[^"]+)"', api.get(f"/shop/products/{in_path(ODD[0])}").text)
    assert set(of_seller) <= {"/sell/a%2Fb"}


@pytest.mark.parametrize("product_id", NAMES)
def test_a_name_and_each_of_its_words_find_the_product_in_every_script(
    api: httpx.Client, product_id: str
) -> None:
    name = NAMES[product_id]
    for words in (name, name.lower(), *name.split()):
        assert product_id in found(api, q=words), words


@pytest.mark.parametrize(
    ("typed", "product_id"),
    [
        ("tur", "german"), ("GROSSE TÜR", "german"), ("οδοσ", "greek"), ("φωτιστικο", "greek"),
        ("❤", "emoji"),        ("مصلى", "arabic"), ("lantern", "wide"), ("ipek", "turkish"),
    ],
)  # fmt: skip
def test_a_name_is_found_as_people_type_it(api: httpx.Client, typed: str, product_id: str) -> None:
    assert found(api, q=typed) == [product_id]


def test_a_vowel_sign_is_a_letter(api: httpx.Client) -> None:
    assert found(api, q="साड़ा") == found(api, q="சேவை") == found(api, q="カラス") == []
