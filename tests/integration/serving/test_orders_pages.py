"""The pages of a shopper's orders in a real Chromium; a stand-in answers for the commerce services."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from common.settings import Settings
from tests.integration.serving.commerce_stub import ORDER_ID, CommerceStub, order_of_two_sellers

pytestmark = pytest.mark.browser

CANCELLATION = f"/v1/orders/{ORDER_ID}/cancellation"
ORDERS = [
    {"order_id": ORDER_ID, "placed_at": "2026-11-20T01:30:00Z", "lines": 2, "amount_minor": 17980}
    | {"currency": "BRL"},
    {"order_id": "of-before", "placed_at": "2026-11-19T12:00:00Z", "lines": 1, "amount_minor": 500},
]


@pytest.fixture
def page(page: Page) -> Page:
    """A page whose events are discarded."""
    page.route("**/v1/events", lambda route: route.fulfill(status=202, json={}))
    return page


def test_an_order_of_two_sellers_is_followed_until_both_parcels_have_come(
    page: Page, commerce: CommerceStub
) -> None:
    page.clock.install()
    page.goto(f"/shop/orders/{ORDER_ID}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is confirmed")
    for order, title in (
        (order_of_two_sellers("shipped", "confirmed", "shipped"), "1 of 2 parcels has left"),
        (
            order_of_two_sellers("delivered", "confirmed", "shipped", "delivered"),
            "1 of 2 parcels has arrived",
        ),
        (order_of_two_sellers("delivered", "confirmed", *["shipped", "delivered"] * 2), "Delivered"),
    ):
        commerce.order = order
        page.clock.run_for(5_000)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.locator("#order-said")).to_contain_text(title)
    expect(page.locator(".progress .done")).to_have_count(6)
    expect(page.locator(".track .fresh")).to_have_count(0)


def test_money_of_a_part_that_came_back_is_not_said_to_be_all_of_it(
    page: Page, commerce: CommerceStub
) -> None:
    commerce.order = order_of_two_sellers("delivered", "confirmed", *["shipped", "delivered"] * 2)
    commerce.order["payment"]["refunded_minor"] = 4990
    page.goto(f"/shop/orders/{ORDER_ID}")
    expect(page.locator("#order-lead")).to_contain_text("R$49.90 is on its way back to you.")
    expect(page.locator(".paid")).to_have_text(["PaidR$179.80", "Refunded so farR$49.90"])


def test_an_order_is_cancelled_only_when_asked_again(page: Page, commerce: CommerceStub) -> None:
    page.goto(f"/shop/orders/{ORDER_ID}")
    page.get_by_role("button", name="Cancel this order").dblclick()
    sure = page.get_by_role("button", name="Really cancel?")
    expect(sure).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Really cancel?")).to_have_count(1)
    assert commerce.asked == []
    sure.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")
    assert commerce.asked == [CANCELLATION]


def test_the_question_is_asked_by_keyboard_too_and_is_forgotten_after_a_while(
    page: Page, commerce: CommerceStub
) -> None:
    page.clock.install()
    page.goto(f"/shop/orders/{ORDER_ID}")
    button = page.get_by_role("button", name="Cancel this order")
    button.focus()
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # held down
    page.keyboard.up("Enter")
    sure = page.get_by_role("button", name="Really cancel?")
    expect(sure).to_be_focused()
    page.clock.run_for(5_000)  # the page has requested the order's state
    expect(sure).to_be_focused()
    page.clock.run_for(5_000)
    expect(button).to_be_focused()
    assert commerce.asked == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")


@pytest.mark.usefixtures("commerce")
def test_ones_orders_are_found_from_every_page(api: httpx.Client) -> None:
    for path in ("/shop", "/shop/products/lamp", "/shop/cart", f"/shop/orders/{ORDER_ID}"):
        page = api.get(path, headers={"Accept": "text/html"}).raise_for_status().text
        header = page.partition("<header")[2].partition("</header>")[0]
        assert re.search('href="/shop/orders" aria-label="Your orders"', header), path
    assert re.search(r"<h1[^>]*>Your orders</h1>", api.get("/shop/orders").raise_for_status().text)


def test_orders_are_listed_with_their_sums_in_the_shops_zone(browser: Browser, shop: Settings) -> None:
    with browser.new_context(base_url=shop.serving, timezone_id="Asia/Tokyo") as context:
        context.add_init_script(f"localStorage['souk.orders'] = {json.dumps(json.dumps(ORDERS))}")
        page = context.new_page()
        page.goto("/shop/orders")
        first, before = page.locator("#orders .row").all()
        expect(first).to_contain_text("Nov 19, 2026, 10:30\u202fPM")
        expect(first).to_contain_text("2 products")
        expect(first.locator(".row-figure")).to_have_text("R$179.80")
        expect(before.locator(".row-figure")).to_have_count(0)


def test_an_order_of_which_a_parcel_has_left_says_which_and_why_it_stays(
    page: Page, commerce: CommerceStub
) -> None:
    commerce.order = order_of_two_sellers("shipped", "confirmed", "shipped")
    commerce.order["history"][-1] |= {"seller_id": "ana", "carrier": "Correios", "tracking_code": "T0042"}
    page.goto(f"/shop/orders/{ORDER_ID}")
    sent, packed = page.locator(".order-page .parcel").all()
    expect(sent.locator(".chip")).to_have_text("On its way")
    expect(sent.locator(".sent")).to_contain_text("Correios · Tracking code T0042")
    expect(packed.locator(".chip")).to_have_text("Being packed")
    expect(page.get_by_role("button", name="Cancel this order")).to_have_count(0)
    expect(page.locator(".track-foot")).to_contain_text("A parcel has left, so this order can't be cancelled")


def test_a_guest_sees_the_status_of_their_orders(page: Page, commerce: CommerceStub) -> None:
    commerce.order = order_of_two_sellers("shipped", "confirmed", "shipped")
    stored = json.dumps(json.dumps(ORDERS))
    page.add_init_script(f"localStorage['souk.orders'] = {stored}")
    page.goto("/shop")  # the browser gets its session
    page.goto("/shop/orders")
    expect(page.locator(".order-list .row")).to_have_count(1)
    expect(page.locator(".order-list .chip")).to_have_text("Shipped")
    expect(page.locator("#orders .row")).to_have_count(1)  # the one that the services don't know
