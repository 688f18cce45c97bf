"""The metrics of the catalogue agree with a plain computation from orders, in every form of the answer."""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from clickhouse.metric_catalogue.definition import read_every_metric
from common.settings import Settings
from tests.csv_cells import metric_cells
from tests.integration.serving.conftest import SALES_LINE, TABLES, clear, insert, put
from tests.integration.serving.layouts import layouts, scroll_width

SHOP = ZoneInfo("America/Sao_Paulo")
SELLER = "metrics-seller"
PRODUCTS = tuple(f"metrics-product-{number}" for number in range(7))
CATEGORY = {product: ("toys", "garden", "")[number % 3] for number, product in enumerate(PRODUCTS)}
COLUMNS = (
    *(*SALES_LINE, "tax_minor", "cancelled_tax_minor"),
    *("return_id", "cancelled_discount_minor", "returned_units", "returned_minor"),
    *("voucher_minor", "marketplace_minor"),
)
PERIOD = {"from": "2017-03-01", "to": "2017-04-01"}
MONTHS = {
    "now": (datetime(2017, 3, 1, tzinfo=SHOP), datetime(2017, 4, 1, tzinfo=SHOP)),
    "previous": (datetime(2017, 2, 1, tzinfo=SHOP), datetime(2017, 3, 1, tzinfo=SHOP)),
    "year": (datetime(2016, 3, 1, tzinfo=SHOP), datetime(2016, 4, 1, tzinfo=SHOP)),
}


@dataclass
class Line:
    product: str
    units: int
    gross: int
    discount: int
    shipping: int
    tax: int
    returned_units: int
    refund: int

    @property
    def of_voucher(self) -> int:
        """The part of the discount that is of a voucher of the seller."""
        return self.discount if self.units % 2 else 0

    @property
    def of_marketplace(self) -> int:
        """What the marketplace pays. The whole part goes back with the line."""
        return self.units


@dataclass
class Order:
    number: int
    at: datetime
    cancelled: bool
    lines: list[Line] = field(default_factory=list)


