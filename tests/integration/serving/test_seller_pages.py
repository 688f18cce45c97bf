"""The pages of a seller about one domain: live, fulfilment, earnings, reviews and recommendations."""

import csv
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from io import StringIO
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from common.ids import new_id
from common.principal_token import GATEWAY, LIFETIME_S, PrincipalTokens
from common.settings import Settings
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask, drop_cached, put
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import staff
from tests.principals import TESTS, bearer

SELLER, OTHER = "pages-ana", "pages-bob"
NOW = datetime.now(UTC)
HTML = {"Accept": "text/html"}
TABS = ("live", "fulfilment", "earnings", "reviews", "recommendations")

LINE = (
    *("seller_id", "placed_at", "order_id", "line_number", "product_id", "quantity", "currency"),
    *("unit_price_minor", "gross_minor"),
)
PARCEL = ("seller_id", "order_id", "placed_at", "promised_at", "confirmed_at", "shipped_at", "delivered_at",
          "cancelled_at")  # fmt: skip
SALE = (
    *("seller_id", "minute", "booked_minute", "order_id", "kind", "return_id", "line_number", "product_id"),
    *("currency", "orders", "units", "gross_minor", "cancelled_gross_minor", "returned_minor"),
    *("revenue_minor", "commission_minor"),
)
REVIEW = ("event_id", "occurred_at", "review_id", "order_id", "shopper_id", "seller_id", "score", "title",
          "comment")  # fmt: skip
PUBLISHED = (*("event_id", "occurred_at", "review_id", "order_id", "shopper_id", "seller_id", "score"),
             "submitted_at")  # fmt: skip
ANSWERED = ("event_id", "occurred_at", "review_id", "order_id", "seller_id", "text")
VIEW = ("seller_id", "minute", "event_id", "product_id", "session_id", "views")


def text(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%F %T}.000"


def minute(moment: datetime) -> str:
    return f"{moment:%F %H:%M}:00"


def ago(**duration: float) -> datetime:
    return NOW - timedelta(**duration)


ORDERS: dict[str, dict[str, datetime | None]] = {
    "pages-late": {"promised": ago(days=3), "confirmed": ago(days=9)},
    "pages-soon": {"promised": ago(days=-1), "confirmed": ago(days=2)},
    "pages-never-promised": {"promised": None, "confirmed": ago(days=20)},
    "pages-shipped": {"promised": ago(days=1), "confirmed": ago(days=5), "shipped": ago(days=4)},
    "pages-arrived": {"promised": ago(days=1), "confirmed": ago(days=8), "shipped": ago(days=7),
                      "delivered": ago(days=2)},
    "pages-cancelled": {"promised": ago(days=1), "confirmed": ago(days=6), "cancelled": ago(days=5)},
    "pages-unpaid": {"promised": ago(days=1), "confirmed": None},
}  # fmt: skip
REVIEWS = (("good", 5, 30), ("gone", 4, 25), ("bad", 1, 20), ("rude", 3, 15), ("new", 2, 10))
"""Reviews: name, score, hours ago. The one that is gone was published, and withdrawn later."""

REVIEW_FACTS = tuple(
    f"review_{step}" for step in ("submitted", "published", "rejected", "withdrawn", "answered")
)
PRICE = 10_000
KEPT = 1_250
BOOKED = [
    *((order, "sold", "", PRICE) for order in ORDERS if order != "pages-unpaid"),
    ("pages-cancelled", "cancelled", "", PRICE),
    ("pages-arrived", "returned", "back", 4_000),
]


def sale(seller: str, placed_at: datetime, order: str, kind: str, reference: str, amount: int) -> list[Any]:
    """Return what was sold, cancelled or returned of an order, booked when the order was confirmed."""
    at = ORDERS[order]["confirmed"] or NOW
    sold, cancelled, returned = (amount if kind == each else 0 for each in ("sold", "cancelled", "returned"))
    kept = {"sold": KEPT, "cancelled": -KEPT, "returned": 0}[kind]
    is_sold = int(kind == "sold")
    return [seller, minute(placed_at), minute(at), order, kind, reference, 1, "pages-lamp", "BRL", is_sold,
            2 * is_sold, sold, cancelled, returned, sold - cancelled - returned, kept]  # fmt: skip


