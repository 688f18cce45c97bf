"""Chromium lists a product, finds it, sells it at a price changed in bulk, and every store agrees."""

import re
import time
import uuid

import pytest
from playwright.sync_api import expect

from common.ids import new_id
from common.principal import Principal
from producers.services.sellers.application_endpoints import EXAMPLE_APPLICATION
from tests.chromium import opened
from tests.e2e.test_erasure import PASSWORD, Visitor
from tests.e2e.test_home_of_before import registered, sign_in
from tests.e2e.test_shop import PATIENCE_MS, Marketplace, add
from tests.pictures import drawn, written
from tests.principals import bearer

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.browser]

RUN = uuid.uuid4().hex[:8]
SHOP_NAME, RIVAL = f"Casa {RUN}", f"rival-{RUN}"
SEARCH = "/shop/products?q=lumniaria"
"""A search for luminárias, with two letters swapped."""

CATEGORY, NAME = "Lamps", f"Luminária São João {RUN}"
OTHER_NAME = f"Luminária de Chão {RUN}"
GREEN, BLUE, OTHER = (f"{sku}-{RUN}" for sku in ("green", "blue", "other"))
STOCK = 7
NEW_PRICES = f'sku;preço\n{GREEN};"1.129,90"\n{BLUE};1139,05\n{OTHER};59,00\n'
NEW_MINOR, NEW_PRICE = 112_990, "R$1,129.90"
"""The new price of the green variant."""

COMPARED = (
    "kafka_vs_facts", "service_db_vs_products", "copies_of_listings", "facts_vs_search",
    "facts_vs_seller_api", "service_db_vs_orders", "service_db_vs_stock",
)  # fmt: skip
"""What the audit compares here. Of the same platform, `first_audit` compares everything afterwards."""


@pytest.fixture(scope="module")
def settings(platform):
    return platform.started_settings()


@pytest.fixture(scope="module")
def marketplace(settings):
    return Marketplace(settings)


@pytest.fixture
def owner(settings, eventually):
    """The owner of an approved seller: a program with their rights, the seller, and their e-mail address."""
    email, person = registered(settings, eventually), Visitor(settings)
    tokens = person.send("POST", "/v1/auth/sessions", json={"email": email, "password": PASSWORD})
    person.use(tokens["access_token"])
    sent = person.send("POST", "/v1/seller_applications", json=EXAMPLE_APPLICATION | {"name": SHOP_NAME})
    administrator = bearer(settings, Principal(new_id(), frozenset({"admin"}), session_id=new_id()))
    approval = f"/v1/seller_applications/{sent['application_id']}/approval"
    person.http.post(approval, json={}, headers=administrator).raise_for_status()
    user_id, staff_roles = tokens["user"]["user_id"], {sent["seller_id"]: "owner"}
    staff = Principal(user_id, frozenset({"seller"}), sellers=staff_roles, session_id=new_id())
    person.http.headers.update(bearer(settings, staff))  # the approval ends the access tokens from before it
    return person, sent["seller_id"], email


@pytest.fixture
def rival(marketplace):
    """A product of another seller, whose system sends events, that the same search finds."""
    lamp = {"product_id": RIVAL, "seller_id": RIVAL, "name": "Luminária de Mesa", "category": CATEGORY}
    marketplace.tell("seller_registered", seller_id=RIVAL, name="Rival")
    marketplace.tell("product_listed", **lamp, currency="BRL", price_minor=9_990)
    return RIVAL


@pytest.fixture
def visitor(settings):
    """A function that opens the page of a new visitor."""
    with opened() as browser:
        expect.set_options(timeout=PATIENCE_MS)

        def visit(**options):
            context = browser.new_context(base_url=settings.serving, **options)
            context.set_default_timeout(PATIENCE_MS)
            return context.new_page()

        yield visit


def list_lamp_with_variants(page, seller_id):
    """List the product on the seller's pages; return the moment at which the form was accepted."""
    page.goto(f"/sell/{seller_id}/listings")
    page.get_by_role("link", name="List a product").click()
    page.locator("#new-category").select_option(CATEGORY)
    page.get_by_role("button", name="Continue").click()
    page.locator("#listing-name").fill(NAME)
    page.get_by_label("Description").fill("Luz quente.")
    page.locator("#attribute-brand").fill("Aurora")
    page.locator("#listing-price").fill("149.90")
    for number, (colour, sku) in enumerate((("Green", GREEN), ("Blue", BLUE)), start=1):
        page.get_by_label(f"Colour of variant {number}", exact=True).fill(colour)
        page.get_by_label(f"SKU of variant {number}", exact=True).fill(sku)
    with page.expect_response(lambda answer: answer.status == 303) as accepted:
        page.get_by_role("button", name="Save", exact=True).click()
    assert accepted.value.request.method == "POST"
    accepted_at = time.monotonic()
    expect(page.get_by_role("status")).to_contain_text("The product is listed.")
    return accepted_at