def drawn(seed: int) -> list[Order]:
    """Draw orders of three months, some cancelled, some with returned lines."""
    rng = random.Random(seed)
    orders = []
    for number in range(240):
        first, last = rng.choice(list(MONTHS.values()))
        minutes = int((last - first).total_seconds() // 60)
        at = (first + timedelta(minutes=rng.randrange(minutes))).astimezone(UTC)
        order = Order(number, at, rng.random() < 0.2)
        for _ in range(rng.randrange(1, 5)):
            units, price = rng.randrange(1, 5), rng.randrange(100, 9_000)
            discount = rng.choice([0, rng.randrange(price)])
            returned = rng.choice([0, 0, units]) if not order.cancelled else 0
            refund = units * price - discount if returned else 0
            order.lines.append(
                Line(
                    rng.choice(PRODUCTS),
                    units,
                    units * price,
                    discount,
                    rng.randrange(900),
                    price % 90,
                    returned,
                    refund,
                )
            )
        orders.append(order)
    return orders


def rows_of(order: Order) -> Iterator[dict[str, Any]]:
    """Yield the rows of `sales_lines` that the facts of an order would make."""
    products = [line.product for line in order.lines]
    for number, line in enumerate(order.lines):
        place = {
            "seller_id": SELLER, "minute": f"{order.at:%F %T}", "order_id": f"metrics-{order.number}",
            "line_number": number + 1, "product_id": line.product, "currency": "BRL",
        }  # fmt: skip
        first, first_of_product = int(number == 0), int(products.index(line.product) == number)
        net = line.gross - line.discount
        yield place | {
            "kind": "sold", "orders": first, "orders_of_product": first_of_product, "lines": 1,
            "units": line.units, "gross_minor": line.gross, "discount_minor": line.discount,
            "shipping_minor": line.shipping, "tax_minor": line.tax, "revenue_minor": net,
            "voucher_minor": line.of_voucher, "marketplace_minor": line.of_marketplace,
        }  # fmt: skip
        if order.cancelled:
            yield place | {
                "kind": "cancelled", "cancelled_orders": first,
                "cancelled_orders_of_product": first_of_product,
                "cancelled_units": line.units, "cancelled_gross_minor": line.gross,
                "cancelled_discount_minor": line.discount, "cancelled_shipping_minor": line.shipping,
                "cancelled_tax_minor": line.tax, "revenue_minor": -net,
                "voucher_minor": -line.of_voucher, "marketplace_minor": -line.of_marketplace,
            }  # fmt: skip
        if line.returned_units:
            yield place | {
                "kind": "returned", "return_id": f"return-{order.number}",
                "returned_units": line.returned_units,
                "returned_minor": line.refund, "revenue_minor": -line.refund,
                "marketplace_minor": -line.of_marketplace,
            }  # fmt: skip


@pytest.fixture(scope="module")
def orders(shop: Settings) -> Iterator[list[Order]]:
    """The seller's orders, all of whose rows arrived twice."""
    drawn_orders = drawn(3)
    text = ("kind", "return_id")
    rows = [
        [row.get(column, "" if column in text else 0) for column in COLUMNS]
        for order in drawn_orders
        for row in rows_of(order)
    ]
    for _ in range(2):
        put(shop, "sales_lines", COLUMNS, rows)
    listed = ("event_id", "occurred_at", "product_id", "seller_id", "name", "category")
    put(
        shop,
        "product_listed",
        listed,
        [
            [
                f"listed-{product}",
                "2016-01-01 00:00:00.000",
                product,
                SELLER,
                f"A {product}",
                category or None,
            ]
            for product, category in CATEGORY.items()
        ],
    )
    yield drawn_orders
    for table in ("seller_sales_minute", "product_listed"):
        clear(shop, table)
        insert(shop, table, TABLES[table][1])


Lines = list[tuple[Order, Line]]


def lines_of(orders: list[Order], month: str, keep: Callable[[Order, Line], bool] | None = None) -> Lines:
    first, last = MONTHS[month]
    return [
        (order, line)
        for order in orders
        for line in order.lines
        if first <= order.at < last and (keep is None or keep(order, line))
    ]


def expected(lines: Lines) -> dict[str, int | float | None]:
    """Return every metric, each computed in the plainest way from the lines of orders."""
    orders = {order.number: order for order, _ in lines}
    placed, cancelled = len(orders), sum(order.cancelled for order in orders.values())
    gross = sum(line.gross for _, line in lines)
    discount = sum(line.discount for _, line in lines)
    lost = sum(line.gross - line.discount for order, line in lines if order.cancelled)
    refunds = sum(line.refund for _, line in lines)
    units = sum(line.units for _, line in lines)
    cancelled_units = sum(line.units for order, line in lines if order.cancelled)
    returned_units = sum(line.returned_units for _, line in lines)
    net = gross - discount - lost - refunds
    return {
        "gross_sales": gross,
        "discounts": discount,
        "voucher_cost": sum(line.of_voucher for order, line in lines if not order.cancelled),
        "marketplace_vouchers": sum(
            line.of_marketplace for order, line in lines if not order.cancelled and not line.returned_units
        ),
        "cancellations": lost,
        "returns": refunds,
        "net_sales": net,
        "shipping": sum(line.shipping for _, line in lines),
        "tax": sum(line.tax for _, line in lines),
        "total_sales": net + sum(line.shipping + line.tax for order, line in lines if not order.cancelled),
        "orders": placed,
        "cancelled_orders": cancelled,
        "units": units,
        "net_units": units - cancelled_units - returned_units,
        "average_order_value": rounded(net, placed - cancelled),
        "average_unit_price": rounded(gross, units),
        "units_per_order": four(units, placed),
        "cancellation_rate": four(cancelled, placed),
        "return_rate": four(returned_units, units),
        "discount_rate": four(discount, gross),
    }


def rounded(numerator: int, denominator: int) -> int | None:
    """Return the quotient, rounded half up; None if the denominator is not above 0."""
    return int((Fraction(numerator, denominator) + Fraction(1, 2)).__floor__()) if denominator > 0 else None


def four(numerator: int, denominator: int) -> float | None:
    value = rounded(numerator * 10_000, denominator)
    return None if value is None else value / 10_000


METRICS = list(expected([]))


def answer(api: httpx.Client, metric: str, **parameters: Any) -> dict[str, Any]:
    path = f"/v1/sellers/{SELLER}/analytics/{metric}"
    return api.get(path, params={**PERIOD, **parameters}).raise_for_status().json()


@pytest.mark.parametrize("compare", ["previous", "year"])
def test_every_metric_is_what_its_definition_says(
    api: httpx.Client, orders: list[Order], compare: str
) -> None:
    now, before = (expected(lines_of(orders, month)) for month in ("now", compare))
    shown = answer(api, METRICS[0], **{"with": ",".join(METRICS[1:]), "compare": compare})
    found = {total["name"]: (total["value"], total["compared"]) for total in shown["totals"]}

    assert found == {name: (now[name], before[name]) for name in METRICS}


@pytest.mark.parametrize("grain", ["day", "week", "month"])
def test_a_series_has_the_values_of_each_bucket(api: httpx.Client, orders: list[Order], grain: str) -> None:
    shown = answer(api, "net_sales", **{"with": "orders,return_rate", "grain": grain, "compare": "none"})

    for bucket in shown["series"]:
        start, end = datetime.fromisoformat(bucket["start"]), datetime.fromisoformat(bucket["end"])
        here = expected(lines_of(orders, "now", lambda order, _: start <= order.at < end))  # noqa: B023
        assert bucket["values"] == {name: here[name] for name in ("net_sales", "orders", "return_rate")}
    assert sum(bucket["values"]["net_sales"] for bucket in shown["series"]) == shown["totals"][0]["value"]
    assert shown["totals"][0]["compared"] is None


KEYS: dict[str, Callable[[Order, Line], str]] = {
    "product": lambda _, line: line.product,
    "category": lambda _, line: CATEGORY[line.product],
    "weekday": lambda order, _: str(order.at.astimezone(SHOP).isoweekday()),
    "hour": lambda order, _: f"{order.at.astimezone(SHOP).hour:02}",
}


@pytest.mark.parametrize("by", KEYS)
def test_a_split_has_the_values_of_each_part(api: httpx.Client, orders: list[Order], by: str) -> None:
    names = ("net_sales", "orders", "average_order_value")
    shown = answer(api, "net_sales", **{"with": ",".join(names[1:]), "by": by, "top": 100})
    key = KEYS[by]
    parts = {key(order, line) for order, line in lines_of(orders, "now")}
    every = {"weekday": [f"{day}" for day in range(1, 8)], "hour": [f"{hour:02}" for hour in range(24)]}

    values = [part["value"] for part in shown["split"]]
    assert values == every[by] if by in every else set(values) == parts
    for part in shown["split"]:
        for month, values in (("now", part["values"]), ("previous", part["compared"])):
            lines = lines_of(orders, month, lambda order, line: key(order, line) == part["value"])  # noqa: B023
            assert values == {name: expected(lines)[name] for name in names}
    assert shown["rest"] is None
    if by in ("product", "category"):
        sales = [part["values"]["net_sales"] for part in shown["split"]]
        assert sales == sorted(sales, reverse=True)
    if by == "product":
        assert shown["split"][0]["label"] == f"A {shown['split'][0]['value']}"


def test_the_rest_of_a_split_adds_up_to_the_total(api: httpx.Client) -> None:
    shown = answer(api, "net_sales", **{"with": "orders", "by": "product", "top": 2})

    listed = sum(part["values"]["net_sales"] for part in shown["split"])
    assert len(shown["split"]) == 2
    assert shown["rest"]["count"] == len(PRODUCTS) - 2
    assert listed + shown["rest"]["values"]["net_sales"] == shown["totals"][0]["value"]
    assert shown["rest"]["values"]["orders"] is None, "an order with several products would count again"


def test_one_product_alone(api: httpx.Client, orders: list[Order]) -> None:
    product = PRODUCTS[1]
    lines = expected(lines_of(orders, "now", lambda _, line: line.product == product))

    shown = answer(api, "orders", **{"with": "net_sales,cancelled_orders", "product": product})

    assert {total["name"]: total["value"] for total in shown["totals"]} == {
        name: lines[name] for name in ("orders", "net_sales", "cancelled_orders")
    }


@pytest.mark.parametrize("metric", ["net_sales", "orders", "returns", "cancellation_rate"])
@pytest.mark.parametrize("product", [None, PRODUCTS[2]])
def test_the_rows_behind_a_metric_add_up_to_it(api: httpx.Client, metric: str, product: str | None) -> None:
    given = {"product": product} if product else {}
    total = answer(api, metric, **given)["totals"][0]["value"]
    path, rows, cursor = f"/v1/sellers/{SELLER}/analytics/{metric}/rows", [], None
    while True:
        page = {"cursor": cursor} if cursor else {}
        shown = api.get(path, params={**PERIOD, **given, **page, "limit": 97}).raise_for_status().json()
        rows += shown["rows"]
        cursor = shown["next_cursor"]
        if cursor is None:
            break

    assert len({(row["order_id"], row["kind"], row["line_number"]) for row in rows}) == len(rows)
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    value = sum(row["value"] for row in rows)
    if metric == "cancellation_rate":
        assert four(value, sum(row["denominator"] for row in rows)) == total
    else:
        assert value == total
        assert {row["denominator"] for row in rows} == {None}
    assert shown["value_unit"] == ("money" if metric in ("net_sales", "returns") else "count")


@pytest.mark.parametrize("by", [None, "product"])
def test_the_csv_says_what_the_json_says(api: httpx.Client, by: str | None) -> None:
    asked: dict[str, Any] = {"with": "units,return_rate", "top": 3} | ({"by": by} if by else {})
    shown = answer(api, "net_sales", **asked)
    path = f"/v1/sellers/{SELLER}/analytics/net_sales"
    text = api.get(path, params={**PERIOD, **asked}, headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(StringIO(text)))

    parts = [*shown["split"], shown["rest"]] if by else shown["series"]
    assert len(rows) == len(parts)
    for row, part in zip(rows, parts, strict=True):
        values = metric_cells(part["values"])
        assert {name: row[name] for name in values} == values
        assert row["currency"] == "BRL"


def test_metrics_agree_with_the_sales_of_the_same_period(api: httpx.Client, orders: list[Order]) -> None:
    assert orders
    sales = api.get(f"/v1/sellers/{SELLER}/sales", params=PERIOD).raise_for_status().json()
    names = {
        "gross_sales": "gross_minor", "discounts": "discount_minor", "net_sales": "revenue_minor",
        "shipping": "shipping_minor", "orders": "orders", "units": "units",
        "average_order_value": "average_order_minor",
    }  # fmt: skip
    shown = answer(api, "gross_sales", **{"with": ",".join(list(names)[1:])})

    for total in shown["totals"]:
        assert total["value"] == sales["totals"][names[total["name"]]]
        assert total["compared"] == sales["compared"]["totals"][names[total["name"]]]


def test_the_catalogue_lists_every_metric_and_explains_it(api: httpx.Client) -> None:
    listed = api.get("/v1/analytics/metrics").raise_for_status().json()["metrics"]
    assert {metric["name"] for metric in listed if metric["domain"] == "sales"} == set(METRICS)
    assert [metric["name"] for metric in listed] == list(read_every_metric())
    explained = api.get("/v1/analytics/metrics/net_sales").raise_for_status().json()

    assert explained["definition"].startswith("What confirmed orders are worth")
    assert "FROM sales_lines" in explained["sql"]
    assert (explained["source"], explained["tables"]) == ("sales_lines", ["sales_lines"])
    assert explained["version"] == answer(api, "net_sales")["totals"][0]["version"]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "says"),
    [
        ("turnover", {}, 404, "There is no metric 'turnover'"),
        ("net_sales", {"with": "turnover"}, 404, "There is no metric 'turnover'"),
        ("net_sales", {"with": "net_sales"}, 422, "each metric once"),
        ("net_sales", {"by": "colour"}, 422, "can't be split by 'colour'. Choose one of: product"),
        ("net_sales", {"by": "COLOUR"}, 422, "by"),
        ("net_sales", {"grain": "second"}, 422, "grain"),
        ("net_sales", {"grain": "hour", "from": "2001-01-01"}, 422, "Request grain=week"),
        ("net_sales", {"top": 101}, 422, "top"),
        ("net_sales", {"compare": "decade"}, 422, "compare"),
        ("net_sales/rows", {"cursor": "nonsense"}, 422, "next_cursor"),
        ("net_sales/rows", {"limit": 501}, 422, "limit"),
    ],
)
def test_a_request_that_can_t_be_answered_says_what_to_change(
    api: httpx.Client, path: str, parameters: dict[str, Any], status: int, says: str
) -> None:
    shown = api.get(f"/v1/sellers/{SELLER}/analytics/{path}", params={**PERIOD, **parameters})

    assert shown.status_code == status
    assert says in shown.json()["detail"]