@pytest.fixture(scope="module")
def shop_of_ana(shop: Settings) -> Iterator[Settings]:
    """A seller with an order in every state, reviews, views, and a second seller of the same orders."""
    for seller in (SELLER, OTHER):
        own = ORDERS if seller == SELLER else {"pages-late": ORDERS["pages-late"]}
        placed = {
            order: (each["confirmed"] or ago(days=1)) - timedelta(hours=1) for order, each in own.items()
        }
        put(shop, "order_lines", LINE, [
            [seller, text(at), order, 1, "pages-lamp", 2, "BRL", PRICE // 2, PRICE]
            for order, at in placed.items()
        ])  # fmt: skip
        put(shop, "parcels", PARCEL, [
            [seller, order, text(placed[order]), text(each["promised"]), text(each["confirmed"]),
             *(text(each.get(step)) for step in ("shipped", "delivered", "cancelled"))]
            for order, each in own.items()
        ])  # fmt: skip
        booked = BOOKED if seller == SELLER else [("pages-late", "sold", "", 777)]
        put(shop, "sales_lines", SALE, [sale(seller, placed[each[0]], *each) for each in booked])
        put(shop, "review_submitted", REVIEW, [
            [f"{seller}-{name}-sent", text(ago(hours=hours)), f"{seller}-{name}", "pages-arrived",
             "shopper-x", seller, score, f"{name} title of {seller}", f"{name} comment of {seller} <b>"]
            for name, score, hours in REVIEWS
        ])  # fmt: skip
        put(shop, "review_published", PUBLISHED, [
            [f"{seller}-{name}-published", text(ago(hours=9)), f"{seller}-{name}", "pages-arrived",
             "shopper-x", seller, score, text(ago(hours=hours))]
            for name, score, hours in REVIEWS
            if name not in ("new", "rude")
        ])  # fmt: skip
        put(shop, "review_rejected", PUBLISHED, [
            [f"{seller}-rude-rejected", text(ago(hours=9)), f"{seller}-rude", "pages-arrived",
             "shopper-x", seller, 3, text(ago(hours=15))]
        ])  # fmt: skip
        put(shop, "review_withdrawn", PUBLISHED, [
            [f"{seller}-gone-withdrawn", text(ago(hours=8)), f"{seller}-gone", "pages-arrived",
             "shopper-x", seller, 4, text(ago(hours=25))]
        ])  # fmt: skip
        put(shop, "review_answered", ANSWERED, [
            [f"{seller}-{name}-{number}", text(ago(hours=8 - number)), f"{seller}-{name}", "pages-arrived",
             seller, reply]
            for number, (name, reply) in enumerate(
                (("good", "Thank"), ("good", "Thank you"), ("bad", "Sorry"), ("bad", None), ("rude", "No"))
            )
        ])  # fmt: skip
    view_products(shop)
    drop_cached(shop)
    yield shop
    for table in ("order_lines", "parcels", "sales_lines", "review_versions", "product_views"):
        where = f"seller_id IN ('{SELLER}', '{OTHER}')"
        ask(shop, f"ALTER TABLE {writable(shop, table)} DELETE WHERE {where}")
    for table in REVIEW_FACTS:
        ask(shop, f"ALTER TABLE {table} DELETE WHERE order_id = 'pages-arrived'")


def view_products(shop: Settings) -> None:
    """Let four sessions view the lamp: two of them just now."""
    now = datetime.now(UTC)
    put(shop, "product_views", VIEW, [
        [SELLER, minute(now - timedelta(minutes=minutes)), f"pages-{new_id()}", "pages-lamp", session, 1]
        for session, minutes in (("s1", 1), ("s1", 2), ("s2", 1), ("s3", 20), ("s4", 90))
    ])  # fmt: skip


pytestmark = pytest.mark.usefixtures("shop_of_ana")


def words(html: str) -> str:
    """Return the text of HTML, with a blank between words."""
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def client(shop: Settings, role: Any) -> httpx.Client:
    own = bearer(shop, staff(SELLER, role))
    return httpx.Client(base_url=shop.serving, trust_env=False, timeout=30, headers=own | HTML)


def test_the_earliest_promise_is_to_be_shipped_first(api: httpx.Client) -> None:
    due = api.get(f"/v1/sellers/{SELLER}/parcels/due").raise_for_status().json()
    table = api.get(f"/v1/sellers/{SELLER}/parcels/due/export.csv").raise_for_status().text

    assert [parcel["order_id"] for parcel in due["parcels"]] == [
        "pages-late", "pages-soon", "pages-never-promised",
    ]  # fmt: skip
    assert [parcel["is_overdue"] for parcel in due["parcels"]] == [True, False, False]
    assert (due["orders"], due["units"], due["overdue"], due["due_soon"]) == (3, 6, 1, 1)
    assert [row["order_id"] for row in csv.DictReader(StringIO(table))] == [
        parcel["order_id"] for parcel in due["parcels"]
    ]
    assert api.get(f"/v1/sellers/{OTHER}/parcels/due").json()["orders"] == 1
    assert api.get("/v1/sellers/nobody-at-all/parcels/due").status_code == 404


def test_who_packs_parcels_sees_them_and_no_figures(shop: Settings) -> None:
    with client(shop, "fulfilment") as packer, client(shop, "analyst") as analyst:
        page = packer.get(f"/sell/{SELLER}/fulfilment")
        refused = {
            tab: packer.get(f"/sell/{SELLER}/{tab}").status_code for tab in TABS if tab != "fulfilment"
        }
        foreign = {tab: packer.get(f"/sell/{OTHER}/{tab}").status_code for tab in TABS}
        with_figures = words(analyst.get(f"/sell/{SELLER}/fulfilment").raise_for_status().text)

    shown = words(page.raise_for_status().text)
    assert "3 orders 1 overdue 1 due by tomorrow" in shown
    assert "How long each step takes" not in shown
    assert "Earnings" not in shown
    assert "R$" not in shown
    assert set(refused.values()) == {403}
    assert set(foreign.values()) == {404}
    assert "How long each step takes" in with_figures


def test_earnings_by_how_far_orders_are_add_up_to_the_net_earnings(api: httpx.Client) -> None:
    asked = {
        "with": "earnings_to_ship,earnings_on_the_way,earnings_delivered", "compare": "none",
        "from": f"{ago(days=40):%F}", "to": f"{ago(days=-2):%F}",
    }  # fmt: skip
    answer = api.get(f"/v1/sellers/{SELLER}/analytics/net_earnings", params=asked).raise_for_status().json()
    page = words(api.get(f"/sell/{SELLER}/earnings", headers=HTML).raise_for_status().text)

    net, *stages = (total["value"] for total in answer["totals"])
    assert stages == [3 * (PRICE - KEPT), PRICE - KEPT, PRICE - KEPT - 4_000]
    assert net == sum(stages)
    assert "Earned in all R$397.50" in page
    assert "Delivered R$47.50" in page
    assert "On the way R$87.50" in page
    assert "To ship R$262.50" in page
    assert "Net earnings R$397.50" in words(
        api.get(f"/sell/{SELLER}/earnings?period=all", headers=HTML).raise_for_status().text
    )
    assert "paid out" not in page.lower()
    assert "7.77" not in page  # the other seller's


def test_each_number_of_the_earnings_leads_to_its_orders(api: httpx.Client) -> None:
    def orders(**choices: str) -> set[str]:
        page = api.get(f"/sell/{SELLER}/earnings", params=choices, headers=HTML).raise_for_status().text
        rows = page[page.index('id="rows-title"') :]
        return set(re.findall(r'title="(pages-[\w-]+)"', rows))

    assert orders(show="earnings_delivered", of="date") == {"pages-arrived"}
    assert orders(show="earnings_on_the_way", of="date") == {"pages-shipped"}
    assert orders(show="earnings_to_ship", of="date") == {
        "pages-late", "pages-soon", "pages-never-promised",
    }  # fmt: skip
    assert orders(show="refunds_charged") == {"pages-arrived"}
    assert api.get(f"/sell/{SELLER}/earnings?show=luck", headers=HTML).status_code == 422


def test_a_review_has_its_text_and_the_reply_while_everybody_may_read_it(api: httpx.Client) -> None:
    path = f"/v1/sellers/{SELLER}/reviews"
    period = {"from": f"{ago(days=9):%F}", "to": f"{ago(days=-2):%F}"}
    first = api.get(path, params={**period, "limit": 2}).raise_for_status().json()
    rest = api.get(path, params={**period, "limit": 2, "cursor": first["next_cursor"]}).json()
    low = api.get(path, params={**period, "highest": 2}).json()
    page = api.get(f"/sell/{SELLER}/reviews?period=all", headers=HTML).raise_for_status().text

    reviews = [*first["reviews"], *rest["reviews"]]
    assert [(each["score"], each["status"], each["title"], each["reply"]) for each in reviews] == [
        (2, "submitted", None, None),
        (3, "rejected", None, None),
        (1, "published", f"bad title of {SELLER}", None),
        (5, "published", f"good title of {SELLER}", "Thank you"),
    ]
    assert rest["next_cursor"] is None
    assert [each["score"] for each in low["reviews"]] == [2, 1]
    assert "shopper" not in str(reviews)
    assert "Its text is shown once it is published." in page
    assert f"bad comment of {SELLER} &lt;b&gt;" in page
    assert "It was rejected, so its text is not shown." in page
    assert not [name for name in ("new", "rude", "gone") if f"{name} comment" in page]
    assert OTHER not in page
    refused = api.get(path, params={"lowest": 4, "highest": 2})
    assert (refused.status_code, "lowest" in refused.json()["detail"]) == (422, True)


def test_the_page_of_recommendations_states_its_rule(api: httpx.Client) -> None:
    page = words(api.get(f"/sell/{SELLER}/recommendations", headers=HTML).raise_for_status().text)

    assert "less than 24 hours before the order" in page
    assert "Nothing was recommended in this period." in page


@pytest.mark.parametrize("tab", TABS)
def test_a_seller_who_never_was_has_no_page(api: httpx.Client, tab: str) -> None:
    assert api.get(f"/sell/nobody-at-all/{tab}", headers=HTML).status_code == 404


@pytest.mark.parametrize("chosen", ["period=7d", "from=2018-02-01&until=2018-02-18"])
def test_the_chosen_period_stays_from_tab_to_tab(api: httpx.Client, chosen: str) -> None:
    with_period = (
        "",
        "/fulfilment",
        "/earnings",
        "/change",
        "/customers",
        "/reviews",
        "/recommendations",
        "/metrics",
    )
    shown = set()
    for tab in (*with_period, "/live", "/sql"):
        page = api.get(f"/sell/ana{tab}?{chosen}", headers=HTML).raise_for_status().text
        (tabs,) = re.findall(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
        links = re.findall(r'href="([^"]+)"', tabs)
        assert len(links) > len(with_period)
        assert {link.partition("?")[2] for link in links} == {escape(chosen)}
        if tab in with_period:
            shown.add(re.findall(r'<summary class="button"><svg.*?</svg>([^<]+)<', page)[0])
    assert len(shown) == 1


def test_without_a_choice_each_tab_has_its_own_period(api: httpx.Client) -> None:
    page = api.get("/sell/ana/earnings", headers=HTML).raise_for_status().text

    (tabs,) = re.findall(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert "?" not in tabs


def events(response: httpx.Response) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each event."""
    name, lines = "", []
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            lines.append(value)
        elif not line and name:
            yield name, "\n".join(lines)
            name, lines = "", []


def test_the_live_stream_has_every_part_at_once_and_ends_with_the_token(shop: Settings) -> None:
    tokens = PrincipalTokens(shop, now=lambda: time.time() - LIFETIME_S + 3)
    own = {"Authorization": f"Bearer {tokens.make(TESTS, GATEWAY)}"}
    view_products(shop)
    with (
        httpx.Client(base_url=shop.serving, trust_env=False, timeout=30, headers=own) as http,
        http.stream("GET", f"/sell/{SELLER}/live/events") as response,
    ):
        sent = list(events(response))

    names = [name for name, _ in sent]
    parts = {name: words(content) for name, content in reversed(sent)}
    assert names[:6] == ["fresh", "figures", "orders", "visitors", "parcels", "said"]
    assert names[-1] == "ended"
    assert "In the last 5 minutes 2 In the last 30 minutes 3" in parts["visitors"]
    assert "3 orders 1 overdue" in parts["parcels"]
    assert parts["orders"].count("R$100.00") == len(ORDERS)
    assert "shopper" not in str(parts)
    assert "Orders to ship: 3." in parts["said"]


@pytest.mark.browser
def test_the_live_page_shows_a_new_order_pauses_and_says_when_access_ends(
    page: Page, shop: Settings, complaints: list[str]
) -> None:
    page.goto(f"/sell/{SELLER}/live")

    def state(name: str) -> Locator:
        return page.locator(f'[data-state="{name}"]')

    expect(state("live")).to_be_visible()
    orders = page.locator("#live-orders li")
    expect(orders).to_have_count(len(ORDERS))

    def place(order_id: str, at: datetime) -> None:
        line = [SELLER, text(at), order_id, 1, "pages-lamp", 1, "BRL", 4_242, 4_242]
        put(shop, "order_lines", LINE, [line])

    place("pages-new", datetime.now(UTC))
    expect(orders.first).to_contain_text("R$42.42")
    expect(orders.first).to_have_class(re.compile("new"))
    expect(page.locator("#live-heard")).to_contain_text("Orders to ship: 3.")

    page.get_by_role("button", name="Pause").click()
    expect(state("paused")).to_be_visible()
    expect(state("live")).to_be_hidden()
    place("pages-newer", datetime.now(UTC))
    with page.expect_request("**/live/events"):
        page.get_by_role("button", name="Continue").click()
    expect(orders.first).to_have_attribute("data-key", "pages-newer")
    expect(orders).to_have_count(len(ORDERS) + 2)

    page.route("**/live/events", lambda route: route.fulfill(status=401, body="{}"))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Continue").click()
    expect(state("ended")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    assert [each for each in complaints if "401" not in each] == []
    complaints.clear()


@pytest.mark.browser
def test_the_live_page_connects_again_after_a_failure(page: Page, complaints: list[str]) -> None:
    tries = []

    def fail_twice(route: Any) -> None:
        tries.append(time.monotonic())
        if len(tries) <= 2:
            route.fulfill(status=503, body="{}")
        else:
            route.continue_()

    page.route("**/live/events", fail_twice)
    page.goto(f"/sell/{SELLER}/live")

    expect(page.locator('[data-state="waiting"]')).to_be_visible()
    expect(page.locator('[data-state="live"]')).to_be_visible()
    assert len(tries) == 3
    assert tries[2] - tries[1] > 0.9  # the second pause is at least a second
    assert [each for each in complaints if "503" not in each] == []
    complaints.clear()


@pytest.mark.browser
@pytest.mark.parametrize("tab", TABS)
def test_a_page_fits_every_width(page: Page, tab: str) -> None:
    page.goto(f"/sell/{SELLER}/{tab}?period=all" if tab != "live" else f"/sell/{SELLER}/live")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, (theme, width)
