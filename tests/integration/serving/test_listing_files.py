"""The pages on which sellers send pictures and files of listings, with real services."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from serving.kit.request_body import CONTENT_TYPE
from tests.integration.servers import await_true
from tests.integration.serving.conftest import Office
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import approved_seller, staff, visit
from tests.pictures import HTML, SVG, drawn, written
from tests.principals import bearer

pytestmark = pytest.mark.browser

FORM = {"Content-Type": CONTENT_TYPE}
ROWS = """sku;name;category;price;stock
P-1;Paper lantern;Lamps;49,90;12
P-2;Silk lantern;Lamps;many;3
P-3;Lantern;No such <b>category</b>;10;1
P-4;=HYPERLINK("x");Lamps;1.234,50;2
"""


def listed(http: httpx.Client, seller_id: str, **fields: Any) -> list[dict[str, Any]]:
    """List a product with the API; return its listings."""
    body = {"name": "Paper lantern", "category": "Lamps", "price_minor": 4_990, **fields}
    found: list[dict[str, Any]] = (
        http.post(f"/v1/sellers/{seller_id}/listings", json=body).raise_for_status().json()
    )
    return found


def pictures_of(http: httpx.Client, seller_id: str, product_id: str) -> list[str]:
    found: list[str] = http.get(f"/v1/sellers/{seller_id}/listings/{product_id}").json()["pictures"]
    return found


def test_pictures_are_sent_for_all_variants_ordered_and_removed(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, tmp_path: Path
) -> None:
    seller_id, owner = seller
    variants = [{"attributes": {"colour": colour}} for colour in ("blue", "black")]
    one, other = (each["product_id"] for each in listed(http, seller_id, variants=variants))
    files = []
    for name, size in (("wide.png", (300, 200)), ("high.jpg", (200, 300))):
        files.append(tmp_path / name)
        files[-1].write_bytes(written(drawn(size), "PNG" if name.endswith("png") else "JPEG"))
    page = visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/listings/{one}")
    page.get_by_role("link", name="Add pictures").click()
    page.get_by_label("Files").set_input_files(files)
    page.locator("form[enctype]").get_by_label("For all variants").check()
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("img", name="Picture 2")).to_be_visible()
    if page.get_by_role("button", name="Save the pictures").count() and "sent=" in page.url:
        page.get_by_label("For all variants").first.check()
        page.get_by_role("button", name="Save the pictures").click()
    expect(page.get_by_role("status")).to_contain_text("The pictures are saved.")
    first, second = pictures_of(http, seller_id, one)
    assert pictures_of(http, seller_id, other) == [first, second]
    shown = http.get(f"/v1/pictures/{first}/160")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")

    places = page.get_by_role("textbox", name="Place")
    places.nth(0).fill("2")
    places.nth(1).fill("1")
    page.get_by_role("button", name="Save the pictures").click()
    expect(page.get_by_role("status")).to_contain_text("The pictures are saved.")
    assert pictures_of(http, seller_id, one) == [second, first]
    page.get_by_role("checkbox", name="Keep").nth(0).uncheck()
    page.get_by_role("button", name="Save the pictures").click()
    expect(page.get_by_role("status")).to_contain_text("The pictures are saved.")
    assert pictures_of(http, seller_id, one) == [first]
    assert pictures_of(http, seller_id, other) == [first, second]


@pytest.mark.parametrize(
    ("name", "kind", "content", "why"),
    [
        ("a.svg", "image/svg+xml", SVG, "The body is no picture"),
        ("a.html", "text/html", HTML, "The body is no picture"),
        ("a.png", "image/png", HTML, "The file is no JPEG, PNG, WebP or GIF picture."),
        ("a.png", "image/png", SVG, "The file is no JPEG, PNG, WebP or GIF picture."),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    seller: tuple[str, str], http: httpx.Client, name: str, kind: str, content: bytes, why: str
) -> None:
    (product,) = listed(http, seller[0])
    here = f"/sell/{seller[0]}/listings/{product['product_id']}/pictures"

    def shown() -> str | None:
        page = answer if answer.status_code != 303 else http.get(answer.headers["location"])
        return None if "being checked" in page.text else page.text

    answer = http.post(f"{here}/new", files={"files": (name, content, kind)}, data={"form": "new"})
    page = await_true(shown, "the end of the check")
    assert page
    assert why in page
    assert pictures_of(http, seller[0], product["product_id"]) == []


def test_an_address_of_a_picture_may_not_be_internal_and_something_must_be_chosen(
    seller: tuple[str, str], http: httpx.Client
) -> None:
    (product,) = listed(http, seller[0])
    here = f"/sell/{seller[0]}/listings/{product['product_id']}/pictures"

    nothing = http.post(f"{here}/new", data={"form": "new", "urls": " "})
    wrong = http.post(f"{here}/new", data={"form": "new", "urls": "ftp://x.example/a.png"})

    assert (nothing.status_code, "Choose a file" in nothing.text) == (422, True)
    assert (wrong.status_code, "The URL can&#39;t be used" in wrong.text) == (422, True)
    assert "ftp://x.example/a.png" in wrong.text


def test_an_offer_of_another_seller_s_product_has_no_pictures_of_its_own(
    office: Office, seller: tuple[str, str], http: httpx.Client
) -> None:
    (product,) = listed(http, seller[0])
    other_id, owner = approved_seller(office)
    other = office.http(staff(other_id, "owner", owner))
    offer = {"product_id": product["product_id"], "price_minor": 1}
    other.post(f"/v1/sellers/{other_id}/offers", json=offer).raise_for_status()
    here = f"/sell/{other_id}/listings/{product['product_id']}/pictures"

    assert other.get(here).status_code == 409
    assert other.post(here, headers=FORM).status_code == 409
    assert other.get(f"/sell/{seller[0]}/listings/{product['product_id']}/pictures").status_code == 404


def test_a_file_of_listings_is_checked_then_applied_and_names_each_refused_row(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client, tmp_path: Path
) -> None:
    seller_id, owner = seller
    file = tmp_path / "anúncios.csv"
    file.write_text(ROWS, encoding="utf-8-sig")
    page = visit(browser, office, staff(seller_id, "owner", owner), f"/sell/{seller_id}/imports")
    page.locator("#import-file").set_input_files(file)
    page.get_by_label("Only check it").check()
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("anúncios.csv")
    await_true(lambda: page.reload() and page.get_by_text("Done").count(), "the end of the check")
    assert http.get(f"/v1/sellers/{seller_id}/listings").json()["listings"] == []

    page.goto(f"/sell/{seller_id}/imports")
    page.locator("#import-file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("anúncios.csv")
    await_true(lambda: page.reload() and page.get_by_text("Done").count(), "the end of the import")
    rows = page.get_by_role("region", name="Table of the refused rows").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("many")
    expect(rows.nth(2)).to_contain_text("No such <b>category</b>")
    found = {each["sku"]: each for each in http.get(f"/v1/sellers/{seller_id}/listings").json()["listings"]}
    assert {sku: each["price_minor"] for sku, each in found.items()} == {"P-1": 4_990, "P-4": 123_450}
    report = re.findall(r'href="([^"]+report\.csv)"', page.content())
    assert "many" in http.get(report[0]).text


def test_a_form_without_a_file_is_refused_and_others_see_no_import(
    office: Office, seller: tuple[str, str], http: httpx.Client
) -> None:
    here = f"/sell/{seller[0]}/imports"
    nothing = http.post(here, data={"form": "import"})
    sent = http.post(here, files={"file": ("a.csv", ROWS.encode(), "text/plain")})
    other_id, owner = approved_seller(office)
    other = office.http(staff(other_id, "owner", owner))

    assert (nothing.status_code, "Choose a file." in nothing.text) == (422, True)
    import_id = sent.headers["location"].partition("?")[0].rpartition("/")[2]
    assert other.get(f"/sell/{other_id}/imports/{import_id}").status_code == 404
    assert other.get(f"{here}/{import_id}").status_code == 404
    assert office.http(staff(seller[0], "fulfilment")).get(f"{here}/{import_id}").status_code == 200


@pytest.mark.nightly
def test_the_pages_fit_every_width(
    browser: Browser, office: Office, seller: tuple[str, str], http: httpx.Client
) -> None:
    (product,) = listed(http, seller[0], name="A very long name of a lantern " * 5)
    here = f"/sell/{seller[0]}"
    sent = http.post(f"{here}/imports", files={"file": ("a" * 150 + ".csv", ROWS.encode(), "text/csv")})
    new = f"{here}/listings/{product['product_id']}/pictures/new"
    http.post(new, files={"files": ("a.png", written(drawn()), "image/png")})
    context = browser.new_context(
        base_url=office.settings.serving,
        extra_http_headers=bearer(office.settings, staff(seller[0], "owner", seller[1])),
    )
    page = context.new_page()
    for path in (
        f"{here}/imports",
        sent.headers["location"],
        f"{here}/listings/{product['product_id']}/pictures",
        f"{here}/listings/{product['product_id']}",
    ):
        page.goto(path)
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, f"{path} at {width} px, {theme}"
    context.close()


def test_the_gateway_passes_an_export_on_as_it_is_read(seller: tuple[str, str], http: httpx.Client) -> None:
    seller_id, _ = seller
    listed(http, seller_id, name="Lantern; of silk")
    with http.stream("GET", f"/v1/sellers/{seller_id}/listings.csv") as export:
        assert (export.status_code, export.headers["transfer-encoding"]) == (200, "chunked")
        assert "listings.csv" in export.headers["content-disposition"]
        content = export.read().decode("utf-8-sig")
    assert content.startswith("product_id,")
    assert "Lantern; of silk" in content
    refused = http.get("/v1/sellers/another/listings.csv")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
