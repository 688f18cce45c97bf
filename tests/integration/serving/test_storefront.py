"""The shop's pages in a real Chromium with real stores, and without commerce services or with a stand-in."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect
from redis import Redis

from common.settings import Settings
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.integration.serving.commerce_stub import ORDER_ID, CommerceStub, cart_of
from tests.integration.serving.conftest import TABLES, ask, drop_cached, insert, put, put_offers
from tests.integration.serving.layouts import layouts, scroll_width

pytestmark = pytest.mark.browser

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
PRODUCTS = [
    ("desk-lamp", "ana", "Slim Desk Lamp, Teal", "Lamps", 9990, 5),
    ("floor-lamp", "new", "Classic Floor Lamp, Sand", "Lamps", 14990, 3),
    ("lantern", "ana", "Little Lantern, Rose", "Lamps", 4990, 0),
    ("atlas", "new", "Simple Atlas, Navy", "History", 7990, 9),
]
LAMP = {"seller_id": "ana", "name": PRODUCTS[0][2], "category": "Lamps", "price_minor": 9990}
ORDER = {"order_id": ORDER_ID, "placed_at": "2026-11-20T12:00:00Z"}
BOUGHT = {"lines": 2, "amount_minor": 1_234_567_890, "currency": "BRL"}
CART = cart_of(*((product_id, seller_id, price) for product_id, seller_id, _, _, price, _ in PRODUCTS))


@pytest.fixture(scope="module", autouse=True)
def shelves(shop: Settings) -> Iterator[None]:
    listed = [
        [f"s{number}", f"2018-01-0{number} 00:00:00.000", *product[:4], "BRL", product[4]]
        for number, product in enumerate(PRODUCTS, 1)
    ]
    put(shop, "product_listed", LISTING, listed)
    with Redis.from_url(shop.redis) as redis:
        for product_id, seller_id, name, category, price, available in PRODUCTS:
            offer = {"seller_id": seller_id, "name": name, "category": category, "price_minor": price}
            put_offers(redis, product_id, offer, stock={seller_id: available}, interest=1.0)
        redis.zadd("popular_products", {"atlas": 6.0, "desk-lamp": 7.0})
        yield
        redis.zrem("popular_products", "atlas", "desk-lamp")
        redis.delete(*(f"product:{product[0]}" for product in PRODUCTS))
    ask(shop, "TRUNCATE TABLE product_listed")
    insert(shop, "product_listed", TABLES["product_listed"][1])


@pytest.fixture
def told() -> list[dict[str, Any]]:
    """The events that the pages send, each once."""
    return []


@pytest.fixture
def page(page: Page, told: list[dict[str, Any]]) -> Page:
    """A page whose events a stand-in for the intake takes."""

    def take(route: Route, request: Request) -> None:
        sent = json.loads(request.post_data or "{}")["events"]
        told.extend(one for one in sent if one not in told)  # a repeated event of the next page
        route.fulfill(status=202, json={"accepted": 1, "event_ids": [], "rejected": []})

    page.route("**/v1/events", take)
    return page


def named(told: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [one for one in told if one["event"] == event]


def hear(page: Page, told: list[dict[str, Any]], event: str, times: int = 1) -> list[dict[str, Any]]:
    """Wait until `times` events of this name were sent, and return them. The page continues to run."""
    deadline = time.monotonic() + TEST_TIMEOUT_S / 4
    while len(named(told, event)) < times and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    return named(told, event)


def test_nothing_spills_over_the_side(page: Page, commerce: CommerceStub) -> None:
    commerce.cart = CART
    page.add_init_script(f"localStorage['souk.orders'] = JSON.stringify([{ORDER | BOUGHT}])")
    for path in (
        *("/shop", "/shop/products?q=lamp", "/shop/products/desk-lamp", "/shop/cart", "/shop/orders"),
        f"/shop/orders/{ORDER_ID}",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, (path, theme)


def test_the_start_page_leads_to_the_shop(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Open the shop").click()
    expect(page.get_by_role("heading", name="Picked for you")).to_be_visible()
    page.goto("/")
    page.get_by_label("Find products").fill("atlas")
    page.keyboard.press("Enter")
    expect(page.locator(".pc")).to_have_count(1)


def test_a_visitor_keeps_one_session_that_no_script_can_read(page: Page, shop: Settings) -> None:
    page.goto("/shop")
    session = page.locator("body").get_attribute("data-session")
    assert re.fullmatch("[0-9a-f]{32}", session or "")
    for path in ("/shop/products/atlas", "/shop/products?q=lamp"):  # a script fetches the session
        page.goto(path)
        expect(page.locator("body")).to_have_attribute("data-session", session or "")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"]) == ("souk_session", True)
    assert cookie["value"].startswith(f"{session}.")
    assert cookie["sameSite"] == "Lax"
    forged = httpx.get(f"{shop.serving}/shop", cookies={"souk_session": "<script>"}, trust_env=False)
    assert "<script>" not in forged.headers["set-cookie"]


def test_a_new_visitor_of_a_public_page_has_one_session(page: Page, told: list[dict[str, Any]]) -> None:
    page.goto("/shop/products/atlas")
    expect(page.locator("[data-row] .pc").first).to_be_visible()
    (viewed,) = hear(page, told, "product_viewed")
    (cookie,) = page.context.cookies()
    assert viewed["session_id"] == cookie["value"].partition(".")[0]


def test_a_link_in_a_mail_is_a_click_on_its_list_once(page: Page, told: list[dict[str, Any]]) -> None:
    listed = "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c12"
    page.goto(f"/shop/products/atlas#recommendation={listed}&position=2")
    (clicked,) = hear(page, told, "recommendation_clicked")
    (viewed,) = hear(page, told, "product_viewed")
    page.reload()
    again = hear(page, told, "product_viewed", times=2)[1]

    wanted = {"recommendation_id": listed, "surface": "email", "product_id": "atlas", "position": 2}
    assert {name: clicked[name] for name in wanted} == wanted
    assert (viewed["source"], viewed["recommendation_id"]) == ("recommendation", listed)
    assert again["source"] == "direct"
    assert [one["event"] for one in told].count("recommendation_clicked") == 1


def test_events_are_sent_once_the_session_is_known(
    page: Page, told: list[dict[str, Any]], complaints: list[str]
) -> None:
    page.route("**/shop/visitor", lambda route: route.abort(), times=2)
    page.goto("/shop/products/atlas")
    (viewed,) = hear(page, told, "product_viewed")
    assert re.fullmatch("[0-9a-f]{32}", viewed["session_id"])
    assert complaints == ["Failed to load resource: net::ERR_FAILED"] * 2
    complaints.clear()


@pytest.mark.nightly
def test_what_was_seen_before_the_session_was_known_is_told_by_the_next_page(
    page: Page, told: list[dict[str, Any]]
) -> None:
    page.route("**/shop/visitor", lambda _route: None, times=1)  # the page is left before the response
    page.goto("/shop/products/atlas")
    deadline = time.monotonic() + TEST_TIMEOUT_S / 4
    while "product_viewed" not in page.evaluate("sessionStorage['souk.pending-events'] ?? ''"):
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    assert told == []
    page.goto("/shop/products/desk-lamp")
    viewed = hear(page, told, "product_viewed", times=2)
    assert {one["product_id"] for one in viewed} == {"atlas", "desk-lamp"}
    assert len({one["session_id"] for one in viewed}) == 1


@pytest.fixture
def goes_with(page: Page, shop: Settings) -> Iterator[Locator]:
    """The row of what goes with the floor lamp, on its page.

    A process knows for up to 30 s what went with a product, so a page of another test may have left it empty.
    """
    row = page.locator("[data-anchor]")

    def has_row() -> bool:
        drop_cached(shop)
        page.goto("/shop/products/floor-lamp")
        return row.count() > 0

    with Redis.from_url(shop.redis) as redis:
        redis.zadd("similar:floor-lamp", {"desk-lamp": 4.0})
        await_true(has_row, "the row of similar products")
        yield row
        redis.delete("similar:floor-lamp")


def test_similar_products_have_another_recommendation_id_for_each_visitor(
    page: Page, goes_with: Locator, told: list[dict[str, Any]]
) -> None:
    def shown() -> set[str]:
        rows = named(told, "recommendation_shown")
        return {one["recommendation_id"] for one in rows if one.get("anchor_product_id")}

    def seen(number: int) -> str | None:
        goes_with.scroll_into_view_if_needed()
        await_true(lambda: page.wait_for_timeout(20) or len(shown()) == number, "the report of the row")
        return goes_with.get_attribute("data-recommendation")

    first = seen(1)
    page.reload()
    second = seen(2)
    assert shown() == {first, second}
    assert first != second


def test_no_product_is_shown_in_two_rows_of_a_page(page: Page, goes_with: Locator) -> None:
    def asked() -> str | None:
        """Return what a page with the row asks for below it; None if its process has no row."""
        with page.expect_response("**/shop/recommended*") as answer:
            page.reload()
        return answer.value.url if goes_with.count() else None

    assert "exclude=desk-lamp" in await_true(asked, "the row of similar products")
    expect(page.locator("[data-row] .pc")).to_have_count(1)
    expect(page.get_by_role("heading", name="Goes well with it")).to_be_visible()
    beside = goes_with.locator("[data-product]")
    assert [card.get_attribute("data-product") for card in beside.all()] == ["desk-lamp"]
    expect(page.locator("[data-row] .pc")).to_contain_text("Atlas")


def test_the_row_of_recommendations_does_not_move_the_page(page: Page) -> None:
    page.goto("/shop/products/atlas")
    page.evaluate(
        """new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shifted = (window.shifted ?? 0) + entry.value;
        }).observe({type: 'layout-shift', buffered: true})"""
    )
    expect(page.locator("[data-row] .pc").first).to_be_visible()
    assert page.evaluate("window.shifted ?? 0") < 0.05


def test_recommendations_say_why_and_are_told_when_seen_and_followed(
    page: Page, told: list[dict[str, Any]]
) -> None:
    page.goto("/shop")
    row = page.locator("[data-row] .shelf")
    expect(row.locator(".pc")).to_have_count(2)
    expect(row.locator(".pc").first).to_contain_text("Popular right now")
    (shown,) = hear(page, told, "recommendation_shown")
    row.get_by_role("link", name="Simple Atlas, Navy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Simple Atlas, Navy")
    (viewed,) = hear(page, told, "product_viewed")
    (clicked,) = hear(page, told, "recommendation_clicked")
    assert [item["product_id"] for item in shown["items"]] == ["desk-lamp", "atlas"]
    assert (clicked["product_id"], clicked["position"], clicked["surface"]) == ("atlas", 2, "home")
    assert viewed["source"] == "recommendation"
    assert viewed["recommendation_id"] == clicked["recommendation_id"] == shown["recommendation_id"]
    assert len({one["event_id"] for one in told}) == len(told)
    assert {one["session_id"] for one in told} == {page.locator("body").get_attribute("data-session")}


@pytest.mark.nightly
def test_what_is_refused_is_not_told_again(
    page: Page, told: list[dict[str, Any]], complaints: list[str]
) -> None:
    refused = {"type": "urn:souk:problem:no-event-taken", "status": 422, "rejected": []}
    page.route(
        "**/v1/events",
        lambda route: route.fulfill(status=422, json=refused, content_type="application/problem+json"),
        times=1,
    )
    with page.expect_response(lambda response: response.url.endswith("/v1/events")) as answer:
        page.goto("/shop/products/atlas")
    assert answer.value.status == 422
    page.wait_for_function("sessionStorage.getItem('souk.pending-events') === null")
    page.goto("/shop/products/desk-lamp")
    assert [one["product_id"] for one in hear(page, told, "product_viewed")] == ["desk-lamp"]
    assert any("422" in one for one in complaints)
    complaints.clear()


@pytest.mark.nightly
def test_what_a_page_could_not_tell_the_next_one_tells(
    page: Page, told: list[dict[str, Any]], complaints: list[str]
) -> None:
    page.route("**/v1/events", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/v1/events")):
        page.goto("/shop/products/atlas")
    page.goto("/shop/products/desk-lamp")
    viewed = hear(page, told, "product_viewed", times=2)
    assert {one["product_id"] for one in viewed} == {"atlas", "desk-lamp"}
    page.wait_for_function("sessionStorage.getItem('souk.pending-events') === null")
    assert complaints.pop() == "Failed to load resource: net::ERR_FAILED"


@pytest.mark.nightly
def test_a_row_moves_after_a_click_but_not_under_the_hand(
    page: Page, shop: Settings, commerce: CommerceStub
) -> None:
    commerce.cart = cart_of(("atlas", "new", 7_990))
    page.goto("/shop")
    row = page.locator("[data-row] .pc")
    expect(row).to_have_count(2)
    with Redis.from_url(shop.redis) as redis:
        try:
            redis.zadd("popular_products", {"floor-lamp": 9.0})
            with page.expect_response("**/shop/recommended*"):
                page.get_by_role("button", name="Add Simple Atlas, Navy to the cart").click()
            assert row.count() == 2  # the pointer is still on it
            page.mouse.move(1, 1)
            expect(row.first).to_contain_text("Classic Floor Lamp, Sand")
            expect(row.filter(has_text="Simple Atlas")).to_have_count(0)  # it is in the cart
            expect(page.locator("#row-status")).to_have_text("Updated after your last click")
        finally:
            redis.zrem("popular_products", "floor-lamp")


@pytest.mark.nightly
def test_a_search_is_told_and_leads_to_what_is_looked_at(page: Page, told: list[dict[str, Any]]) -> None:
    page.goto("/shop")
    page.get_by_label("Find products").fill("LAMP")
    page.keyboard.press("Enter")
    expect(page.locator(".pc")).to_have_count(3)
    expect(page.locator(".pc", has_text="Lantern")).to_contain_text("Sold out")
    (searched,) = hear(page, told, "search_performed")
    page.get_by_role("link", name="Slim Desk Lamp, Teal").click()
    (viewed,) = hear(page, told, "product_viewed")
    assert (searched["query"], searched["result_count"], searched["page_number"]) == ("LAMP", 3, 1)
    assert (viewed["source"], viewed["search_id"]) == ("search", searched["search_id"])


def test_what_is_sold_out_cannot_be_added(api: httpx.Client) -> None:
    page = api.get("/shop/products/lantern").raise_for_status().text
    assert ">Sold out<" in page
    assert "Add to cart" not in page


def test_an_order_that_cannot_be_looked_up_says_so_and_leads_back_to_the_shop(api: httpx.Client) -> None:
    page = api.get(f"/shop/orders/{ORDER['order_id']}", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "Nothing is lost" in page.text
    assert re.search('<a [^>]*href="/shop">Back to the shop</a>', page.text)


def test_a_picture_is_kept_by_browsers_and_an_unknown_one_is_a_404(api: httpx.Client) -> None:
    (link,) = set(re.findall(r'src="(/shop/tiles/[^"]+)"', api.get("/shop/products/desk-lamp").text))
    drawn = api.get(link)
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "immutable" in drawn.headers["cache-control"]
    assert api.get("/shop/tiles/lamp-mauve-0-0.svg").status_code == 404


@pytest.mark.parametrize(
    ("path", "stored_by"),
    [("/shop", "private"), ("/shop/cart", "private"), ("/shop/products/desk-lamp", "public")],
)
@pytest.mark.usefixtures("commerce")
def test_pages_bring_no_script_or_style_of_their_own(api: httpx.Client, path: str, stored_by: str) -> None:
    page = api.get(path)
    assert "script-src 'self'; style-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"].startswith(stored_by)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=", page.text)
