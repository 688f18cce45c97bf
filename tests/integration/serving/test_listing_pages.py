"""The pages on which sellers list products, with real services, in a Chromium without scripts."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from common.ids import new_id
from serving.kit.request_body import CONTENT_TYPE
from tests.integration.servers import await_true
from tests.integration.serving.conftest import Office
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import ADMIN, approved_seller, staff, visit
from tests.principals import bearer

pytestmark = pytest.mark.browser

FORM = {"Content-Type": CONTENT_TYPE}
SHADES = {"green": {"en": "Green", "pt_BR": "Verde"}, "red": {"en": "Red", "pt_BR": "Vermelho"}}


@pytest.fixture(scope="module")
def category(office: Office) -> str:
    """A category whose products have a shade, by which variants differ, and a maker."""
    names = f"Lanterns {new_id()[-8:]}"
    shade = {"names": {"en": "Shade", "pt_BR": "Tom"}, "is_variant": True, "values": SHADES}
    put(office, "attributes/test_shade", shade)
    put(office, "attributes/test_maker", {"names": {"en": "Maker", "pt_BR": "Fabricante"}})
    body = {"names": {"en": names, "pt_BR": f"Lanternas {names}"}, "attributes": ["test_shade", "test_maker"]}
    put(office, f"categories/{names}", body)
    return names


def put(office: Office, path: str, body: dict[str, Any]) -> None:
    office.http(ADMIN).put(f"/v1/admin/{path}", json=body).raise_for_status()


def listing(http: httpx.Client, seller_id: str, category: str, **fields: Any) -> str:
    """List a product with the API; return its id."""
    body = {"name": "Paper lantern", "category": category, "price_minor": 4_990, **fields}
    listed = http.post(f"/v1/sellers/{seller_id}/listings", json=body).raise_for_status().json()
    return str(listed[0]["product_id"])


def listings(http: httpx.Client, seller_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"/v1/sellers/{seller_id}/listings").json()["listings"]
    return found


def test_a_seller_lists_a_product_with_variants_and_changes_prices_and_stock_in_the_list(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id, owner = seller
    page = visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/listings")
    page.get_by_role("link", name="List your first product").click()
    page.locator("#new-category").select_option(category)
    page.get_by_role("button", name="Continue").click()
    page.locator("#listing-name").fill("Luminária «São João» <b>💡</b>")
    page.get_by_label("Description").fill("Warm light.\n\n<i>40 cm</i>")
    page.get_by_label("Maker").fill("Casa Souza")
    page.locator("#listing-price").fill("149.90")
    page.get_by_label("Shade of variant 1", exact=True).fill("VERDE")
    page.get_by_label("SKU of variant 1", exact=True).fill("L-1")
    page.get_by_label("Shade of variant 2", exact=True).fill("azul-petróleo")
    page.get_by_label("Price of variant 2", exact=True).fill("159")
    page.get_by_role("button", name="More rows").click()
    expect(page.get_by_label("Shade of variant 10", exact=True)).to_be_visible()
    expect(page.get_by_label("Shade of variant 2", exact=True)).to_have_value("azul-petróleo")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("The product is listed.")
    variants = {each["sku"]: each for each in listings(http, seller_id)}
    assert {sku: (each["attributes"], each["price_minor"]) for sku, each in variants.items()} == {
        "L-1": ({"test_maker": "Casa Souza", "test_shade": "green"}, 14_990),
        None: ({"test_maker": "Casa Souza", "test_shade": "azul-petróleo"}, 15_900),
    }
    green, blue = (variants[sku]["product_id"] for sku in ("L-1", None))
    assert variants["L-1"]["name"] == "Luminária «São João» <b>💡</b>"
    assert variants["L-1"]["description"] == "Warm light.\n\n<i>40 cm</i>"
    office.shop.await_row("SELECT FROM inventory.listings WHERE product_id = $1", green)

    row = page.get_by_role("row").filter(has_text="L-1")
    expect(row).to_contain_text("Green")
    row.get_by_label("Price of").fill("99")
    row.get_by_label("Units of").fill("12")
    page.get_by_role("button", name="Save prices and stock").click()
    expect(page.get_by_role("status")).to_contain_text("Prices and stock are saved.")
    expect(row.get_by_label("Units of")).to_have_value("12")
    prices = {each["product_id"]: each["price_minor"] for each in listings(http, seller_id)}
    assert prices == {green: 9_900, blue: 15_900}
    assert office.shop.stock(green) == (12, 0)

    row.get_by_label("Price of").fill("many")
    page.get_by_role("button", name="Save prices and stock").click()
    expect(page.get_by_role("alert")).to_contain_text("The price must be a number")
    expect(row.get_by_label("Price of")).to_have_value("many")


def test_a_variant_is_added_a_listing_is_changed_taken_off_and_put_back(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id, owner = seller
    product_id = listing(http, seller_id, category, attributes={"test_shade": "red"}, weight_g=900)
    page = visit(
        browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/listings/{product_id}"
    )
    expect(page.get_by_label("Shade")).to_have_value("Red")
    page.locator("#listing-name").fill("Silk lantern")
    page.locator("#listing-price").fill("59.90")
    page.locator("#listing-condition").select_option("used")
    page.get_by_role("button", name="Save the listing").click()

    expect(page.get_by_role("status")).to_contain_text("The listing is saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Silk lantern")
    (saved,) = listings(http, seller_id)
    assert (saved["price_minor"], saved["condition"], saved["weight_g"]) == (5_990, "used", 900)
    expect(page.get_by_role("region", name="Table of the prices").get_by_role("row")).to_have_count(3)

    page.get_by_role("link", name="Add a variant").click()
    page.get_by_label("Shade").fill("Green")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The product is listed.")
    expect(page.get_by_role("region", name="Variants").get_by_role("listitem")).to_have_count(2)
    assert {each["group_id"] for each in listings(http, seller_id)} == {product_id}

    page.get_by_text("Take it off…").click()
    page.get_by_role("button", name="Take it off", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The product is taken off.")
    page.get_by_role("button", name="Put it on offer").click()
    expect(page.get_by_role("status")).to_contain_text("The product is listed.")


def test_a_form_undoes_no_change_that_came_after_it_was_opened(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id, owner = seller
    product_id = listing(http, seller_id, category)
    path = f"/sell/{seller_id}/listings/{product_id}"
    page = visit(browser, office, staff(seller_id, "owner", owner), path)
    http.put(
        f"/v1/sellers/{seller_id}/listings/{product_id}/price", json={"price_minor": 7}
    ).raise_for_status()
    page.locator("#listing-name").fill("Silk lantern")
    page.get_by_role("button", name="Save the listing").click()
    expect(page.get_by_role("alert")).to_contain_text("changed after you had read it")
    assert [each["price_minor"] for each in listings(http, seller_id)] == [7]
    page.get_by_role("button", name="Save the listing").click()
    expect(page.get_by_role("status")).to_contain_text("The listing is saved.")
    assert [each["name"] for each in listings(http, seller_id)] == ["Silk lantern"]


def test_a_filter_finds_listings_by_status_category_and_words(
    seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id = seller[0]
    listing(http, seller_id, category, name="Lanterna de papel", sku="P-1")
    listing(http, seller_id, category, name="Torch", status="draft")
    page = f"/sell/{seller_id}/listings"

    by_words, drafts = http.get(f"{page}?q=PAPEL&status=&category="), http.get(f"{page}?status=draft")
    nothing = http.get(page, params={"q": "papel", "status": "draft", "category": category})

    assert ("Lanterna de papel" in by_words.text, "Torch" in by_words.text) == (True, False)
    assert ("Lanterna de papel" in drafts.text, "Torch" in drafts.text) == (False, True)
    assert "No listing matches this filter." in nothing.text
    assert http.get(f"{page}?status=sold").status_code == 422


def test_the_product_of_another_seller_is_offered_and_only_the_offer_changes(
    office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    other_id, other_owner = approved_seller(office)
    other = office.http(staff(other_id, "owner", other_owner))
    product_id = listing(http, seller[0], category, description="Of silk.")
    offer = {"form": "offer", "product_id": product_id, "price": "39.90", "condition": "used"}
    here = f"/sell/{other_id}/listings/{product_id}"

    sent = other.post(f"/sell/{other_id}/offers", data=offer | {"status": "listed"})
    again = other.post(f"/sell/{other_id}/offers", data=offer | {"status": "listed"})
    page = other.get(here).text
    terms = {"form": "listing", "price": "29.90", "condition": "used", "status": "listed", "name": "Mine"}
    changed = other.post(here, data=terms)
    (own,) = listings(other, other_id)

    assert (sent.status_code, sent.headers["location"]) == (303, f"{here}?done=listed")
    assert (again.status_code, 'value="39.90"' in again.text) == (409, True)
    assert ("describes it" in page, 'name="description"' in page) == (True, False)
    assert changed.status_code == 303
    assert (own["price_minor"], own["name"], own["description"]) == (2_990, "Paper lantern", "Of silk.")


def test_a_blocked_listing_says_why_and_has_no_form(
    office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    product_id = listing(http, seller[0], category)
    block = f"/v1/admin/listings/{product_id}/{seller[0]}/block"
    office.http(ADMIN).put(block, json={"reason": "unsafe"}).raise_for_status()

    page = http.get(f"/sell/{seller[0]}/listings/{product_id}").text
    refused = http.post(f"/sell/{seller[0]}/listings/{product_id}/return", headers=FORM)

    assert ("It is not safe" in page, "Save the listing" in page) == (True, False)
    assert (refused.status_code, "The listing is blocked" in refused.text) == (409, True)


def test_a_holiday_begins_and_ends_with_days(
    seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id = seller[0]
    product_id = listing(http, seller_id, category)
    first = date.today() - timedelta(days=2)  # noqa: DTZ011
    days = {"since": f"{first}", "last": f"{first + timedelta(days=9)}"}

    missing = http.post(f"/sell/{seller_id}/holiday", data={"since": ""})
    wrong = http.post(f"/sell/{seller_id}/holiday", data=days | {"last": f"{first - timedelta(days=2)}"})
    begun = http.post(f"/sell/{seller_id}/holiday", data=days)
    await_true(lambda: listings(http, seller_id)[0]["hidden"], "the holiday")
    page = http.get(f"/sell/{seller_id}/listings").text
    ended = http.post(f"/sell/{seller_id}/holiday/end", headers=FORM)
    await_true(lambda: not listings(http, seller_id)[0]["hidden"], "its end")

    assert "The first day is missing." in missing.text
    assert wrong.status_code == 422
    assert begun.headers["location"] == f"/sell/{seller_id}/listings?done=holiday_set#holiday"
    assert "You are on holiday: nobody can buy from you." in page
    assert ended.status_code == 303
    assert listings(http, seller_id)[0]["product_id"] == product_id


def test_staff_that_packs_sets_the_stock_and_changes_no_listing(
    office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id = seller[0]
    product_id = listing(http, seller_id, category)
    office.shop.await_row("SELECT FROM inventory.listings WHERE product_id = $1", product_id)
    packer = office.http(staff(seller_id, "fulfilment"))
    here = f"/sell/{seller_id}/listings"

    page = packer.get(here).text
    set_stock = {f"on_hand.{product_id}": "7", f"was_on_hand.{product_id}": ""}
    saved = packer.post(here, data=set_stock)
    price = {f"price.{product_id}": "1", f"was_price.{product_id}": "2", f"currency.{product_id}": "BRL"}
    refused = packer.post(here, data=price)

    assert (f'name="on_hand.{product_id}"' in page, "List a product" in page) == (True, False)
    assert saved.headers["location"] == f"{here}?done=values_saved"
    assert office.shop.stock(product_id) == (7, 0)
    assert refused.status_code == 403
    assert packer.get(f"/sell/{seller_id}/list").status_code == 403
    assert packer.post(f"{here}/{product_id}/removal").status_code == 403


def test_what_sells_out_soon_is_listed_and_one_click_adds_what_has_arrived(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id, owner = seller
    product_id = listing(http, seller_id, category)
    office.shop.knows_listing(product_id)
    office.shop.set_stock(product_id, 2, seller_id).raise_for_status()
    page = visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/restock")
    expect(page.get_by_text("No stock ends within 7 days")).to_be_visible()
    levels = "(product_id, seller_id, sold, threshold) VALUES ($1, $2, 28, 7)"
    office.shop.sql(f"INSERT INTO inventory.restock_levels {levels}", product_id, seller_id)

    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="sold in 28 days")).to_contain_text("lasts 2 days")
    expect(page.get_by_label("that have arrived")).to_have_value("26")
    page.get_by_role("button", name="Add to the stock").click()

    expect(page.get_by_role("status")).to_contain_text("The units are added to the stock.")
    assert office.shop.stock(product_id) == (28, 0)
    nothing = http.post(f"/sell/{seller_id}/restock/{product_id}", data={"quantity": "0"})
    assert (nothing.status_code, "1 or more" in nothing.text) == (422, True)


def test_nobody_sees_or_changes_the_listings_of_another_seller(
    office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    product_id = listing(http, seller[0], category)
    other_id, other_owner = approved_seller(office)
    other = office.http(staff(other_id, "owner", other_owner))
    before = listings(http, seller[0])
    form = {"name": "Mine", "category": category, "price": "1", "status": "listed"}

    foreign = other.post(f"/sell/{seller[0]}/listings/{product_id}", data=form)
    within_own = other.post(f"/sell/{other_id}/listings/{product_id}", data=form)
    price = {f"price.{product_id}": "1", f"was_price.{product_id}": "2", f"currency.{product_id}": "BRL"}
    in_list = other.post(f"/sell/{other_id}/listings", data=price)

    assert [answer.status_code for answer in (foreign, within_own, in_list)] == [404, 404, 404]
    assert other.get(f"/sell/{other_id}/listings/{product_id}").status_code == 404
    assert listings(http, seller[0]) == before


def test_the_pages_are_in_portuguese_with_the_names_of_the_tree(
    seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    product_id = listing(http, seller[0], category, attributes={"test_shade": "green"})
    portuguese = {"Accept-Language": "pt-BR"}

    page = http.get(f"/sell/{seller[0]}/listings/{product_id}", headers=portuguese).text
    typed = {"form": "listing", "name": "L", "category": category, "price": "1", "status": "listed"}
    http.post(f"/sell/{seller[0]}/listings/{product_id}", data=typed | {"attribute.test_shade": "vermelho"})

    assert ("Tom" in page, 'value="Verde"' in page, f"Lanternas {category}" in page) == (True, True, True)
    assert listings(http, seller[0])[0]["attributes"] == {"test_shade": "red"}


@pytest.mark.nightly
def test_the_pages_fit_every_width(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, category: str
) -> None:
    seller_id = seller[0]
    product_id = listing(http, seller_id, category, name="A very long name of a lantern " * 5)
    headers = bearer(office.settings, staff(seller_id, "owner", seller[1]))
    context = browser.new_context(base_url=office.settings.serving, extra_http_headers=headers)
    page: Page = context.new_page()
    for path in (
        "listings",
        f"listings/{product_id}",
        "list",
        f"list?category={category}",
        "restock",
    ):
        page.goto(f"/sell/{seller_id}/{path}")
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, f"{path} at {width} px, {theme}"
    context.close()
