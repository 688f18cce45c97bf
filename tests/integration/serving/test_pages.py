"""The pages in a real Chromium: keyboard control, live updates, and no horizontal overflow."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect

from serving.kit.watermarks import MAX_AGE_S
from tests.integration.serving.layouts import layouts, scroll_width

Add = Callable[[str, list[Any]], None]

pytestmark = pytest.mark.browser

LINES = """values => values.map(value => {
    const range = document.createRange();
    range.selectNodeContents(value);
    return range.getClientRects().length;
})"""
FORBIDDEN = """for (const store of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, store, { get() { throw new DOMException("denied", "SecurityError"); } });
}"""
CLIPPED = "tiles => tiles.filter(tile => tile.scrollWidth > tile.clientWidth).map(tile => tile.innerText)"


def test_nothing_spills_over_the_side(page: Page) -> None:
    for path in ("/", "/sell/ana", "/sell/new", "/docs"):
        page.goto(path)
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, (path, theme)
            assert page.locator(".tile").evaluate_all(CLIPPED) == [], (path, theme, width)


def test_portuguese_fits_on_a_phone(page: Page) -> None:
    page.goto("/sell/ana")
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Português").press("Enter")  # lists above it load, and move it
    expect(page.get_by_role("link", name="Visão geral")).to_be_visible()
    for path in ("/sell/ana", "/sell/ana/metrics", "/sell/ana/change", "/", "/shop"):
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
        assert scroll_width(page) <= 390, path
        assert page.locator(".tile").evaluate_all(CLIPPED) == [], path


@pytest.mark.nightly
def test_large_figures_stay_on_one_line_within_their_tiles(page: Page, add: Add) -> None:
    for cents in (9_999_999, 99_999_999, 1_234_567_890):
        sold = [1, 1, 1, cents, 0, cents, 0, 0, 0, 0]
        add("seller_sales_minute", [f"big-{cents}", "2018-02-18 03:00:00", "BRL", *sold])
        page.goto(f"/sell/big-{cents}")
        revenue = page.locator(".tile-value").first
        expect(revenue).to_have_text(f"R${cents // 100:,}.{cents % 100:02}")
        for width in (320, 390, 768, 1080, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert set(page.locator(".tile-value").evaluate_all(LINES)) == {1}, (cents, width)
            assert page.locator(".tile-value").evaluate_all(CLIPPED) == [], (cents, width)


def test_sellers_are_found_as_one_types(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Find a seller").press_sequentially("campin", delay=40)
    expect(page.locator("#found a")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    page.locator("#found a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Seller new")


def test_the_page_opens_on_the_newest_sales_and_a_period_is_picked_without_a_reload(page: Page) -> None:
    page.goto("/sell/ana")
    expect(page.locator(".tile").first).to_contain_text("R$57.00 less R$50.00 cancelled")
    expect(page.locator("#fresh")).to_contain_text("Complete up to")
    expect(page.locator("details.order")).to_have_count(3)
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="All time").click()
    expect(page.locator(".tile").first).to_contain_text("R$82.00")
    expect(page.locator("details.order")).to_have_count(4)
    assert page.url.endswith("period=all")
    page.go_back()
    expect(page.locator(".tile").first).to_contain_text("R$57.00")
    assert page.evaluate("window.stayed")


@pytest.mark.nightly
def test_a_custom_period_includes_its_last_day_and_is_not_sent_the_wrong_way_round(page: Page) -> None:
    page.goto("/sell/ana")
    page.locator("details.custom summary").click()
    page.get_by_role("textbox", name="From").fill("2017-10-14")
    page.get_by_label("Up to and including").fill("2017-10-01")
    page.get_by_role("button", name="Show").click()
    assert page.evaluate("document.querySelector('.popover').checkValidity()") is False
    assert page.url.endswith("/sell/ana")
    page.get_by_label("Up to and including").fill("2017-10-15")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".tile").first).to_contain_text("R$25.00")


@pytest.mark.nightly
def test_light_and_dark_are_chosen_and_remembered(page: Page) -> None:
    page.goto("/")
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.nightly
def test_a_browser_that_keeps_nothing_changes_between_light_and_dark_all_the_same(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.add_init_script(FORBIDDEN)
    page.goto("/shop")
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_new_sale_shows_up_by_itself(page: Page, add: Add) -> None:
    add("seller_sales_minute", ["live", "2018-02-18 03:00:00", "BRL", 1, 1, 1, 100, 0, 0, 0, 0, 0, 0])
    page.goto("/sell/live")
    expect(page.locator("#live")).to_have_class("dot behind")  # as_of is of 2018
    page.evaluate("window.stayed = true")
    add("seller_sales_minute", ["live", "2018-02-18 04:00:00", "BRL", 1, 1, 1, 900, 0, 0, 0, 0, 0, 0])
    add("pipeline_progress", ["order_confirmed", 0, 2, "2018-02-18 09:00:00.000", 9])
    add("pipeline_progress", ["order_confirmed", 1, 2, "2018-02-18 09:00:00.000", 9])
    expect(page.locator(".tile").first).to_contain_text("R$10.00", timeout=15_000)
    assert page.evaluate("window.stayed")


@pytest.mark.nightly
def test_the_dot_is_green_only_while_the_figures_are_current(page: Page, add: Add) -> None:
    now = datetime.now(UTC)
    as_of = now + timedelta(minutes=5)  # more than the page needs to load on a busy machine
    for table, subtasks in {"order_confirmed": 2, "order_cancelled": 1, "payment_refunded": 1}.items():
        for subtask in range(subtasks):
            add("pipeline_progress", [table, subtask, subtasks, f"{as_of:%F %T}.000", 99])
    sleep(MAX_AGE_S)  # so that every process reads it again
    page.clock.install(time=now)
    with page.expect_request_finished(lambda each: each.resource_type == "fetch"):
        page.goto("/sell/ana")
    expect(page.locator("#live")).to_have_class("dot on")
    page.clock.run_for(600_000)
    expect(page.locator("#live")).to_have_class("dot behind")


def test_a_page_takes_the_exclusive_end_of_the_api_too(page: Page) -> None:
    page.goto("/sell/ana?from=2018-02-15&to=2018-02-17")  # sales go on until February 18
    expect(page.locator("#picker summary")).to_contain_text("Feb 15 – Feb 16, 2018")
    page.get_by_role("link", name="Hour").click()
    expect(page.locator("#picker summary")).to_contain_text("Feb 15 – Feb 16, 2018")


@pytest.mark.nightly
def test_a_click_is_not_lost_to_a_refresh(page: Page) -> None:
    held: list[Route] = []
    moved = 'event: progress\ndata: {"as_of": null, "moved": ["seller_sales_minute"]}\n\n'
    page.clock.install()
    page.route("**/v1/live", lambda route: route.fulfill(content_type="text/event-stream", body=moved * 2))
    page.route("**/sell/ana?period=all", lambda route: held.append(route))
    page.goto("/sell/ana")
    with page.expect_request("**/sell/ana?period=all"):
        page.get_by_role("link", name="All time").click()
    page.clock.run_for(10_000)  # time for every refresh that is due
    held[0].continue_()
    expect(page.locator(".tile").first).to_contain_text("R$82.00")
    assert page.url.endswith("period=all")


def test_a_tile_is_picked_and_an_order_opened_by_keyboard(page: Page) -> None:
    page.goto("/sell/ana?period=all")
    orders = page.locator(".tile[data-metric=orders]")
    orders.focus()
    page.keyboard.press("Enter")
    expect(orders).to_have_attribute("aria-pressed", "true")
    order = page.locator("details.order").first
    order.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(order).to_contain_text("order-3")
    expect(order).to_contain_text("1 × Lamp")
    expect(order).to_contain_text("Cancelled or unavailable Feb 18, 2018")


@pytest.mark.nightly
def test_a_parcel_that_left_shows_up_by_itself(page: Page, add: Add) -> None:
    add("order_state", ["order-2b", "shipped", None, {"new": "2018-02-18 03:20:00.000"}, {}])
    page.goto("/sell/ana")
    order = page.locator("details.order", has_text="order-2b")
    expect(order.locator(".chip")).to_have_text("Confirmed")
    expect(page.locator("#live")).to_have_class(re.compile("dot (on|behind)"))
    add("order_state", ["order-2b", "shipped", None, {"ana": "2018-02-18 03:30:00.000"}, {}])
    for step in ("placed", "confirmed", "shipped", "delivered", "cancelled"):
        add("pipeline_progress", [f"order_{step}", 0, 1, "2018-02-18 09:00:00.000", 1])
    expect(order.locator(".chip")).to_have_text("Shipped")


@pytest.mark.nightly
def test_a_list_that_could_not_be_fetched_is_asked_for_again(page: Page, complaints: list[str]) -> None:
    refused: list[Route] = []

    def refuse_twice(route: Route) -> None:
        if len(refused) == 2:
            route.fallback()
        else:
            refused.append(route)
            route.fulfill(status=503, body="not now")

    page.route("**/sell/ana/products?*", refuse_twice)
    page.goto("/sell/ana")
    order = page.locator("details.order").first
    order.locator("summary").click()
    expect(page.locator("#top .bars li")).not_to_have_count(0)

    assert len(refused) == 2
    assert order.get_attribute("open") is not None, "the other list, in which someone reads, is left alone"
    assert "503" in complaints.pop()
    assert "503" in complaints.pop()


@pytest.mark.nightly
def test_a_list_that_is_slow_is_not_shown_for_another_period(page: Page) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.fallback()
        else:
            held.append(route)

    page.route("**/sell/ana/orders?*", hold_the_first)
    page.goto("/sell/ana?period=7d")
    expect(page.locator("#top .bars li")).not_to_have_count(0)
    page.get_by_role("link", name="All time").click()
    expect(page.locator("details.order")).to_have_count(4)
    with suppress(PlaywrightError):  # the page does not wait for it any more
        held[0].fulfill(body="<p id=late>late</p>")
    page.wait_for_load_state("networkidle")
    expect(page.locator("details.order")).to_have_count(4)