def sets_stock(page, seller_id, skus):
    """Count the stock of listings in the list of the seller's products; return whether it was accepted."""
    page.goto(f"/sell/{seller_id}/listings")
    for sku in skus:
        page.get_by_role("row").filter(has_text=sku).get_by_label("Units of").fill(str(STOCK))
    page.get_by_role("button", name="Save prices and stock").click()
    expect(page.locator(".alert")).to_be_visible()
    return page.get_by_text("Prices and stock are saved.").count() == 1


def send_picture(page, seller_id, product_id, size):
    """Add a picture to a listing; return its hash when it is rendered and saved."""
    page.goto(f"/sell/{seller_id}/listings/{product_id}/pictures")
    file = {"name": "foto.png", "mimeType": "image/png", "buffer": written(drawn(size))}
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Send").click()
    picture = page.get_by_role("img", name="Picture 1")
    expect(picture).to_be_visible()  # a page with a picture that is being checked loads itself again
    if "sent=" in page.url:
        page.get_by_role("button", name="Save the pictures").click()
    expect(page.get_by_role("status")).to_contain_text("The pictures are saved.")
    return re.search(r"[0-9a-f]{64}", picture.get_attribute("src"))[0]


def change_prices(page, seller_id):
    """Import a file of prices, and wait until its rows are applied."""
    page.goto(f"/sell/{seller_id}/imports")
    file = {"name": "preços.csv", "mimeType": "text/csv", "buffer": NEW_PRICES.encode("utf-8-sig")}
    page.locator("#import-file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    expect(page.locator(".head .chip")).to_have_text("Done")  # the page loads itself again
    for name, rows in (("Applied", 3), ("Refused", 0)):
        expect(page.locator("dl.pairs div").filter(has_text=name).locator("dd")).to_have_text(str(rows))


def list_another_lamp(person, seller_id):
    """List a product that no filter by green leaves."""
    lamp = {"name": OTHER_NAME, "category": CATEGORY, "price_minor": 5_990, "sku": OTHER}
    lamp |= {"attributes": {"colour": "red", "brand": "Boreal"}}
    person.send("POST", f"/v1/sellers/{seller_id}/listings", json=lamp)


def products(person, seller_id):
    """Return SKU → product id of the seller's listings."""
    listings = person.send("GET", f"/v1/sellers/{seller_id}/listings")["listings"]
    return {each["sku"]: each["product_id"] for each in listings}


def card(page, product_id):
    """Return the place of a product in the list on a page."""
    return page.locator(f"#found .pc[data-product='{product_id}']")


def search_finds(page, *product_ids):
    """Search for the misspelt word; return whether one of the products is in the list."""
    page.goto(SEARCH)
    return any(card(page, product_id).count() for product_id in product_ids)


def choices(form):
    """Return the values that can be chosen in the filters, each with its number of products."""
    return {" ".join(label.split()) for label in form.locator("details label").all_inner_texts()}


def filter_list(page, seller_id):
    """Choose a seller, then a colour. The numbers say how many products each further filter would leave."""
    form = page.get_by_role("form", name="Filters")
    form.get_by_role("combobox", name="Seller").select_option(seller_id)
    form.get_by_role("button", name="Show the products").click()
    expect(page.locator("#found .pc")).to_have_count(2)
    assert {"Green 1", "Blue 1", "Red 1", "Aurora 1", "Boreal 1"} <= choices(form)

    form.get_by_role("checkbox", name="Green").check()
    form.get_by_role("button", name="Show the products").click()
    expect(page.locator("#found .pc")).to_have_count(1)
    assert {"Green 1", "Blue 1", "Red 1"} <= choices(form)  # counted without the filter by colour
    assert not {"Aurora 1", "Boreal 1"} & choices(form)  # one brand is nothing to choose from


def shows_picture(image, sha256):
    """Return whether an image on a page is this picture, and the browser has loaded it."""
    is_loaded = "image => image.complete && image.naturalWidth > 0"
    return sha256 in image.get_attribute("src") and image.evaluate(is_loaded)


def follow_links(page, eventually, pictures, seller_id):
    """Go from the list to the product, to its other variant, and to the page of its seller."""
    (green, green_picture), (blue, blue_picture) = pictures.items()
    expect(card(page, green).locator(".pc-price")).to_have_text("R$149.90")
    eventually(lambda: shows_picture(card(page, green).locator("img"), green_picture))
    card(page, green).get_by_role("link", name=NAME).click()
    colours = page.get_by_role("navigation", name="Colour")
    expect(colours.locator("[aria-current]")).to_have_text("Green")
    colours.get_by_role("link", name="Blue").click()
    expect(page).to_have_url(re.compile(f"/shop/products/{blue}$"))
    eventually(lambda: shows_picture(page.locator(".product-picture img"), blue_picture))
    page.get_by_role("main").get_by_role("link", name=SHOP_NAME).click()
    expect(page).to_have_url(re.compile(f"/shop/sellers/{seller_id}$"))
    expect(page.locator(".head")).to_contain_text(re.compile("sells here since .*2 products", re.DOTALL))
    expect(page.locator(".head")).to_contain_text("Nobody has reviewed this seller's products yet.")
    expect(page.locator("#found .pc")).to_have_count(2)


def await_new_price(page, eventually, seller_id, green):
    """Load each page that shows the product's price until it shows the new one."""
    in_list = f"#found .pc[data-product='{green}'] .pc-price"
    for path, price in (
        (SEARCH, in_list),
        (f"/shop/sellers/{seller_id}", in_list),
        (f"/shop/products/{green}", ".product-price"),
        ("/shop/cart", "#place"),
    ):
        eventually(lambda at=path, place=price: page.goto(at) and NEW_PRICE in page.inner_text(place))
    expect(page.locator(".cart-line")).to_contain_text("The price has changed from R$149.90.")


def buys(page):
    """Place an order of the cart; return whether it was accepted."""
    page.goto("/shop/cart")
    page.locator("#place").click()
    page.locator(".track, #refusal p").first.wait_for()
    return "/shop/orders/" in page.url


def await_figures(page, api, seller_id):
    """Wait until the seller's page has the sale, and compare the figures of the API with it."""
    page.goto(f"/sell/{seller_id}")
    expect(page.locator(".tile").first).to_contain_text(NEW_PRICE)
    sales = api.get(f"/v1/sellers/{seller_id}/sales").raise_for_status().json()["totals"]
    assert (sales["orders"], sales["units"], sales["net_sales_minor"]) == (1, 1, NEW_MINOR)


def test_a_product_is_listed_found_repriced_and_sold_and_every_store_agrees(
    platform, marketplace, owner, rival, visitor, eventually
):
    person, seller_id, email = owner
    seller, shopper = visitor(), visitor()
    without_scripts = visitor(java_script_enabled=False, locale="pt-BR")
    sign_in(seller, email)
    accepted_at = list_lamp_with_variants(seller, seller_id)
    ids = products(person, seller_id)
    green, blue = ids[GREEN], ids[BLUE]
    eventually(lambda: search_finds(shopper, green, blue))
    print(f"found {time.monotonic() - accepted_at:.1f} s after the listing was accepted")
    expect(shopper.get_by_text("Did you mean")).to_contain_text("luminária")

    list_another_lamp(person, seller_id)
    other = products(person, seller_id)[OTHER]
    eventually(lambda: search_finds(shopper, other) and search_finds(shopper, rival))
    eventually(lambda: sets_stock(seller, seller_id, (GREEN, BLUE, OTHER)))  # when inventory knows them
    eventually(lambda: all(marketplace.available(each) == STOCK for each in (green, blue, other)))
    sizes = {green: (300, 200), blue: (200, 300)}
    pictures = {each: send_picture(seller, seller_id, each, size) for each, size in sizes.items()}
    eventually(lambda: search_finds(shopper, green) and pictures[green] in shopper.content())
    filter_list(shopper, seller_id)
    follow_links(shopper, eventually, pictures, seller_id)
    add(shopper, green)

    change_prices(seller, seller_id)
    await_new_price(shopper, eventually, seller_id, green)
    assert search_finds(without_scripts, green)
    expect(card(without_scripts, green).locator(".pc-price")).to_have_text("R$\u00a01.129,90")
    expect(without_scripts.get_by_role("checkbox", name="Verde")).to_be_visible()

    eventually(lambda: buys(shopper))  # a new price is refused until orders knows it
    expect(shopper.get_by_role("heading", name="Your order is confirmed")).to_be_visible()
    order = marketplace.http.get(f"/v1/orders/{shopper.url.rpartition('/')[2]}").json()
    assert order["payment"]["amount_minor"] == NEW_MINOR
    await_figures(seller, marketplace.http, seller_id)
    audit = platform.audit(*(f"--only={name}" for name in COMPARED))
    assert audit["settled"]
    assert audit["differences"] == 0, audit
    assert {each["name"] for each in audit["comparisons"] if each["verdict"] == "agree"} == set(COMPARED)
    compared = {each["name"]: each["rows"] for each in audit["comparisons"]}
    listings = len((green, blue, other, rival))
    assert min(compared["service_db_vs_products"], compared["facts_vs_search"]) >= listings
