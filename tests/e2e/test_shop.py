"""Chromium buys from two sellers: the order is confirmed, the seller's page and recommendations change."""

import re
import uuid
from datetime import UTC, datetime

import httpx
import pytest
from confluent_kafka import Producer
from playwright.sync_api import expect

from common.principal_token import PlatformToken
from local import passwords
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.chromium import opened
from tests.principals import bearer

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.browser, pytest.mark.nightly]

PATIENCE_MS = 90_000
"""Timeout of each condition. On an idle machine, each takes a second."""

RUN = uuid.uuid4().hex[:8]
AMBER, BIRCH = f"amber-{RUN}", f"birch-{RUN}"
LAMPS = [f"lamp-{RUN}-{number}" for number in range(1, 5)]
BOOKS = [f"book-{RUN}-{number}" for number in range(1, 4)]
SHOP = {
    **{lamp: (AMBER, f"Lantern {RUN} {lamp[-1]}, Teal", "Lamps", 9_990) for lamp in LAMPS},
    **{book: (BIRCH, f"Atlas {RUN} {book[-1]}, Navy", "History", 4_990) for book in BOOKS},
}
STOCK = 20


class Marketplace:
    """Sends events of sellers and of earlier shoppers."""

    def __init__(self, settings):
        self.http = httpx.Client(
            base_url=settings.serving, trust_env=False, timeout=60, auth=PlatformToken(settings, "tests")
        )
        self.settings = settings
        self._producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})

    def tell(self, event, **fields):
        """Send an event to Kafka, as the sellers' systems do."""
        described = all_events()[event]
        record = {field["name"]: field.get("default") for field in described.fields}
        record |= {"event_id": str(uuid.uuid4()), "occurred_at": datetime.now(UTC), **fields}
        with SchemaRegistry(self.settings.registry) as registry:
            value = Encoder(described, registry.register(described.subject, described.text)).encode(record)
        self._producer.produce(event, value, fields[described.key])
        assert self._producer.flush(60) == 0

    def offer(self, event, product_id, **changes):
        """List a product, or change its listing."""
        seller_id, name, category, price_minor = SHOP[product_id]
        offer = {"product_id": product_id, "seller_id": seller_id, "name": name, "category": category}
        self.tell(event, **{**offer, "currency": "BRL", "price_minor": price_minor, **changes})

    def count(self, product_id, on_hand):
        """Set the stock of a product."""
        stock = {"seller_id": SHOP[product_id][0], "on_hand": on_hand}
        return self.http.put(f"/v1/products/{product_id}/stock", json=stock)

    def look_at(self, session_id, *product_ids):
        """Send views of these products by this session."""
        viewed = [
            {"event": "product_viewed", "session_id": session_id, "product_id": product_id}
            for product_id in product_ids
        ]
        answer = self.http.post("/v1/events", json={"events": viewed})
        assert answer.json()["accepted"] == len(viewed), answer.text

    def buy(self, product_id, price_minor):
        """Order one unit at this price as another shopper; return the status of the response."""
        body = {
            "shopper_id": f"other-{RUN}",
            "currency": "BRL",
            "payment": {"method": "credit_card"},
            "lines": [{"product_id": product_id, "quantity": 1, "unit_price_minor": price_minor}],
        }
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self.http.post("/v1/orders", json=body, headers=headers).status_code

    def available(self, product_id):
        """Return the available units that the shop's pages show; None while the product is unknown."""
        answer = self.http.get(f"/v1/products/{product_id}")
        return answer.json()["available"] if answer.status_code == 200 else None


@pytest.fixture(scope="module")
def marketplace(platform, eventually):
    """Two sellers with lamps and books in stock, and sessions that viewed some of them together.

    Every visitor gets personal recommendations, also those whom the hold-out would have.
    """
    for share in ("recommendation_holdout", "recommendation_exploration"):
        platform.souk("settings", "set", share, "0", "--reason", "the test compares lists")
    marketplace = Marketplace(passwords.ensure(platform.settings))
    for seller_id in (AMBER, BIRCH):
        marketplace.tell("seller_registered", seller_id=seller_id, name=seller_id.capitalize())
    for product_id in SHOP:
        marketplace.offer("product_listed", product_id)
        eventually(lambda listed=product_id: marketplace.count(listed, STOCK).status_code == 200)
    for number in range(8):
        marketplace.look_at(f"{RUN}-{number}", LAMPS[0], LAMPS[1], BOOKS[1])
    eventually(lambda: all(marketplace.available(product_id) == STOCK for product_id in SHOP))
    similar = f"/v1/products/{LAMPS[0]}/similar"
    eventually(lambda: LAMPS[1] in marketplace.http.get(similar).text)
    return marketplace


@pytest.fixture
def page(platform, marketplace):  # noqa: ARG001
    """The page of a new visitor."""
    with opened() as browser:
        context = browser.new_context(base_url=platform.settings.serving)
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield context.new_page()


def add(page, product_id):
    page.goto(f"/shop/products/{product_id}")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("#added")).to_contain_text("Added")


def place_order(page):
    """Buy the products in the cart; return the order's id."""
    page.goto("/shop/cart")
    page.locator("#place").click()
    page.wait_for_url(re.compile(r"/shop/orders/[0-9a-f-]{36}$"))
    return page.url.rpartition("/")[2]


