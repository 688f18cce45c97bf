"""Customers of a seller: cohorts, segments, and the page; nobody who was erased or cancelled comes back."""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from audit import seller_sample
from audit.comparison import ComparisonResult
from audit.comparisons import facts_vs_seller_customers
from clickhouse.client import connect
from common.settings import Settings
from tests.csv_cells import cell
from tests.integration.metric_tables import writable
from tests.integration.servers import await_true
from tests.integration.serving.conftest import ask, put
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.shop_audit import loaded, stores_of
from tests.integration.serving.shop_history import FOREIGN, SELLERS, SHOPPERS, History

DORA, FEW = "cust-dora", "cust-few"
SELLER = SELLERS[0]
ERASED, GUEST = "erased-eva", "guest-gil"
PEOPLE = ("ada-1", "ben-2", "cem-3", "fay-4", "zoe-5", ERASED, GUEST)
REGISTERED = ("ada-1", "ben-2", "cem-3", "fay-4", "zoe-5", ERASED, *SHOPPERS[::2])
AS_OF = "2017-03-10 12:00:00.000"
ORDERS = (
    # order, seller, shopper, placed (UTC), amount, currency
    ("ada-a", DORA, "ada-1", "2017-01-10 12:00:00.000", 1_000, "BRL"),
    ("ada-b", DORA, "ada-1", "2017-01-20 12:00:00.000", 500, "BRL"),
    ("ada-c", DORA, "ada-1", "2017-03-05 12:00:00.000", 300, "BRL"),
    ("ben-a", DORA, "ben-2", "2017-01-15 12:00:00.000", 9_000, "BRL"),
    ("ben-b", DORA, "ben-2", "2017-02-03 12:00:00.000", 400, "BRL"),
    ("cem-a", DORA, "cem-3", "2017-02-01 01:30:00.000", 600, "BRL"),  # 23:30 on January 31 in the shop
    ("fay-a", DORA, "fay-4", "2017-01-02 12:00:00.000", 777, "EUR"),
    ("fay-b", DORA, "fay-4", "2017-02-02 12:00:00.000", 50, "BRL"),
    ("zoe-a", DORA, "zoe-5", "2017-01-05 12:00:00.000", 5_000, "BRL"),
    ("eva-a", DORA, ERASED, "2017-02-10 12:00:00.000", 80, "BRL"),
    ("gil-a", DORA, GUEST, "2017-03-01 12:00:00.000", 70, "BRL"),
    *((f"h{number}-a", FEW, f"h-{number}", "2017-02-01 12:00:00.000", 10, "BRL") for number in range(1, 5)),
)
CANCELLED = ("ben-a", "zoe-a")


def with_known_customers(history: History) -> History:
    """Add the orders of two sellers whose figures are known, and who registered and who was erased."""
    events = history.events
    for order_id, seller, shopper, placed_at, amount, currency in ORDERS:
        line = {
            "line_number": 1, "product_id": "cust-pen", "seller_id": seller, "quantity": 1,
            "unit_price_minor": amount, "discount_minor": 0, "shipping_minor": 9, "tax_minor": 0,
            "commission_bp": 0,
        }  # fmt: skip
        event = {
            "event_id": f"confirmed-{order_id}", "occurred_at": placed_at, "placed_at": placed_at,
            "order_id": order_id, "shopper_id": shopper, "currency": currency, "lines": [line],
        }  # fmt: skip
        events["order_confirmed"].append(event)
        if order_id in CANCELLED:
            gone = {"event_id": f"cancelled-{order_id}", "occurred_at": "2017-02-20 12:00:00.000"}
            events["order_cancelled"].append(
                event | gone | {"reason": "shopper_request", "confirmed_at": placed_at}
            )
    refunded = {"line_number": 1, "product_id": "cust-pen", "quantity": 1, "refund_minor": 200}
    refunded |= {"marketplace_minor": None}
    events["payment_refunded"].append(
        {
            "event_id": "refund-ada", "occurred_at": "2017-03-09 12:00:00.000", "refund_id": "ada-money",
            "return_id": "ada-back", "payment_id": "ada-paid", "seller_id": DORA, "order_id": "ada-b",
            "shopper_id": "ada-1", "placed_at": "2017-01-20 12:00:00.000", "reason": "order_returned",
            "amount_minor": 200, "currency": "BRL", "lines": [refunded],
        }
    )  # fmt: skip
    for shopper_id in REGISTERED:
        at = {"event_id": f"registered-{shopper_id}", "occurred_at": "2016-01-01 00:00:00.000"}
        events["shopper_registered"].append({**at, "shopper_id": shopper_id})
    for shopper_id in (ERASED, SHOPPERS[4], SHOPPERS[9], "never-a-customer"):
        at = {"event_id": f"erased-{shopper_id}", "occurred_at": "2017-03-08 00:00:00.000"}
        events["shopper_erased"].append({**at, "shopper_id": shopper_id})
    for table in ("order_confirmed", "order_cancelled", "payment_refunded"):
        progress = {"table_name": table, "subtask": 0, "parallelism": 1, "watermark": AS_OF, "version": 9}
        events["pipeline_progress"].append(progress)
    return history


