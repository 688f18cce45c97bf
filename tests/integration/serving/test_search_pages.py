"""The pages of a search, a category, a product with variants and a seller, over a live index."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from common.settings import Settings
from tests.integration.servers import await_true
from tests.integration.serving.conftest import TABLES, ask, drop_cached, insert, live_index, put
from tests.integration.serving.layouts import layouts, scroll_width

pytestmark = pytest.mark.browser

_numbers = count(1)
PICTURE = "ab" * 32
SUN = {"name": "Luminária de mesa", "category": "Lamps", "group_id": "sun"}
PRODUCTS: dict[str, dict[str, Any]] = {
    "sun-blue": SUN | {"attributes": {"colour": "blue", "brand": "Sol"}, "pictures": [PICTURE]},
    "sun-black": SUN | {"attributes": {"colour": "black", "brand": "Sol"}, "price_minor": 12_000},
    "candle": {"name": "Candle <b>holder</b>", "category": "Lamps", "price_minor": 2_500},
    "chair": {
        "name": "Cadeira de escritório",
        "category": "Office",
        "seller_id": "new",
        "price_minor": 50_000,
    },
    **{f"shade-{number:02}": {"name": f"Shade {number}", "category": "Shades"} for number in range(26)},
}
LISTED = ("event_id", "occurred_at", "product_id", "seller_id", "name", "category", "currency", "price_minor")
SAID = (*LISTED, "description", "group_id", "attributes", "condition", "handling_days", "pictures")


def events() -> list[tuple[str, dict[str, Any]]]:
    """What the index is made of."""
    defaults = {
        "seller_id": "ana", "at": 1_700_000_000_000, "description": None, "attributes": {}, "group_id": None,
        "currency": "BRL", "price_minor": 9_990, "pictures": [],
    }  # fmt: skip
    listed = [
        ("product_listed", {**defaults, "product_id": product, "event_id": product, **changes})
        for product, changes in PRODUCTS.items()
    ]
    return [("seller_registered", {"seller_id": "ana", "name": "Ana", "at": 1}), *listed]


@pytest.fixture(scope="module", autouse=True)
def _live(shop: Settings) -> Iterator[None]:
    sun = ["s1", "2018-01-01 00:00:00.000", "sun-blue", "ana", SUN["name"], "Lamps", "BRL", 9_990]
    said = ["Luz quente.\n<i>40 cm</i>", "sun", {"colour": "blue", "brand": "Sol"}, "new", 2, [PICTURE]]
    used = ["s2", "2018-01-02 00:00:00.000", "sun-blue", "new", SUN["name"], "Lamps", "BRL", 7_990]
    put(shop, "product_listed", SAID, [sun + said, [*used, *said[:3], "used", None, []]])
    with live_index(shop, f"pages-{next(_numbers)}", events()):
        yield
    ask(shop, "TRUNCATE TABLE product_listed")
    insert(shop, "product_listed", TABLES["product_listed"][1])


@pytest.fixture
def page(page: Page) -> Page:
    """A page whose events a stand-in takes, and whose pictures another one has."""

    def draw(route: Route) -> None:
        route.fulfill(content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")

    accepted = {"accepted": 1, "event_ids": [], "rejected": []}
    page.route("**/v1/events", lambda route: route.fulfill(status=202, json=accepted))
    page.route("**/v1/pictures/**", draw)
    return page


@pytest.fixture
def guest(shop: Settings) -> Iterator[httpx.Client]:
    """A visitor who reads pages without scripts."""
    drop_cached(shop)
    headers = {"Accept": "text/html"}
    with httpx.Client(base_url=shop.serving, headers=headers, trust_env=False, timeout=60) as http:
        await_true(lambda: "filters" in http.get("/shop/products").text, "the index in the API")
        yield http


def shown(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return re.findall(r'data-product="([^"]+)" data-seller', page.text)


def test_a_misspelt_word_is_found_and_the_page_says_what_was_meant(guest: httpx.Client) -> None:
    page = guest.get("/shop/products?q=cadiera+de+escrtiorio")
    assert shown(page) == ["chair"]
    assert re.search(r'Did you mean <a href="/shop/products\?q=cadeira[^"]*"><strong>cadeira', page.text)


def test_a_search_that_finds_nothing_says_what_it_tried_and_offers_something(guest: httpx.Client) -> None:
    page = guest.get("/shop/products?q=qqqqqq+zzzzzz")
    assert "We looked for:" in page.text
    assert "Perhaps one of these" in page.text
    assert len(shown(page)) > 3


def test_filters_work_without_a_script_and_every_one_can_be_taken_back(
    browser: Browser, shop: Settings
) -> None:
    context = browser.new_context(base_url=shop.serving, java_script_enabled=False)
    page = context.new_page()
    page.goto("/shop/categories/Lamps")
    expect(page.locator(".pc")).to_have_count(2)
    form = page.get_by_role("form", name="Filters")
    form.get_by_role("checkbox", name="Black").check()
    form.get_by_role("spinbutton", name="From").fill("50")
    form.get_by_role("button", name="Show the products").click()

    expect(page.locator(".pc")).to_have_count(1)
    expect(page.locator(".pc")).to_have_attribute("data-product", "sun-black")
    expect(form.get_by_role("checkbox", name="Black")).to_be_checked()
    chosen = page.get_by_role("list", name="Chosen filters")
    expect(chosen.get_by_role("link")).to_have_count(3)
    chosen.get_by_role("link", name="Without Colour: Black").click()
    expect(page).to_have_url(re.compile(r"/shop/categories/Lamps\?price_from=50$"))
    expect(page.locator(".pc")).to_have_attribute("data-product", "sun-blue")
    page.goto("/shop/categories/Shades")
    expect(page.locator(".pc")).to_have_count(24)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".pc")).to_have_count(2)
    page.get_by_role("link", name="First page").click()
    expect(page.locator(".pc")).to_have_count(24)
    context.close()


def test_a_category_has_the_path_to_it_and_names_in_the_language_of_the_reader(guest: httpx.Client) -> None:
    page = guest.get("/shop/categories/Lamps", headers={"Accept-Language": "pt-BR"}).text
    assert re.search(r'class="crumbs">.*<a href="/shop/categories/Home">Casa</a>', page)
    assert "<h1>Luminárias</h1>" in page
    assert re.search(r"Azul <span class=\"count\">1</span>", page)
    unknown = guest.get("/shop/categories/Nothing%20here%20%3Cb%3E")
    assert (unknown.status_code, "<b>" in unknown.text) == (200, False)


@pytest.mark.parametrize(
    "query",
    ["price_from=many", "attribute=colour", "rating=9", "sort=worst", "price_to=-1", "cursor=x"]
    + [f"price_{end}=1e{exponent}" for end in ("from", "to") for exponent in (999_990, 9_999_999)],
)
def test_a_filter_that_makes_no_sense_is_a_page_that_says_so(guest: httpx.Client, query: str) -> None:
    page = guest.get(f"/shop/products?{query}")
    assert page.status_code == 422
    assert "<h1>" in page.text


@pytest.mark.parametrize(
    "text", ["a" * 10_000, "\"'*:^~[]{}()", "🙈" * 500, "</script><img src=x onerror=y>"]
)
def test_every_text_can_be_searched_and_shown(guest: httpx.Client, text: str) -> None:
    page = guest.get("/shop/products", params={"q": text})
    assert page.status_code == 200
    assert "<img src=x" not in page.text


def test_a_product_has_its_variants_all_offers_its_picture_and_what_is_said_of_it(
    guest: httpx.Client,
) -> None:
    page = guest.get("/shop/products/sun-blue").text
    portuguese = guest.get("/shop/products/sun-blue", headers={"Accept-Language": "pt-BR"}).text

    assert 'href="/shop/products/sun-black"' in page
    assert re.search(r'href="/shop/products/sun-blue" aria-current="true">Blue', page)
    assert f'src="/v1/pictures/{PICTURE}/1200"' in page
    assert "Luz quente.\n&lt;i&gt;40 cm&lt;/i&gt;" in page
    assert ("All offers" in page, "Used" in page) == (True, True)
    assert ('href="/shop/sellers/ana"' in page, 'href="/sell/' in page) == (True, False)
    assert ("<dt>Marca</dt><dd>Sol</dd>" in portuguese, "<dt>Cor</dt><dd>Azul</dd>" in portuguese) == (
        True,
        True,
    )


def test_a_list_shows_the_first_picture_of_a_product_and_a_drawing_without_one(guest: httpx.Client) -> None:
    page = guest.get("/shop/products?q=lumin%C3%A1ria").text
    assert f'src="/v1/pictures/{PICTURE}/480"' in page
    assert "/shop/tiles/" in guest.get("/shop/products?q=candle").text


def test_everybody_sees_the_page_of_a_seller(guest: httpx.Client) -> None:
    page = guest.get("/shop/sellers/ana")
    newest = guest.get("/shop/sellers/ana?sort=newest&part=page")
    unknown = guest.get("/shop/sellers/nobody")

    assert ("<h1>Ana</h1>" in page.text, "São Paulo, SP" in page.text) == (True, True)
    assert "sells here since Dec 31, 2016" in page.text or "sells here since Jan 1, 2017" in page.text
    assert "chair" not in shown(page)
    assert len(shown(page)) == 24
    assert newest.status_code == 200
    assert unknown.status_code == 404
    following = re.findall(r'<a class="button" href="(/shop/sellers/ana\?cursor=[^"]+)"', page.text)
    assert len(shown(guest.get(following[0]))) == 4


@pytest.mark.usefixtures("commerce")
def test_suggestions_appear_while_typing_and_are_chosen_with_the_keyboard(page: Page) -> None:
    page.goto("/shop")
    finder = page.get_by_label("Find products")
    finder.press_sequentially("lumi")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options.filter(has_text="Lamps")).to_be_visible()
    expect(finder).to_have_attribute("aria-expanded", "true")
    finder.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    finder.press("Enter")
    expect(page).to_have_url(re.compile("/shop/categories/Lamps$"))

    page.get_by_label("Find products").fill("candle")
    page.keyboard.press("Enter")
    expect(page.locator(".pc")).to_have_count(1)
    page.get_by_label("Find products").fill("")
    expect(options.filter(has_text="candle")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_hidden()


PAGES = (
    "/shop/products?q=lamp",
    "/shop/categories/Lamps?attribute=colour:blue",
    "/shop/products/sun-blue",
    "/shop/sellers/ana",
    "/shop/products?q=qqqqq",
)


@pytest.mark.usefixtures("commerce")
def test_axe_finds_no_violation(page: Page) -> None:
    found = {}
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        report = Axe().run(page)
        if report.violations_count:
            found[path] = report.generate_report()
    assert found == {}, "\n".join(found.values())


@pytest.mark.usefixtures("commerce")
def test_nothing_spills_over_the_side(page: Page) -> None:
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, (path, theme, width)