def test_two_items_of_two_sellers_are_bought_and_everyone_sees_it(page, marketplace):
    because = f"Because you looked at {SHOP[LAMPS[0]][1]}"
    row = page.locator("[data-row]")
    page.goto("/shop")
    expect(row.locator(".pc").first).to_be_visible()
    expect(row).not_to_contain_text("Because you looked at")

    # The next click changes what is recommended, and the page says why.
    page.get_by_label("Find products").fill(f"lantern {RUN}")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=SHOP[LAMPS[0]][1]).click()
    goes_well = page.get_by_role("region", name="Goes well with it")
    expect(goes_well.locator(f"[data-product='{LAMPS[1]}']")).to_be_visible()
    expect(row.locator(".pc").first).to_be_visible()
    expect(row.locator(f"[data-product='{LAMPS[1]}']")).to_have_count(0)  # no product is shown twice
    page.goto("/shop")
    expect(row.locator(f"[data-product='{LAMPS[1]}']")).to_contain_text(because)
    expect(row.locator(f"[data-product='{LAMPS[0]}']")).to_have_count(0)  # it was viewed already

    # The seller's page is open at the same time.
    as_platform = bearer(marketplace.settings)
    context = page.context.browser.new_context(
        base_url=marketplace.settings.serving, extra_http_headers=as_platform
    )
    seller = context.new_page()
    seller.goto(f"/sell/{AMBER}")
    expect(seller.locator("#no-sales")).to_be_visible()
    expect(seller.locator("#no-sales")).to_contain_text("Nothing sold yet")

    add(page, LAMPS[0])
    add(page, BOOKS[0])
    page.goto("/shop/cart")
    expect(page.get_by_role("region", name=f"From {AMBER.capitalize()}")).to_be_visible()
    expect(page.get_by_role("region", name=f"From {BIRCH.capitalize()}")).to_be_visible()
    page.locator("#place").dblclick()

    expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
    order_id = page.url.rpartition("/")[2]
    order = marketplace.http.get(f"/v1/orders/{order_id}").json()
    assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")
    assert order["payment"]["amount_minor"] == 9_990 + 4_990
    assert {line["seller_id"] for line in order["lines"]} == {AMBER, BIRCH}

    # A double click bought once, and each seller sees their own line of it.
    seller.bring_to_front()
    expect(seller.locator(".tile").first).to_contain_text("R$99.90")
    expect(seller.locator("details.order")).to_have_count(1)
    page.bring_to_front()

    # What was bought is not recommended.
    page.goto("/shop")
    expect(page.locator("[data-row] .pc").first).to_be_visible()
    for bought in (LAMPS[0], BOOKS[0]):
        expect(page.locator(f"[data-row] [data-product='{bought}']")).to_have_count(0)


def test_an_order_is_followed_until_it_is_delivered(page, marketplace):
    add(page, LAMPS[2])
    order_id = place_order(page)
    expect(page.locator(".progress .done")).to_have_count(4)
    shipment = {"order_id": order_id, "shipment_id": f"s-{RUN}", "seller_id": AMBER}
    marketplace.tell("order_shipped", **shipment)
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()
    marketplace.tell("order_delivered", **shipment)
    expect(page.get_by_role("heading", name="Delivered")).to_be_visible()
    expect(page.locator(".progress .done")).to_have_count(6)


def test_a_declined_card_is_told_and_the_cart_comes_back(page):
    add(page, LAMPS[3])
    page.goto("/shop/cart")
    page.get_by_role("radio", name=re.compile("0002")).check()
    page.locator("#place").click()
    expect(page.get_by_role("heading", name="Your card was declined")).to_be_visible()
    expect(page.get_by_role("link", name="Cart, 1 item")).to_be_visible()
    page.get_by_role("link", name="Go to your cart").click()
    expect(page.locator(".cart-line")).to_have_count(1)
    expect(page.locator("#place")).to_be_enabled()


def test_whoever_comes_too_late_is_told_that_it_is_sold_out(page, marketplace, eventually):
    marketplace.count(BOOKS[2], 1)
    eventually(lambda: marketplace.available(BOOKS[2]) == 1)
    add(page, BOOKS[2])
    page.goto("/shop/cart")
    expect(page.locator("#place")).to_be_enabled()
    marketplace.count(BOOKS[2], 0)
    page.locator("#place").click()
    expect(page.get_by_role("heading", name="Sold out")).to_be_visible()
    expect(page.locator(".track")).to_contain_text("Your card was not charged")
    eventually(lambda: marketplace.available(BOOKS[2]) == 0)  # the pages have this stock
    page.goto(f"/shop/products/{BOOKS[2]}")
    expect(page.locator(".product-text")).to_contain_text("Sold out")


def test_a_price_that_moved_is_shown_before_it_is_agreed_to(page, marketplace, eventually):
    add(page, LAMPS[1])
    page.goto("/shop/cart")
    expect(page.locator("#place")).to_have_text("Place order · R$99.90")
    marketplace.offer("product_changed", LAMPS[1], price_minor=7_990, changed_fields=["price_minor"])
    eventually(lambda: marketplace.buy(LAMPS[1], 7_990) == 202)  # 409 until orders has the new price
    page.locator("#place").click()
    expect(page.locator("#refusal")).to_contain_text("A price has just changed")
    expect(page.locator("#place")).to_have_text("Place order · R$79.90")
    page.locator("#place").click()
    expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()


def test_an_order_is_called_off_and_the_money_comes_back(page, marketplace):
    add(page, BOOKS[1])
    order_id = place_order(page)
    expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
    page.get_by_role("button", name="Cancel this order").click()
    page.get_by_role("button", name="Really cancel?").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.locator(".track")).to_contain_text("Your money is on its way back")
    assert marketplace.http.get(f"/v1/orders/{order_id}").json()["payment"]["status"] == "refunded"
