"""Why sales changed: the parts of the difference, and that they add up to it."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import httpx
import pytest

from common.settings import Settings
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask, put

SELLER = "change-seller"
FEBRUARY, MARCH = "2017-02-10 12:00:00", "2017-03-10 12:00:00"
PERIOD = {"from": "2017-03-01", "to": "2017-04-01"}
COLUMNS = (
    *("seller_id", "minute", "order_id", "kind", "line_number", "product_id", "currency", "return_id"),
    *("orders", "units", "gross_minor", "discount_minor"),
    *("cancelled_gross_minor", "cancelled_discount_minor", "returned_minor", "revenue_minor"),
)
SALES = [
    # product, minute, units, gross, discount
    ("change-lamp", FEBRUARY, 10, 1_000, 0),
    ("change-lamp", MARCH, 20, 4_000, 300),
    ("change-sofa", FEBRUARY, 1, 9_000, 0),
    ("change-vase", MARCH, 3, 600, 0),
    ("change-rug", MARCH, 2, 500, 0),
    ("change-rug", "2016-12-24 12:00:00", 1, 250, 0),  # before both periods
    ("change-bowl", FEBRUARY, 1, 700, 0),
    ("change-relisted", FEBRUARY, 1, 90, 0),
]


def row(product: str, minute: str, number: int, kind: str, **figures: int) -> list[Any]:
    place = dict(
        zip(COLUMNS, (SELLER, minute, f"{product} {minute}", kind, number, product, "BRL", ""), strict=False)
    )
    return [(place | figures).get(column, 0) for column in COLUMNS]


@pytest.fixture(scope="module")
def sold(shop: Settings) -> Iterator[None]:
    """Sales of two months. In March, the rug was cancelled, and a vase was returned for 150."""
    rows = [
        row(
            product, minute, 1, "sold",
            orders=1, units=units, gross_minor=gross, discount_minor=discount, revenue_minor=gross - discount,
        )
        for product, minute, units, gross, discount in SALES
    ]  # fmt: skip
    rows.append(row("change-rug", MARCH, 1, "cancelled", cancelled_gross_minor=500, revenue_minor=-500))
    rows.append(row("change-vase", MARCH, 1, "returned", returned_minor=150, revenue_minor=-150))
    put(shop, "sales_lines", COLUMNS, rows)
    listing = ("event_id", "occurred_at", "product_id", "seller_id", "category", "name")
    put(
        shop,
        "product_listed",
        listing,
        [
            ["change-1", "2017-01-01 00:00:00.000", "change-lamp", SELLER, "light", "A lamp"],
            ["change-2", "2017-01-01 00:00:00.000", "change-vase", SELLER, "home", "A vase"],
            ["change-3", "2017-01-02 00:00:00.000", "change-sofa", SELLER, "home", "A sofa"],
            ["change-4", "2017-01-02 00:00:00.000", "change-bowl", SELLER, "home", "A bowl"],
            ["change-5", "2017-03-02 00:00:00.000", "change-relisted", SELLER, "home", "A tray"],
        ],
    )
    put(
        shop,
        "product_delisted",
        ("event_id", "occurred_at", "product_id", "seller_id"),
        [
            ["change-6", "2017-02-20 00:00:00.000", "change-sofa", SELLER],
            ["change-7", "2017-02-21 00:00:00.000", "change-relisted", SELLER],
            ["change-8", "2017-05-01 00:00:00.000", "change-bowl", SELLER],  # after the period
            ["change-9", "2017-02-22 00:00:00.000", "change-sofa", "another-seller"],
        ],
    )
    yield
    ask(shop, f"ALTER TABLE {writable(shop, 'sales_lines')} DELETE WHERE seller_id = '{SELLER}'")
    for listings in ("product_listed", "product_delisted"):
        ask(shop, f"ALTER TABLE {writable(shop, listings)} DELETE WHERE seller_id = '{SELLER}'")


@pytest.fixture
def why(sold: None, api: httpx.Client) -> dict[str, Any]:  # noqa: ARG001 (the sales)
    answer = api.get(f"/v1/sellers/{SELLER}/sales/change", params=PERIOD)
    assert answer.is_success, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_the_effects_name_what_changed_and_add_up(why: dict[str, Any]) -> None:
    assert why["net_sales"] == {"value": 4_150, "compared": 10_790, "difference": -6_640}
    assert why["effects"] == {
        "new": 600,  # the vase: its first sale ever
        "gone": -9_000,  # the sofa: delisted
        "only_now": 500,  # the rug: sold at Christmas, too
        "only_before": -790,  # the bowl and the tray: on offer at the end of March
        # The lamp, by Bennet: 15 units × 100 more each; 10 more units × a mean price of 150. It is the only
        # product that was sold in both months, so no units moved to another one.
        "price": 1_500,
        "quantity": 1_500,
        "mix": 0,
        "discounts": -300,
        "cancellations": -500,
        "returns": -150,
    }
    assert sum(why["effects"].values()) == -6_640


def test_factors_add_up_to_the_difference_of_gross_sales(why: dict[str, Any]) -> None:
    assert why["gross_sales"]["difference"] == -5_690
    assert [factor["name"] for factor in why["factors"]] == [
        "orders",
        "units_per_order",
        "average_unit_price",
    ]
    assert [(factor["compared"], factor["value"]) for factor in why["factors"][:1]] == [(4, 3)]
    assert sum(factor["effect"] for factor in why["factors"]) == -5_690


def test_products_and_categories_with_the_largest_differences_come_first(why: dict[str, Any]) -> None:
    assert [(part["label"], part["difference"]) for part in why["products"]] == [
        ("A sofa", -9_000),
        ("A lamp", 2_700),
        ("A bowl", -700),
        ("A vase", 450),
        ("A tray", -90),
        (None, 0),
    ]
    assert [(part["id"], part["difference"]) for part in why["categories"]] == [
        ("home", -9_340),
        ("light", 2_700),
        ("", 0),
    ]
    for part in (*why["products"], *why["categories"]):
        assert sum(part["effects"].values()) == part["difference"]


@pytest.mark.usefixtures("sold")
def test_what_is_not_listed_is_one_part(api: httpx.Client) -> None:
    path = f"/v1/sellers/{SELLER}/sales/change"
    shown = api.get(path, params=PERIOD | {"top": 1}).json()
    table = api.get(path, params=PERIOD | {"top": 1}, headers={"Accept": "text/csv"}).text

    assert shown["other_products"]["count"] == 5
    assert shown["other_products"]["difference"] == 2_360
    rows = list(csv.DictReader(StringIO(table)))
    assert [(row["label"], row["difference"], row["currency"]) for row in rows] == [
        ("A sofa", "-90.00", "BRL"),
        ("5 others", "23.60", "BRL"),
    ]


@pytest.mark.usefixtures("sold")
def test_without_sales_before_everything_is_new(api: httpx.Client) -> None:
    shown = api.get(f"/v1/sellers/{SELLER}/sales/change", params=PERIOD | {"compare": "year"}).json()

    assert shown["net_sales"]["compared"] == 0
    assert shown["effects"]["new"] == 5_100  # the rug, too: its first sale is after the compared period
    assert shown["factors"] is None
    assert sum(shown["effects"].values()) == shown["net_sales"]["difference"]


def test_an_unknown_seller_or_comparison_is_refused(api: httpx.Client) -> None:
    assert api.get("/v1/sellers/nobody/sales/change").status_code == 404
    assert api.get("/v1/sellers/ana/sales/change", params={"compare": "none"}).status_code == 422


@pytest.mark.usefixtures("sold")
def test_the_page_names_what_changed(api: httpx.Client) -> None:
    page = api.get(f"/sell/{SELLER}/change", params={"period": "30d"}, headers={"Accept": "text/html"})

    assert page.is_success
    # Of the 30 days up to March 10, against the 30 before: nothing was sold from January 10 to February 8.
    words = " ".join(re.sub("<[^>]+>", " ", page.text).split())
    assert "R$149.40 +R$149.40 from R$0.00" in words
    assert "Cancellations Orders that were cancelled after they were confirmed −R$5.00" in words
    assert "A vase R$0.00 → R$4.50 · new +R$4.50" in words