def test_a_seller_who_is_not_there_is_a_404(api: httpx.Client) -> None:
    for path in ("net_sales", "net_sales/rows"):
        shown = api.get(f"/v1/sellers/nobody-at-all/analytics/{path}", params=PERIOD)
        assert shown.status_code == 404
        assert "No seller has the id" in shown.json()["detail"]


@pytest.mark.browser
@pytest.mark.usefixtures("orders")
def test_the_page_shows_what_the_api_says_and_leads_to_the_lines(page: Page, api: httpx.Client) -> None:
    page.goto(f"/sell/{SELLER}/metrics?period=all&compare=year")
    file = page.get_by_role("link", name="CSV").get_attribute("href") or ""
    period = {name: values[0] for name, values in parse_qs(urlsplit(file).query).items()}
    bounds = {name: period[name] for name in ("from", "to")}
    shown = answer(api, "net_sales", **bounds, by="product", top=100, compare="year")
    net_sales = money(shown["totals"][0]["value"])

    expect(page.get_by_role("row", name="Net sales")).to_contain_text(net_sales)
    expect(page.locator(".bars li")).to_have_count(len(PRODUCTS))
    expect(page.locator(".bars li").first).to_contain_text(money(shown["split"][0]["values"]["net_sales"]))
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with download.value.path().open() as text:
        rows = list(csv.DictReader(text))
    assert [row["net_sales"] for row in rows] == [
        metric_cells(part["values"])["net_sales"] for part in shown["split"]
    ]

    for link in ("Parquet", "All rows as Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=link, exact=True).click()
        assert pq.read_metadata(download.value.path()).num_rows > 0

    page.get_by_role("link", name="Cancellations").click()
    expect(page.get_by_role("heading", name="Cancellations")).to_be_visible()
    expect(page.locator(".metric-lines li").first).to_contain_text("Cancelled")
    first = page.locator(".metric-lines li").first.inner_text()
    page.get_by_role("link", name="Older rows").click()
    expect(page.locator(".metric-lines li").first).not_to_have_text(first)
    page.get_by_role("link", name="Weekday").click()
    expect(page.locator(".bars li").first).to_contain_text("Monday")
    expect(page.get_by_role("heading", name="Cancellations")).to_be_visible()


@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.usefixtures("orders")
def test_the_page_fits_every_width(page: Page) -> None:
    for seller in (SELLER, "new"):
        page.goto(f"/sell/{seller}/metrics?period=all&metric=average_order_value")
        for theme, width in layouts(page):
            assert scroll_width(page) <= width, (seller, theme)


def money(minor: int) -> str:
    return f"R${minor / 100:,.2f}"