@pytest.fixture(scope="module")
def history(shop: Settings) -> Iterator[History]:
    """The facts of the shop; the shop of the other modules returns afterwards."""
    drawn = with_known_customers(History(7, 150))
    with loaded(shop, drawn):
        yield drawn


def answer(api: httpx.Client, seller: str, path: str, **parameters: Any) -> dict[str, Any]:
    found = api.get(f"/v1/sellers/{seller}/{path}", params=parameters)
    shown: dict[str, Any] = found.raise_for_status().json()
    return shown


def audited(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> list[ComparisonResult]:
    """Compare with the queries for all sellers, and with the API about every seller."""
    monkeypatch.setattr(seller_sample, "EVERY", 1)
    with connect(shop) as client:
        stores = stores_of(shop, client)
        # Not in this thread: Playwright runs an event loop in it.
        with ThreadPoolExecutor(1) as thread:
            comparisons = facts_vs_seller_customers.run(stores)
            return [thread.submit(comparison.compare).result() for comparison in comparisons]


@pytest.mark.usefixtures("history")
def test_the_audit_finds_the_customers_of_every_seller_as_the_facts_say(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = audited(shop, monkeypatch)
    assert len(compared) == 4
    for found in compared:
        assert found.differences == ()
        assert found.rows > len(SELLERS) * 5


@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_wrong_amount(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = writable(shop, "sales_lines")
    where = f"seller_id = '{DORA}' AND order_id = 'ada-a'"
    change = "INSERT INTO {0} SELECT * REPLACE (revenue_minor {1} AS revenue_minor) FROM {0} FINAL WHERE {2}"
    ask(shop, change.format(rows, "+ 5000", where))
    try:
        compared = audited(shop, monkeypatch)
    finally:
        ask(shop, change.format(rows, "- 5000", where))

    assert len(compared) == 4
    for found in compared:
        assert {each.key["seller_id"] for each in found.differences} == {DORA}


@pytest.mark.usefixtures("history")
def test_a_cohort_has_those_whose_first_order_was_in_its_month(api: httpx.Client) -> None:
    def counted() -> dict[str, Any] | None:
        shown = answer(api, DORA, "customers/cohorts")
        return shown if (shown["as_of"] or "").startswith("2017-03-10") else None

    shown = await_true(counted)
    january, february, march = shown["cohorts"]

    # Not Zoe, whose only order was cancelled, nor Ben, whose first one was. Fay bought in euros before.
    assert [each["customers"] for each in shown["cohorts"]] == [2, 2, 1]
    assert [(each["customers"], each["orders"], each["net_sales"]) for each in january["months"]] == [
        (2, 3, 1_900),  # Ada got 200 back
        (0, 0, 0),
        (1, 1, 300),
    ]
    assert [each["retention"] for each in january["months"]] == [1.0, 0.0, 0.5]
    assert [each["cumulated_per_customer"] for each in january["months"]] == [950, 950, 1_100]
    assert (february["month"], february["months"][0]["net_sales"]) == ("2017-02", 480)  # with erased Eva
    assert [each["complete"] for each in january["months"]] == [True, True, False]
    assert march["months"] == [
        {
            "month": "2017-03", "number": 0, "complete": False, "customers": 1, "retention": 1.0,
            "orders": 1, "net_sales": 70, "cumulated_net_sales": 70, "cumulated_per_customer": 70,
        }
    ]  # fmt: skip
    assert shown["mean_retention"] == [
        {"number": 1, "cohorts": 1, "customers": 2, "returned": 0, "retention": 0.0}
    ]


@pytest.mark.usefixtures("history")
def test_months_are_those_of_a_zone_and_of_a_range(api: httpx.Client) -> None:
    in_utc = answer(api, DORA, "customers/cohorts", timezone="UTC")
    until_february = answer(api, DORA, "customers/cohorts", until="2017-02", months=1)

    assert [each["customers"] for each in in_utc["cohorts"]] == [1, 3, 1]
    assert [(each["month"], each["customers"]) for each in until_february["cohorts"]] == [("2017-02", 2)]
    assert answer(api, DORA, "customers/cohorts", until="2016-02")["cohorts"] == []


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "wrong", [{"timezone": "Mars/Olympus"}, {"until": "2017-13"}, {"months": 61}, {"months": 0}]
)
def test_what_is_not_there_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    refused = api.get(f"/v1/sellers/{DORA}/customers/cohorts", params=wrong)

    assert refused.status_code == 422
    assert str(next(iter(wrong))) in refused.json()["detail"] or "time zone" in refused.json()["detail"]
    for path in ("cohorts", "segments", "cohorts/export.csv", "segments/export.csv"):
        assert api.get(f"/v1/sellers/nobody/customers/{path}").status_code == 404


def test_cohorts_agree_with_the_metrics_of_the_same_months(history: History, api: httpx.Client) -> None:
    for seller in (DORA, SELLER):
        asked = {"from": "2016-12-01", "to": "2017-05-01", "grain": "month", "with": "net_sales,customers"}
        series = answer(api, seller, "analytics/new_customers", **asked)["series"]
        cohorts = answer(api, seller, "customers/cohorts", until="2017-04")["cohorts"]
        new = {each["month"]: each["customers"] for each in cohorts}
        sold = sum(month["net_sales"] for each in cohorts for month in each["months"])
        foreign = 50 if seller == DORA else net_of_foreign(history, seller)

        assert {
            each["start"][:7]: each["values"]["new_customers"]
            for each in series
            if each["start"][:7] in new or each["values"]["new_customers"]
        } == new
        assert sum(each["values"]["net_sales"] for each in series) == sold + foreign


def net_of_foreign(history: History, seller: str) -> int:
    """Return the net sales in reais of shoppers whose first order was in another currency."""
    foreign = {each["order_id"] for each in history.of("order_confirmed") if each["shopper_id"] in FOREIGN}
    net = 0
    for sign, topic in ((1, "order_confirmed"), (-1, "order_cancelled")):
        for event in history.of(topic):
            if (
                event["order_id"] in foreign
                and event["currency"] == "BRL"
                and event.get("confirmed_at", True)
            ):
                net += sign * sum(
                    line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
                    for line in event["lines"]
                    if line["seller_id"] == seller
                )
    refunds = [
        each
        for each in history.of("payment_refunded")
        if each["order_id"] in foreign and each["seller_id"] == seller
    ]
    lines = [line for each in refunds for line in each["lines"]]
    return net - sum(line["refund_minor"] + (line["marketplace_minor"] or 0) for line in lines)


@pytest.mark.usefixtures("history")
def test_segments_leave_erased_people_out_and_count_guests(api: httpx.Client) -> None:
    shown = answer(api, DORA, "customers/segments")
    few = answer(api, FEW, "customers/segments")

    # Ada, Ben, Cem, Fay and Gil; Eva was erased, and the only order of Zoe was cancelled.
    assert (shown["customers"], shown["guests"], shown["erased_customers"]) == (5, 1, 1)
    assert (shown["orders"], shown["net_sales"]) == (7, 1_600 + 400 + 600 + 50 + 70)
    assert shown["value_to_date"] == {"mean": 544, "median": 400, "p90": 1_600}
    # By last order: Cem, Fay, Ben, Gil, Ada. By net sales: Fay, Gil, Ben, Cem, Ada. Only Ada ordered again.
    assert [(each["name"], each["net_sales"]) for each in shown["segments"] if each["customers"]] == [
        ("champions", 1_600),  # Ada: recency 5, value (5 + 5) / 2
        ("potential_loyalists", 70),  # Gil: 4, (1 + 2) / 2
        ("about_to_sleep", 400),  # Ben: 3, (1 + 3) / 2
        ("at_risk", 600),  # Cem: 1, (1 + 4) / 2
        ("hibernating", 50),  # Fay: 2, (1 + 1) / 2
    ]
    assert sum(each["customers"] for each in shown["segments"]) == 5
    assert sum(each["net_sales"] for each in shown["segments"]) == shown["net_sales"]
    assert (few["customers"], few["guests"], few["segments"]) == (4, 4, [])


@pytest.mark.usefixtures("history")
def test_no_form_of_an_answer_has_the_id_of_a_customer(api: httpx.Client) -> None:
    for seller in (DORA, SELLER):
        ids = PEOPLE if seller == DORA else SHOPPERS
        api_path = f"/v1/sellers/{seller}/customers"
        for path, accept in (
            *((f"{api_path}/{name}", "application/json") for name in ("cohorts", "segments")),
            *((f"{api_path}/{name}", "text/csv") for name in ("cohorts", "segments")),
            (f"/sell/{seller}/customers?period=all", "text/html"),
        ):
            shown = api.get(path, headers={"Accept": accept}).raise_for_status().text
            assert [each for each in ids if each in shown] == [], path


@pytest.mark.usefixtures("history")
def test_csv_and_files_have_the_figures_of_the_answer(api: httpx.Client) -> None:
    for name in ("cohorts", "segments"):
        path = f"/v1/sellers/{SELLER}/customers/{name}"
        shown = answer(api, SELLER, f"customers/{name}")
        table = api.get(path, headers={"Accept": "text/csv"})
        file = api.get(f"{path}/export.csv")
        rows = list(csv.DictReader(StringIO(table.text)))

        assert table.text == file.text
        assert file.headers["content-disposition"] == f'attachment; filename="customer_{name}.csv"'
        assert table.headers["souk-as-of"] == file.headers["souk-as-of"]
        months = [month for each in shown.get("cohorts", ()) for month in each["months"]]
        for row, entry in zip(rows, months or shown["segments"], strict=True):
            assert row["net_sales"] == cell(entry["net_sales"], is_money=True)
            assert row["currency"] == "BRL"
            assert row["customers"] == str(entry["customers"])
        assert {row.get("complete") for row in rows} <= {"true", "false", None}


@pytest.mark.browser
@pytest.mark.usefixtures("history")
def test_the_page_shows_the_cohorts_and_leads_to_files(page: Page, api: httpx.Client) -> None:
    cohorts = answer(api, SELLER, "customers/cohorts", months=6)
    page.goto(f"/sell/{SELLER}/customers?period=all")
    expect(page.get_by_role("link", name="Customers", exact=True).first).to_have_attribute(
        "aria-current", "page"
    )
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, (theme, width)
        if width in (320, 1440):
            report = Axe().run(page)
            assert report.violations_count == 0, report.generate_report()
    heat_map = page.get_by_role("table", name="Share of each month's new customers")
    for row, cohort in zip(heat_map.locator("tbody tr").all(), cohorts["cohorts"], strict=True):
        expect(row.locator("td").first).to_have_text(str(cohort["customers"]))
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Value to date").click()
    expect(page.get_by_role("table", name="Net sales for each new customer")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Segments as CSV").click()
    assert download.value.suggested_filename == "customer_segments.csv"


@pytest.mark.usefixtures("history")
def test_the_page_says_what_is_missing(shop: Settings, api: httpx.Client) -> None:
    few = api.get(f"/sell/{FEW}/customers").text
    nobody = api.get("/sell/nobody/customers")
    # A seller of whom nothing was asked before: otherwise, the page would show the last figures.
    order = ["cust-late", "2017-02-01 12:00:00", "late-a", "BRL", 1]
    columns = ("seller_id", "minute", "order_id", "currency", "orders", "shopper_id", "kind", "revenue_minor")
    put(shop, "sales_lines", columns, [[*order, "h-1", "sold", 10]])
    ask(shop, "RENAME TABLE shopper_erased TO shopper_erased_away")
    try:
        without = api.get("/sell/cust-late/customers")
    finally:
        ask(shop, "RENAME TABLE shopper_erased_away TO shopper_erased")

    assert "Segments need at least 5 customers" in few
    assert nobody.status_code == 404
    assert "The segments can't be computed at the moment" in without.text
    assert "Feb 2017" in without.text
    assert "The cohorts can't be computed" not in without.text
    assert without.headers["cache-control"] == "private, no-store"
