"""The pages of the cart and the checkout with the real services, in Chromium and without scripts."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from redis import Redis

from common.ids import new_id
from common.principal import Principal
from serving.kit.request_body import CONTENT_TYPE
from tests.integration.commerce.site import BEST_SELLER, Site, fill_sign_in, path_of, sign_in
from tests.integration.servers import await_true
from tests.integration.serving.conftest import put, put_offers
from tests.integration.serving.layouts import layouts, scroll_width

BIA = "bia"
LAMP, VASE = "Desk lamp, teal", "Tall vase"

LISTING = ("event_id", "occurred_at", "product_id", "seller_id", "name", "currency", "price_minor")

ADMIN = Principal("user-admin", frozenset({"shopper", "admin"}), ("shopper-admin",))

Listing = Callable[..., str]


@pytest.fixture(scope="module")
def redis(site: Site) -> Iterator["Redis[Any]"]:
    with Redis.from_url(site.settings.redis) as client:
        yield client


@pytest.fixture
def listed(site: Site, redis: "Redis[Any]") -> Listing:
    """A function that lists a product by its name, and waits until carts and pages know it and its stock."""

    def list_product(
        name: str, seller_id: str = BEST_SELLER, stock: int = 10, price_minor: int = 9_990
    ) -> str:
        product_id = site.shop.product(stock, price_minor, seller_id=seller_id)
        await_available(site, product_id, stock)
        row = [new_id(), "2018-01-01 00:00:00.000", product_id, seller_id, name, "BRL", price_minor]
        put(site.settings, "product_listed", LISTING, [row])
        offer = {"seller_id": seller_id, "name": name, "price_minor": price_minor}
        put_offers(redis, product_id, offer, stock={seller_id: stock}, interest=1.0)
        return product_id

    return list_product


@pytest.fixture
def lamp(listed: Listing) -> str:
    return listed(LAMP)


@pytest.fixture
def vase(listed: Listing) -> str:
    return listed(VASE, BIA, price_minor=7_990)


def await_available(site: Site, product_id: str, units: int) -> None:
    site.shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", product_id)
    site.shop.await_row("SELECT FROM carts.stock WHERE product_id = $1 AND available = $2", product_id, units)


def set_price(site: Site, product_id: str, price_minor: int, *tables: str) -> None:
    """Change the price of a product, and wait until these copies have it."""
    offer = {"product_id": product_id, "seller_id": BEST_SELLER, "currency": "BRL", "category": None}
    site.shop.tell("product_changed", **offer, price_minor=price_minor, changed_fields=["price_minor"])
    for table in tables:
        site.shop.await_row(
            f"SELECT FROM {table} WHERE product_id = $1 AND price_minor = $2", product_id, price_minor
        )


def delist(site: Site, product_id: str, seller_id: str) -> None:
    """End an offer, and wait until carts know it."""
    told = {"product_id": product_id, "seller_id": seller_id, "reason": "discontinued"}
    site.shop.tell("product_delisted", **told)
    site.shop.await_row("SELECT FROM carts.offers WHERE product_id = $1 AND NOT listed", product_id)


def add(browser: httpx.Client, product_id: str, quantity: int | str = 1, **fields: str) -> httpx.Response:
    return browser.post("/shop/cart/lines", data={"product_id": product_id, "quantity": quantity, **fields})


def press(browser: httpx.Client, product_id: str, change: str, **fields: str) -> httpx.Response:
    return browser.post(f"/shop/cart/lines/{product_id}", data={"change": change, **fields})


def in_cart(browser: httpx.Client) -> list[tuple[str, int]]:
    """Return the products on the page of the cart with their units, without what is saved for later."""
    page = browser.get("/shop/cart").raise_for_status().text
    lines = re.findall(r'<li class="cart-line"([^>]*)>', page)
    found = [
        re.findall(r'data-(?:product|quantity)="([^"]*)"', line) for line in lines if "saved" not in line
    ]
    return [(product_id, int(quantity)) for product_id, quantity in found]


def open_with(page: Page, *products: tuple[str, str]) -> Page:
    """Put products (id, name) into the cart by their pages, and open the cart."""
    for product_id, _ in products:
        page.goto(f"/shop/products/{product_id}")
        page.get_by_role("button", name="Add to cart").click()
        expect(page.get_by_role("button", name="Added to cart")).to_be_visible()
    page.goto("/shop/cart")
    expect(page.locator(".cart-line")).to_have_count(len(products))
    return page


def sign_in_at(page: Page, email: str) -> None:
    """Sign in on the page, and wait until it is done."""
    page.goto("/sign-in")
    fill_sign_in(page, email)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def place(page: Page) -> None:
    page.get_by_role("button", name="Place order").click()


def orders_of(site: Site, product_id: str) -> list[dict[str, Any]]:
    """Return the orders of a product."""
    return site.sql(
        "SELECT orders.* FROM orders.orders JOIN orders.order_lines USING (order_id) WHERE product_id = $1",
        product_id,
    )


@pytest.mark.browser
def test_a_cart_is_split_by_seller_and_changed_by_keyboard(
    window: BrowserContext, lamp: str, vase: str
) -> None:
    page = open_with(window.new_page(), (lamp, LAMP), (vase, VASE))
    expect(page.get_by_role("region", name="From Ana's lamps")).to_contain_text(LAMP)
    expect(page.get_by_role("region", name="From Seller bia")).to_contain_text(VASE)
    expect(page.locator("#place")).to_have_text("Place order · R$179.80")
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, f"{width} px, {theme}"

    more = page.get_by_role("button", name=f"One more of {LAMP}")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_have_text("Place order · R$379.60")
    expect(more).to_be_focused()
    expect(page.get_by_role("link", name="Cart, 4 items")).to_be_visible()

    page.get_by_role("button", name=f"Save {VASE} for later").click()
    expect(page.locator("#place")).to_have_text("Place order · R$299.70")
    saved = page.get_by_role("region", name="Saved for later")
    expect(saved).to_contain_text(VASE)
    page.get_by_role("button", name=f"Remove {LAMP}").click()
    expect(page.locator("#cart")).to_contain_text("Nothing in here yet")
    expect(page.locator(".shelf")).to_have_count(0)  # nothing completes an empty cart
    page.get_by_role("button", name=f"Put {VASE} into the cart").click()
    expect(page.locator("#place")).to_have_text("Place order · R$79.90")


@pytest.mark.browser
def test_a_double_click_places_one_order_which_empties_the_cart_and_can_be_placed_again(
    window: BrowserContext, site: Site, lamp: str, vase: str
) -> None:
    page = open_with(window.new_page(), (lamp, LAMP), (vase, VASE))
    page.locator("#place").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is confirmed", timeout=30_000)
    assert len(orders_of(site, lamp)) == 1
    expect(page.get_by_role("link", name="Cart, empty")).to_be_visible()
    page.goto("/shop/cart")
    expect(page.locator("#cart")).to_contain_text("Nothing in here yet")
    page.goto("/shop/orders")
    expect(page.get_by_role("main")).to_contain_text("R$179.80")


@pytest.mark.browser
def test_a_declined_card_leaves_the_cart_as_it_was(window: BrowserContext, lamp: str, vase: str) -> None:
    page = open_with(window.new_page(), (lamp, LAMP), (vase, VASE))
    page.get_by_label("Card ending in 0002").check()
    place(page)
    expect(page.locator("#order-lead")).to_contain_text("back there", timeout=30_000)
    expect(page.get_by_role("link", name="Cart, 2 items")).to_be_visible()
    page.get_by_role("link", name="Go to your cart").click()
    expect(page.locator(".cart-line")).to_have_count(2)


@pytest.mark.browser
def test_an_order_that_was_not_answered_is_sent_again_with_the_same_key(
    window: BrowserContext, site: Site, lamp: str, complaints: list[str]
) -> None:
    keys: list[str] = []

    def lose_the_first(route: Route, request: Request) -> None:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # it arrives: only the response is missing
            route.abort()
        else:
            route.continue_()

    page = window.new_page()
    page.route("**/v1/orders", lose_the_first)
    open_with(page, (lamp, LAMP))
    place(page)
    expect(page.get_by_role("alert")).to_contain_text("you buy once")
    expect(page).to_have_url(re.compile("/shop/orders/"), timeout=15_000)
    assert (len(keys), len(set(keys)), len(orders_of(site, lamp))) == (2, 1, 1)
    assert [complaints.pop()] == ["Failed to load resource: net::ERR_FAILED"]


@pytest.mark.browser
def test_a_price_that_has_moved_is_shown_before_it_is_agreed_to(
    window: BrowserContext, site: Site, lamp: str, complaints: list[str]
) -> None:
    page = open_with(window.new_page(), (lamp, LAMP))
    set_price(site, lamp, 8_990, "orders.offers", "carts.offers")
    place(page)
    expect(page.get_by_role("alert")).to_contain_text("A price has just changed")
    expect(page.locator(".cart-line")).to_contain_text("changed from R$99.90")
    expect(page.locator("#place")).to_have_text("Place order · R$89.90")
    place(page)
    expect(page).to_have_url(re.compile("/shop/orders/"))
    (order,) = orders_of(site, lamp)
    (line,) = site.sql("SELECT * FROM orders.order_lines WHERE order_id = $1", order["order_id"])
    assert line["unit_price_minor"] == 8_990
    assert "409" in complaints.pop()


@pytest.mark.browser
def test_a_cart_outlives_a_checkout_that_is_away(
    window: BrowserContext, lamp: str, complaints: list[str]
) -> None:
    page = window.new_page()
    page.route("**/v1/orders", lambda route: route.fulfill(status=503, headers={"Retry-After": "0"}))
    open_with(page, (lamp, LAMP))
    place(page)
    expect(page.get_by_role("alert")).to_contain_text("Your cart is safe", timeout=30_000)
    expect(page.locator("#place")).to_be_enabled()
    page.reload()
    expect(page.locator(".cart-line")).to_have_count(1)
    assert all("503" in complaint for complaint in complaints)
    complaints.clear()


@pytest.mark.browser
def test_a_cart_of_a_former_version_is_taken_over_once(
    window: BrowserContext, lamp: str, vase: str, complaints: list[str]
) -> None:
    lines = [{"product_id": each, "quantity": 2} for each in (lamp, "unheard-of", vase)]
    stored = json.dumps({"id": "c", "lines": lines})
    first, second = window.new_page(), window.new_page()
    first.goto("/shop/orders")
    first.evaluate("cart => localStorage.setItem('souk.cart', cart)", stored)
    for page in (first, second):
        page.goto(f"/shop/products/{lamp}")
    expect(second.get_by_role("link", name="Cart, 4 items")).to_be_visible()
    first.goto("/shop/cart")
    expect(first.locator(".cart-line")).to_have_count(2)
    assert first.evaluate("localStorage['souk.cart']") is None
    assert [complaint for complaint in complaints if "422" not in complaint] == []
    complaints.clear()


@pytest.mark.browser
def test_a_guest_s_cart_is_there_on_another_device_after_the_sign_in(
    window: BrowserContext, chromium: Browser, site: Site, lamp: str, vase: str
) -> None:
    email = site.person()
    at_home = open_with(window.new_page(), (lamp, LAMP))
    with chromium.new_context(base_url=site.url) as phone:
        on_the_way = open_with(phone.new_page(), (vase, VASE))
        for page in (at_home, on_the_way):
            sign_in_at(page, email)
            page.goto("/shop/cart")
        expect(on_the_way.locator(".cart-line")).to_have_count(2)
        on_the_way.get_by_role("button", name=f"Remove {LAMP}").click()
        expect(on_the_way.locator(".cart-line")).to_have_count(1)
    at_home.reload()
    expect(at_home.locator(".cart-line")).to_have_count(1)
    expect(at_home.get_by_role("link", name="Cart, 1 item")).to_be_visible()


@pytest.mark.browser
def test_the_focus_stays_near_what_was_pressed(window: BrowserContext, lamp: str, vase: str) -> None:
    page = open_with(window.new_page(), (lamp, LAMP), (vase, VASE))
    for button, focused in (
        (f"Save {VASE} for later", f"Put {VASE} into the cart"),
        (f"Remove {VASE}", "Your cart"),
        (f"One less of {LAMP}", "Your cart"),
    ):
        page.get_by_role("button", name=button).press("Enter")
        role = "heading" if focused == "Your cart" else "button"
        expect(page.get_by_role(role, name=focused)).to_be_focused()
        expect(page.locator("#cart-status")).not_to_be_empty()


@pytest.mark.browser
def test_a_change_that_is_not_answered_is_said_and_changes_nothing(
    window: BrowserContext, lamp: str, complaints: list[str]
) -> None:
    page = open_with(window.new_page(), (lamp, LAMP))
    page.route("**/shop/cart/lines/*", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name=f"One more of {LAMP}").click()
    expect(page.locator("#cart-said")).to_contain_text("nothing was changed")
    expect(page.locator("#place")).to_have_text("Place order · R$99.90")
    expect(page.locator(".cart-line output")).to_have_text("1")
    assert "503" in complaints.pop()


@pytest.mark.browser
def test_nothing_is_added_for_a_person_whose_session_has_ended(
    window: BrowserContext, site: Site, lamp: str
) -> None:
    page = window.new_page()
    sign_in_at(page, site.person())
    page.goto(f"/shop/products/{lamp}")
    site.sql("DELETE FROM users.sessions")
    window.clear_cookies(name="souk_access")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
    expect(page.locator("#added")).to_be_empty()


@pytest.mark.browser
def test_events_of_a_cart_name_the_visit_in_which_a_person_changed_it(
    window: BrowserContext, site: Site, lamp: str
) -> None:
    page = window.new_page()
    sign_in_at(page, site.person())
    open_with(page, (lamp, LAMP))
    visit = page.locator("body").get_attribute("data-session")
    (cart,) = site.sql(
        "SELECT carts.* FROM carts.carts JOIN carts.lines USING (cart_id) WHERE product_id = $1", lamp
    )
    assert (cart["session_id"], cart["is_guest"]) == (visit, False)
    place(page)
    expect(page).to_have_url(re.compile("/shop/orders/"))
    order_id = page.url.rpartition("/")[2]
    (placed,) = await_true(lambda: site.shop.events("order_placed", order_id), "the order's event")
    assert placed["session_id"] == visit


def test_a_price_counts_as_seen_only_if_its_change_was_shown(site: Site, lamp: str) -> None:
    browser = site.browser()
    add(browser, lamp)
    set_price(site, lamp, 8_990, "carts.offers")
    press(browser, lamp, "more")  # on a page from before
    page = browser.get("/shop/cart").text
    assert "The price has changed from R$99.90." in page
    assert 'name="is_price_seen"' in page
    press(browser, lamp, "more", is_price_seen="1")
    assert in_cart(browser) == [(lamp, 3)]
    assert "The price has changed" not in browser.get("/shop/cart").text


def test_one_unit_more_is_one_more_than_another_device_has_left(site: Site, lamp: str) -> None:
    email, home, phone = site.person(), site.browser(), site.browser()
    for browser in (home, phone):
        sign_in(browser, email)
    add(home, lamp, 2)
    add(phone, lamp, 3)
    press(home, lamp, "more")
    assert in_cart(phone) == [(lamp, 6)]


def test_a_repeated_addition_with_the_same_key_adds_once(site: Site, lamp: str) -> None:
    browser, key = site.browser(), new_id()
    browser.get("/shop")
    for _ in range(2):
        sent = browser.post(
            "/shop/cart/lines",
            data={"product_id": lamp, "quantity": 2},
            headers={"Accept": "application/json", "Idempotency-Key": key},
        )
        assert sent.status_code == 204
    assert in_cart(browser) == [(lamp, 2)]


def test_no_browser_stores_the_page_of_a_cart(site: Site) -> None:
    assert "no-store" in site.browser().get("/shop/cart").headers["cache-control"]


def test_forms_change_the_cart_without_scripts(site: Site, lamp: str, vase: str) -> None:
    browser = site.browser()
    assert path_of(add(browser, lamp, 2)) == "/shop/cart?done=added"
    assert browser.cookies["souk_cart"] == f"2:{lamp}"
    add(browser, vase, seller_id=BIA)
    assert in_cart(browser) == [(lamp, 2), (vase, 1)]
    assert path_of(press(browser, lamp, "more")) == "/shop/cart?done=changed"
    press(browser, vase, "less")
    assert in_cart(browser) == [(lamp, 3)]
    assert path_of(press(browser, lamp, "save")) == "/shop/cart?done=saved"
    assert in_cart(browser) == []
    assert browser.cookies["souk_cart"] == "0:"
    assert "Saved for later" in browser.get("/shop/cart").text
    press(browser, lamp, "restore")
    assert in_cart(browser) == [(lamp, 3)]
    press(browser, lamp, "remove")
    assert in_cart(browser) == []


def test_an_order_is_placed_again_as_far_as_it_is_for_sale(site: Site, lamp: str, vase: str) -> None:
    browser = site.browser()
    add(browser, lamp, 2)
    lines = [
        {"product_id": each, "seller_id": seller, "quantity": 2, "unit_price_minor": price}
        for each, seller, price in ((lamp, BEST_SELLER, 9_990), (vase, BIA, 7_990))
    ]
    placed = (
        browser.post(
            "/v1/orders",
            json={
                "currency": "BRL",
                "payment": {"method": "credit_card", "token": "tok_visa"},
                "lines": lines,
            },
            headers={"Idempotency-Key": new_id()},
        )
        .raise_for_status()
        .json()
    )
    await_true(lambda: in_cart(browser) == [], "an empty cart")
    add(browser, lamp, 1)
    again = f"/shop/orders/{placed['order_id']}/again"
    empty = {"headers": {"Content-Type": CONTENT_TYPE}}

    assert path_of(browser.post(again, **empty)) == "/shop/cart?done=again"
    assert sorted(in_cart(browser)) == sorted([(lamp, 2), (vase, 2)])
    press(browser, vase, "remove")
    delist(site, vase, BIA)
    assert path_of(browser.post(again, **empty)) == "/shop/cart?done=some"
    assert in_cart(browser) == [(lamp, 2)]
    stranger = site.browser()
    stranger.get("/shop")
    assert stranger.post(again, **empty).status_code == 404


def test_what_a_cart_does_not_take_is_said_on_its_page(site: Site, lamp: str) -> None:
    browser = site.browser()
    for data, status, said in (
        ({"product_id": "unheard-of", "quantity": 1}, 422, "is not for sale"),
        ({"product_id": lamp, "quantity": 1_000}, 422, "quantity"),
        ({"product_id": lamp, "quantity": 10**20}, 422, "too large"),
        ({"product_id": lamp, "quantity": "many"}, 422, "must be a number"),
        ({"product_id": lamp, "quantity": 0}, 422, "quantity"),
        ({"quantity": 1}, 422, "product_id"),
    ):
        refused = browser.post("/shop/cart/lines", data=data)
        assert (refused.status_code, said in refused.text) == (status, True), (data, refused.text[:3_000])
        assert 'role="alert"' in refused.text
    add(browser, lamp, 999)
    assert add(browser, lamp).status_code == 409
    assert press(browser, lamp, "explode").status_code == 422
    assert press(browser, "unheard-of", "more").status_code == 404
    assert browser.post("/shop/cart/lines", content=b"[]").status_code in (415, 422)
    foreign = browser.post(
        "/shop/cart/lines",
        data={"product_id": lamp, "quantity": 1},
        headers={"Origin": "https://evil.example"},
    )
    assert foreign.status_code == 403
    assert in_cart(browser) == [(lamp, 999)]
    script = browser.post(
        "/shop/cart/lines",
        data={"product_id": "unheard-of", "quantity": 1},
        headers={"Accept": "application/json"},
    )
    assert (script.status_code, script.json()["type"].rpartition(":")[2]) == (422, "unknown-product")


def test_stock_and_listings_are_checked_at_each_look(site: Site, listed: Listing, lamp: str) -> None:
    browser, vase = site.browser(), listed(VASE, stock=2)
    add(browser, lamp, 3)
    add(browser, vase, 2)
    for left, said in ((1, "Only 1 left. Take fewer to go on."), (0, "Sold out.")):
        site.shop.set_stock(vase, left, BEST_SELLER).raise_for_status()
        await_available(site, vase, left)
        page = browser.get("/shop/cart").text
        assert said in page
        assert re.search(r'id="place"[^>]* disabled', page)
    delist(site, vase, BEST_SELLER)
    page = browser.get("/shop/cart").text
    assert "does not offer it any more" in page.replace("&#39;", "'")
    press(browser, vase, "save")
    assert not re.search(r'id="place"[^>]* disabled', browser.get("/shop/cart").text)


def test_the_script_s_look_at_the_cart_sets_only_the_cookie(site: Site, lamp: str) -> None:
    browser = site.signed_in()
    add(browser, lamp, 2)
    browser.cookies.delete("souk_cart")
    answer = browser.get("/shop/cart/state")
    assert (answer.status_code, answer.content) == (204, b"")
    assert browser.cookies["souk_cart"] == f"2:{lamp}"


def test_two_requests_of_a_new_cart_at_once_lose_nothing(site: Site, lamp: str, vase: str) -> None:
    browser = site.browser()
    browser.get("/shop")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda each: add(browser, each), [lamp, vase, lamp, vase]))
    assert {answer.status_code for answer in answers} == {303}
    assert sorted(in_cart(browser)) == sorted([(lamp, 2), (vase, 2)])


def test_a_person_signed_in_sees_the_cart_of_the_guest_they_were(site: Site, lamp: str) -> None:
    email, browser = site.person(), site.browser()
    add(browser, lamp, 2)
    assert sign_in(browser, email).status_code == 303
    assert in_cart(browser) == [(lamp, 2)]
    other = site.browser()
    sign_in(other, email)
    assert in_cart(other) == [(lamp, 2)]


def voucher(site: Site, **changes: Any) -> dict[str, Any]:
    """A voucher of the seller of the lamp."""
    body = {"name": "Summer", "code": f"S-{new_id()[-12:].upper()}", "kind": "percentage", **changes}
    with site.shop.as_principal(ADMIN) as admin:
        answer = admin.post(f"/v1/sellers/{BEST_SELLER}/vouchers", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.browser
def test_a_voucher_lowers_what_is_paid_and_leaves_the_cart_with_the_order(
    window: BrowserContext, site: Site, lamp: str, vase: str
) -> None:
    code = voucher(site, percent_bp=1_000)["code"]
    page = open_with(window.new_page(), (lamp, LAMP), (vase, VASE))
    page.get_by_label("Voucher code").fill(code.lower())
    page.get_by_role("button", name="Use it").click()
    expect(page.locator(f"[data-code={code}]")).to_contain_text("−R$9.99")
    expect(page.locator("#place")).to_have_text("Place order · R$169.81")

    place(page)
    expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
    expect(page.locator(".paid").first).to_contain_text("−R$9.99")
    expect(page.locator(".paid").nth(1)).to_contain_text("R$169.81")
    page.goto("/shop")
    open_with(page, (vase, VASE))
    expect(page.locator("[data-code]")).to_have_count(0)


@pytest.mark.browser
def test_a_voucher_that_ends_before_the_order_is_said_and_nothing_is_lost(
    window: BrowserContext, site: Site, lamp: str, complaints: list[str]
) -> None:
    ended = voucher(site, percent_bp=1_000)
    code = ended["code"]
    page = open_with(window.new_page(), (lamp, LAMP))
    page.get_by_label("Voucher code").fill(code)
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-code={code}]")).to_contain_text("−R$9.99")
    with site.shop.as_principal(ADMIN) as admin:
        path = f"/v1/sellers/{BEST_SELLER}/vouchers/{ended['voucher_id']}/end"
        admin.post(path, json={}).raise_for_status()

    page.locator("#place").click()
    expect(page.locator("#refusal")).to_contain_text("A voucher has no effect any more")
    assert "409" in complaints.pop()
    expect(page.locator(f"[data-code={code}]")).to_contain_text("It has ended.")
    page.get_by_role("button", name=f"Remove the voucher {code}").click()
    expect(page.locator("[data-code]")).to_have_count(0)
    expect(page.locator("#place")).to_have_text("Place order · R$99.90")


@pytest.mark.browser
def test_an_order_that_costs_nothing_has_nothing_to_pay(
    window: BrowserContext, site: Site, lamp: str
) -> None:
    code = voucher(site, percent_bp=10_000)["code"]
    page = open_with(window.new_page(), (lamp, LAMP))
    page.get_by_label("Voucher code").fill(code)
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_have_text("Place order · R$0.00")

    place(page)
    expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
    expect(page.locator(".paid").nth(1)).to_contain_text("Nothing to pay")


def test_codes_are_entered_and_removed_without_scripts(site: Site, lamp: str) -> None:
    browser = site.browser()
    add(browser, lamp)
    code = voucher(site, kind="amount", amount_minor=500, minimum_minor=20_000)["code"]

    def enter(**fields: str) -> httpx.Response:
        return browser.post("/shop/cart/vouchers", data=fields)

    assert "There is no voucher with this code." in enter(code="NO-SUCH-CODE").text
    assert "Enter the code of a voucher." in enter(code=" ").text
    assert enter(code="x y").status_code == 422
    assert path_of(enter(code=code)) == "/shop/cart?done=code_added"
    shown = browser.get("/shop/cart").text
    assert "Your order is below its minimum. (R$200.00)" in shown
    add(browser, lamp, 2)
    shown = browser.get("/shop/cart").text
    assert "−R$5.00" in shown
    assert "Place order · R$294.70" in shown
    assert path_of(enter(remove=code)) == "/shop/cart?done=code_removed"
    assert "Place order · R$299.70" in browser.get("/shop/cart").text


def test_a_person_has_the_codes_of_the_guest_they_were(site: Site, lamp: str) -> None:
    browser = site.browser()
    add(browser, lamp)
    code = voucher(site, percent_bp=1_000)["code"]
    browser.post("/shop/cart/vouchers", data={"code": code})
    sign_in(browser, site.person())

    assert f'data-code="{code}"' in browser.get("/shop/cart").text
