"""The rules of the shop through the API: real Redis, real settings and services, real forms."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from redis import Redis

from common.configuration.recommendation_rules import (
    BLOCKS,
    BOOSTS,
    EXPOSURE_SHARE,
    MAX_PER_SELLER,
    PINS,
    RECOMMENDATION_RULES,
    SPONSORED,
    SPONSORED_PLACES,
)
from common.ids import new_id
from common.settings import ROOT, Settings
from local.parts import redis as local_redis
from local.state_directory import base_environment, settings_environment
from tests.integration.commerce_servers import Shop
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, running, shed_no_load, terminated
from tests.integration.serving.conftest import Office, put_offers
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import ADMIN, approved_seller
from tests.ports import free_offset
from tests.principals import bearer

PRODUCTS = tuple(f"lamp{number}" for number in range(8))
KNOWN_WITHIN_S = 10.0


@dataclass
class Market:
    """An API in two processes, with its Redis and commerce services: eight popular lamps of two sellers."""

    settings: Settings
    redis: "Redis[str]"
    office: Office
    api: httpx.Client

    def offer(self, product_id: str, **changes: Any) -> None:
        number = int(product_id[-1])
        offer = {"seller_id": "ana" if number % 2 else "bob", "name": product_id, "category": "lamps",
                 "price_minor": 900}  # fmt: skip
        seller = changes.get("seller_id", offer["seller_id"])
        put_offers(self.redis, product_id, offer | changes, stock={seller: 5})

    def set(self, setting: Any, value: Any) -> httpx.Response:
        body = {"value": value, "reason": "a test"}
        return self.api.put(f"/v1/settings/{setting.name}", json=body)

    def shown(self, visitor: str = "nobody", **asked: Any) -> list[str]:
        return [item["product_id"] for item in self.answer(visitor, **asked)["items"]]

    def answer(self, visitor: str = "nobody", **asked: Any) -> dict[str, Any]:
        found = self.api.get(f"/v1/recommendations/{visitor}", params={"n": 8, **asked})
        answered: dict[str, Any] = found.raise_for_status().json()
        return answered

    def always(self, holds: Callable[[], bool]) -> float:
        """Wait until something holds in both processes; return how long it took to hold the first time."""
        started = time.perf_counter()
        times_s: list[float] = []
        while len(times_s) < 12:  # of two processes, one answers twelve times with a chance below 1 in 2,000
            assert time.perf_counter() - started < KNOWN_WITHIN_S, "the change has no effect"
            times_s = [*times_s, time.perf_counter() - started] if holds() else []
        return times_s[0]


@pytest.fixture(scope="module")
def market(running_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    own = Settings(home=tmp_path_factory.mktemp("redis"), port_offset=free_offset())
    shop = running_shop.settings
    settings = shop.model_copy(
        update={
            "port_offset": free_offset(), "redis_url": own.redis, "kafka_bootstrap": shop.kafka,
            "registry_url": shop.registry, "commerce_url": shop.commerce, "postgres_url": shop.postgres,
        }
    )  # fmt: skip
    shed_no_load(settings)
    environment = base_environment() | settings_environment(settings) | {"SOUK_SERVING_PROCESSES": "2"}
    command = [sys.executable, "-m", "serving"]
    with (
        running(local_redis.part(own), own),
        terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process,
        Redis.from_url(settings.redis_url, decode_responses=True) as redis,
        httpx.Client(base_url=settings.serving, trust_env=False, timeout=30, headers=bearer(settings)) as api,
    ):
        await_true(lambda: is_ready(process, f"{settings.serving}/health"), "serving's start")
        office = Office(running_shop)
        office.settings = settings
        made = Market(settings, redis, office, api)
        redis.zadd("popular_products", {each: -1e6 * number for number, each in enumerate(PRODUCTS)})
        made.set(EXPOSURE_SHARE, 0).raise_for_status()
        yield made
        for setting in RECOMMENDATION_RULES:
            back = {"version": 0, "reason": "the end of the tests"}
            api.post(f"/v1/settings/{setting.name}/rollback", json=back).raise_for_status()


@pytest.fixture(autouse=True)
def plain(market: Market) -> Iterator[None]:
    """Eight lamps for sale, in their order, under no rule of an administrator."""
    for each in PRODUCTS:
        market.offer(each)
    yield
    for setting in (BLOCKS, BOOSTS, PINS, SPONSORED, SPONSORED_PLACES, MAX_PER_SELLER):
        market.set(setting, setting.default).raise_for_status()
    for each in PRODUCTS:
        market.offer(each)
    market.always(lambda: market.shown() == list(PRODUCTS))


def entry(**fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    dates = {"from": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    return {**dates, **fields}


def ended(**fields: Any) -> dict[str, Any]:
    return fields | {"from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}


def block(target: str, id_: str) -> dict[str, Any]:
    return entry(target=target, id=id_)


def test_a_block_takes_effect_in_every_process_and_is_rolled_back_by_one_call(market: Market) -> None:
    assert market.shown() == list(PRODUCTS)
    delays_s = []
    for _ in range(5):
        version = market.set(BLOCKS, [block("product", "lamp0")]).raise_for_status().json()["version"]
        delays_s.append(market.always(lambda: "lamp0" not in market.shown()))

        back = {"version": version - 1, "reason": "it sells again"}
        market.api.post(f"/v1/settings/{BLOCKS.name}/rollback", json=back).raise_for_status()
        delays_s.append(market.always(lambda: market.shown() == list(PRODUCTS)))
    print(f"from the response to its effect: slowest of {len(delays_s)}: {max(delays_s):.3f} s")


def test_a_blocked_seller_and_a_blocked_category_leave_what_is_left(market: Market) -> None:
    market.set(BLOCKS, [block("seller", "bob")]).raise_for_status()
    market.always(lambda: market.shown() == ["lamp1", "lamp3", "lamp5", "lamp7"])

    market.offer("lamp6", category="Rugs")
    market.set(BLOCKS, [block("category", "LAMPS")]).raise_for_status()
    market.always(lambda: market.shown() == ["lamp6"])


def test_pins_boosts_and_sponsored_products_have_their_places_and_are_explained(market: Market) -> None:
    market.set(SPONSORED_PLACES, [3]).raise_for_status()
    market.set(SPONSORED, [entry(product_id="lamp7")]).raise_for_status()
    market.set(BOOSTS, [entry(target="product", id="lamp5", factor=4.0)]).raise_for_status()
    market.set(PINS, [entry(target="product", id="lamp6", place=1)]).raise_for_status()
    expected = ["lamp6", "lamp0", "lamp7", "lamp5", "lamp1", "lamp2", "lamp3", "lamp4"]
    market.always(lambda: market.shown() == expected)

    answer = market.answer(explain=True)

    assert [item["product_id"] for item in answer["items"] if item["sponsored"]] == ["lamp7"]
    assert answer["items"][2]["reason"]["text"] == "Sponsored"
    assert {(each["rule"], each["change"], each["id"]) for each in answer["rules"]} == {
        ("boost", "moved", "lamp5"), ("pin", "moved", "lamp6"), ("sponsored", "moved", "lamp7"),
    }  # fmt: skip
    assert "rules" not in market.answer()


def test_only_the_platform_gets_explanations(market: Market) -> None:
    token = market.api.post("/v1/auth/guest_sessions").raise_for_status().json()
    guest = {"Authorization": f"Bearer {token['guest_token']}"}
    path = f"{market.settings.serving}/v1/recommendations/{token['session_id']}"

    refused = httpx.get(path, params={"explain": True}, headers=guest, trust_env=False)
    plain = httpx.get(path, headers=guest, trust_env=False)

    assert (refused.status_code, refused.json()["type"]) == (403, "urn:souk:problem:not-explained")
    assert plain.status_code == 200


def test_a_limit_leaves_places_to_other_sellers(market: Market) -> None:
    market.set(MAX_PER_SELLER, 1).raise_for_status()

    market.always(lambda: market.shown() == ["lamp0", "lamp1"])


def test_similar_products_follow_a_block_although_they_are_cached(market: Market) -> None:
    market.redis.zadd("similar:lamp0", {"lamp1": 4.0, "lamp2": 3.0})
    path = "/v1/products/lamp0/similar"

    def similar() -> list[str]:
        return [item["product_id"] for item in market.api.get(path).raise_for_status().json()["items"]]

    market.always(lambda: similar() == ["lamp1", "lamp2"])
    market.set(BLOCKS, [block("product", "lamp1")]).raise_for_status()
    market.always(lambda: similar() == ["lamp2"])
    market.redis.delete("similar:lamp0")


def test_a_pinned_product_that_is_delisted_later_is_passed_over_and_counted(market: Market) -> None:
    market.set(PINS, [entry(target="product", id="lamp4", place=1)]).raise_for_status()
    market.always(lambda: market.shown()[0] == "lamp4")

    market.offer("lamp4", listed=0)
    market.always(lambda: market.shown() == [each for each in PRODUCTS if each != "lamp4"])

    metrics = httpx.get(f"{market.settings.serving}/metrics", trust_env=False).text
    counted = r'souk_recommendation_rule_effects_total\{effect="passed_over",rule="pin"\} [1-9]'
    assert re.search(counted, metrics)


@pytest.mark.parametrize(
    ("setting", "value", "problem", "said"),
    [
        (PINS, [entry(target="product", id="gone", place=1)], "unusable-entry", "was never listed"),
        (PINS, [entry(target="product", id="lamp3", place=1)], "unusable-entry", "is delisted"),
        (SPONSORED, [entry(product_id="lamp3")], "unusable-entry", "is delisted"),
        (BLOCKS, [ended(target="product", id="lamp2")],
         "unusable-entry", "ended already"),
        (BOOSTS, [entry(target="product", id="lamp2", factor=-2.0)], "bad-value", "Entry 1, factor"),
        (BLOCKS, [{"target": "product", "id": "lamp2", "from": "2026-11-27T00:00:00Z"}],
         "bad-value", "Entry 1, until: Field required"),
        (BLOCKS, "lamp2", "bad-value", "a list of at most 200 blocks"),
        (MAX_PER_SELLER, 0, "bad-value", "a whole number from 1 to 50"),
    ],
)  # fmt: skip
def test_an_entry_without_effect_is_refused_and_changes_nothing(
    market: Market, setting: Any, value: Any, problem: str, said: str
) -> None:
    market.offer("lamp3", listed=0)

    refused = market.set(setting, value)

    assert (refused.status_code, refused.json()["type"]) == (422, f"urn:souk:problem:{problem}")
    assert said in refused.json()["detail"]
    assert "Nothing was changed" in refused.json()["detail"]
    assert market.shown() == [each for each in PRODUCTS if each != "lamp3"]


def test_products_of_a_suspended_seller_are_not_recommended_until_it_is_reinstated(market: Market) -> None:
    seller_id, _ = approved_seller(market.office)
    market.offer("lamp2", seller_id=seller_id)
    market.always(lambda: "lamp2" in market.shown())
    admin = market.office.http(ADMIN)
    path = f"/v1/sellers/{seller_id}/suspension"

    admin.post(path, json={"reason": "Fakes."}).raise_for_status()
    market.always(lambda: "lamp2" not in market.shown())

    admin.delete(path, params={"reason": "No fakes."}).raise_for_status()
    market.always(lambda: "lamp2" in market.shown())


def form(**fields: str) -> dict[str, str]:
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    return {
        "form": "add", "kind": "block", "target": "product", "id": "lamp1", "surface": "any",
        "until": tomorrow.strftime("%Y-%m-%dT%H:%M"), "reason": f"because {new_id()}", **fields,
    }  # fmt: skip


def test_a_preview_of_product_pages_needs_a_product(market: Market) -> None:
    said = "The list of a product page depends on its product: enter the id of one."
    with market.office.http(ADMIN) as admin:
        without = admin.post("/admin/recommendations/preview", data=form(surface="product")).text
        chosen = admin.get("/admin/recommendations", params={"surface": "product"}).text
        with_one = admin.post(
            "/admin/recommendations/preview", data=form(surface="product", preview_product_id="lamp2")
        ).text

    assert said in without
    assert said in chosen
    assert 'id="list-after"' not in without
    assert said not in with_one
    assert 'id="list-after"' in with_one


def test_an_administrator_previews_adds_and_ends_an_entry(market: Market) -> None:
    with market.office.http(ADMIN) as admin:
        before, _, after = admin.post("/admin/recommendations/preview", data=form()).text.partition(
            'id="list-after"'
        )
        assert "/shop/products/lamp1" in before
        assert "/shop/products/lamp1" not in after
        assert "lamp1" in market.shown(), "a preview changes nothing"

        added = admin.post("/admin/recommendations", data=form())
        assert (added.status_code, added.headers["location"]) == (
            303,
            "/admin/recommendations?done=entry_added",
        )
        market.always(lambda: "lamp1" not in market.shown())

        page = admin.get("/admin/recommendations").text
        version = re.search(r'value="block"><input type="hidden" name="position" value="0">'
                            r'<input type="hidden" name="version" value="(\d+)"', page)  # fmt: skip
        assert version
        end = {
            "form": "end-block-1",
            "kind": "block",
            "position": "0",
            "version": version[1],
            "reason": "sold",
        }
        answer = admin.post("/admin/recommendations/end", data=end)
        assert answer.headers["location"] == "/admin/recommendations?done=entry_ended"
        market.always(lambda: "lamp1" in market.shown())
        again = admin.post("/admin/recommendations/end", data=end)
        assert (again.status_code, "ended already" in again.text) == (422, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": "nothing"}, "was never listed"),
        ({"until": ""}, "The end is missing"),
        ({"kind": "boost", "factor": "-2"}, "factor"),
        ({"kind": "pin", "place": "99"}, "place"),
        ({"kind": "sponsored", "target": "seller"}, "Only a product can be sponsored"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_form_that_is_refused_says_why_and_keeps_what_was_entered(
    market: Market, fields: dict[str, str], said: str
) -> None:
    with market.office.http(ADMIN) as admin:
        refused = admin.post("/admin/recommendations", data=form(**fields))

    assert refused.status_code == 422
    assert said in refused.text.partition('role="alert"')[2].partition("</div>")[0]
    assert f'value="{fields.get("id", "lamp1")}"' in refused.text


@pytest.mark.parametrize(
    "query", ["", "?surface=cart", "?surface=product&product_id=lamp0", "?product_id=gone"]
)
def test_the_page_shows_a_list_before_and_after_the_rules(market: Market, query: str) -> None:
    with market.office.http(ADMIN) as admin:
        answer = admin.get(f"/admin/recommendations{query}")

    assert answer.status_code == (404 if "gone" in query else 200)
    assert ('id="list-before"' in answer.text) == ("gone" not in query)
    assert "recommendation_max_per_seller" in answer.text


@pytest.mark.nightly
@pytest.mark.browser
def test_the_page_with_entries_and_a_preview_fits_every_width(browser: Browser, market: Market) -> None:
    market.set(PINS, [entry(target="product", id="lamp4", place=1)]).raise_for_status()
    market.set(BOOSTS, [entry(target="category", id="lamps", factor=2.5)]).raise_for_status()
    market.always(lambda: market.shown()[0] == "lamp4")
    with market.office.http(ADMIN) as admin:
        assert '<span class="chip go">Pinned</span>' in admin.get("/admin/recommendations").text
    context = browser.new_context(
        base_url=market.settings.serving, extra_http_headers=bearer(market.settings, ADMIN)
    )
    page = context.new_page()
    for language in ("en", "pt"):
        page.set_extra_http_headers(bearer(market.settings, ADMIN) | {"Accept-Language": language})
        page.goto("/admin/recommendations")
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, f"{language} at {width} px, {theme}"
    context.close()
