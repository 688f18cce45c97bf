"""The cart and the checkout in a real Chromium; a stand-in answers for the commerce services."""

import json

import pytest
from playwright.sync_api import Page, Request, Route, expect

from serving.web.storefront.cart import MAX_LINES, MAX_UNITS
from tests.integration.serving.visits import FILL_CART

pytestmark = pytest.mark.browser

ORDER = {"order_id": "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11", "placed_at": "2026-11-20T12:00:00Z"}
ADD = """async ([product, quantity]) => {
  const element = document.createElement("div");
  Object.assign(element.dataset, { product, seller: "ana", price: "100", currency: "BRL" });
  (await import("/static/shop/cart-changes.js")).change(element, quantity);
}"""
KEPT = "() => JSON.parse(localStorage['souk.cart']).lines.map((line) => [line.product_id, line.quantity])"


@pytest.fixture(autouse=True)
def _discard_events(page: Page) -> None:
    page.route("**/v1/events", lambda route: route.fulfill(status=202, json={}))


@pytest.mark.nightly
def test_a_full_cart_takes_no_other_product_and_says_so(page: Page) -> None:
    page.goto("/shop")
    page.evaluate(FILL_CART, [MAX_LINES, 1])
    page.evaluate(ADD, ["one more", 1])
    expect(page.get_by_role("alert")).to_contain_text("The cart is full: it takes 100 products, 999 of each")
    page.evaluate(ADD, ["p0", MAX_UNITS + 5])
    kept = page.evaluate(KEPT)
    assert (len(kept), kept[0]) == (MAX_LINES, ["p0", MAX_UNITS])


@pytest.mark.nightly
def test_a_cart_that_held_too_much_already_is_shown_as_far_as_it_can_be_bought(page: Page) -> None:
    page.goto("/shop")
    page.evaluate(FILL_CART, [MAX_LINES + 1, MAX_UNITS + 1])
    page.goto("/shop/cart")
    expect(page.locator(".cart-line")).to_have_count(MAX_LINES)


def test_a_cart_that_changed_after_an_unanswered_order_asks_for_that_order_first(
    page: Page, complaints: list[str]
) -> None:
    sent: list[tuple[str, str]] = []

    def take(route: Route, request: Request) -> None:
        sent.append((request.headers["idempotency-key"], request.post_data or ""))
        if len(sent) == 1:
            route.abort()  # the request may have arrived: only the response is missing
        else:
            route.fulfill(status=202, json=ORDER)

    def show(route: Route, request: Request) -> None:
        if request.method != "POST":
            route.continue_()
            return
        lines = json.loads(request.post_data or "")["lines"]
        shown = "".join(
            f'<li class="cart-line" data-product="{line["product_id"]}" data-seller="ana" data-price="100" '
            f'data-currency="BRL" data-quantity="{line["quantity"]}"></li>'
            for line in lines
        )
        form = (
            '<form id="order"><input type="radio" name="token" value="tok_visa" checked>'
            '<div id="refusal" role="alert"></div><button id="place">Place order</button></form>'
        )
        route.fulfill(body=shown + form, content_type="text/html")

    page.route("**/v1/orders", take)
    page.route("**/shop/cart", show)
    page.route(
        "**/shop/orders/*", lambda route: route.fulfill(body="<h1>taken</h1>", content_type="text/html")
    )
    page.goto("/shop")
    page.evaluate(ADD, ["lamp", 1])
    page.goto("/shop/cart")
    page.locator("#place").click()
    expect(page.get_by_role("alert")).to_contain_text("you buy once")
    page.goto("/shop")
    page.evaluate(ADD, ["lamp", 3])
    page.goto("/shop/cart")
    page.locator("#place").click()
    expect(page.get_by_role("heading", name="taken")).to_be_visible()

    assert len(sent) == 2
    assert sent[0] == sent[1]
    page.goto("/shop")
    assert page.evaluate(KEPT) == [["lamp", 2]]
    assert complaints == ["Failed to load resource: net::ERR_FAILED"]
    complaints.clear()
