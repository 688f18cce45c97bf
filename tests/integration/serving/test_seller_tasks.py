"""What a seller has to do: the orders to ship, and the products that sell out soon."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from common.settings import Settings
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask, put

SELLER, OTHER = "task-seller", "task-other"
LINE = ("seller_id", "placed_at", "order_id", "line_number", "product_id", "quantity", "currency")
STATE = ("order_id", "status", "placed_at", "confirmed_at", "cancelled_at", "shipped_by", "delivered_by")
SALE = (
    "seller_id",
    "minute",
    "order_id",
    "kind",
    "line_number",
    "product_id",
    "currency",
    "units",
    "return_id",
)
STOCK = ("event_id", "occurred_at", "product_id", "seller_id", "on_hand", "reserved", "version")
JANUARY, FEBRUARY = "2018-01-20 10:00:00.000", "2018-02-10 10:00:00.000"
TABLES = ("order_lines", "order_state", "sales_lines", "stock_changed", "product_delisted", "product_listed")
TABLES += ("stock_levels", "offer_changes")
OFFER = ("event_id", "occurred_at", "product_id", "seller_id")


@pytest.fixture(scope="module")
def busy(shop: Settings) -> Iterator[None]:
    """A seller with orders in every state, and products of which more or less is left."""
    lines = [
        [SELLER, FEBRUARY, "task-new", 1, "task-lamp", 2, "BRL"],
        [SELLER, FEBRUARY, "task-new", 2, "task-rug", 1, "BRL"],
        [SELLER, JANUARY, "task-old", 1, "task-lamp", 1, "BRL"],
        [OTHER, JANUARY, "task-old", 2, "task-vase", 4, "BRL"],
        [SELLER, JANUARY, "task-shipped", 1, "task-lamp", 1, "BRL"],
        [SELLER, JANUARY, "task-unpaid", 1, "task-lamp", 1, "BRL"],
        [SELLER, JANUARY, "task-cancelled", 1, "task-lamp", 1, "BRL"],
    ]
    shipped = {OTHER: FEBRUARY}
    states = [
        ["task-new", "confirmed", FEBRUARY, "2018-02-10 11:00:00.000", None, {}, {}],
        ["task-old", "shipped", JANUARY, "2018-01-20 11:00:00.000", None, shipped, {}],
        ["task-shipped", "shipped", JANUARY, "2018-01-20 11:00:00.000", None, {SELLER: FEBRUARY}, {}],
        ["task-unpaid", "placed", JANUARY, None, None, {}, {}],
        ["task-cancelled", "cancelled", JANUARY, "2018-01-20 11:00:00.000", FEBRUARY, {}, {}],
    ]
    put(shop, "order_lines", LINE, lines)
    put(shop, "order_state", STATE, states)
    units = {"task-lamp": 56, "task-rug": 14, "task-vase": 28, "task-pot": 1, "task-gone": 9}
    sales = [
        [SELLER, "2018-02-10 10:00:00", f"of-{product}", "sold", 1, product, "BRL", sold, ""]
        for product, sold in units.items()
    ]
    sales.append([OTHER, "2018-01-20 10:00:00", "task-old", "sold", 2, "task-vase", "BRL", 4, ""])
    put(shop, "sales_lines", SALE, sales)
    stock = [
        ("task-lamp", 9, 4, 2),
        ("task-lamp", 99, 0, 1),  # an older one, which arrives later
        ("task-rug", 3, 3, 1),
        ("task-vase", 500, 0, 1),
        ("task-gone", 0, 0, 1),
    ]
    put(
        shop,
        "product_delisted",
        OFFER,
        [
            ["task-delisted-1", FEBRUARY, "task-gone", SELLER],
            ["task-delisted-2", JANUARY, "task-lamp", SELLER],  # and offered again later
            ["task-delisted-3", FEBRUARY, "task-rug", OTHER],
        ],
    )
    put(shop, "product_listed", OFFER, [["task-listed-1", FEBRUARY, "task-lamp", SELLER]])
    put(
        shop,
        "stock_changed",
        STOCK,
        [[f"{p}-{v}", FEBRUARY, p, SELLER, hand, reserved, v] for p, hand, reserved, v in stock],
    )
    yield
    for table in TABLES:
        key = "order_id LIKE 'task-%'" if table == "order_state" else f"seller_id IN ('{SELLER}', '{OTHER}')"
        ask(shop, f"ALTER TABLE {writable(shop, table)} DELETE WHERE {key}")


@pytest.fixture
def tasks(busy: None, api: httpx.Client) -> dict[str, Any]:  # noqa: ARG001 (the orders)
    answer = api.get(f"/v1/sellers/{SELLER}/tasks")
    assert answer.is_success, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_confirmed_orders_without_a_parcel_of_the_seller_are_to_be_shipped(tasks: dict[str, Any]) -> None:
    to_ship = tasks["to_ship"]

    assert (to_ship["orders"], to_ship["units"]) == (2, 4)
    assert [order["order_id"] for order in to_ship["longest_waiting"]] == ["task-old", "task-new"]
    assert [(line["product_id"], line["quantity"]) for line in to_ship["longest_waiting"][1]["lines"]] == [
        ("task-lamp", 2),
        ("task-rug", 1),
    ]


@pytest.mark.usefixtures("busy")
def test_the_other_seller_of_an_order_has_no_task(api: httpx.Client) -> None:
    assert api.get(f"/v1/sellers/{OTHER}/tasks").json()["to_ship"]["orders"] == 0


def test_products_that_sell_out_first_come_first(tasks: dict[str, Any]) -> None:
    assert [
        (each["product_id"], each["available"], each["units_sold"], each["days_of_supply"])
        for each in tasks["to_reorder"]["products"]
    ] == [("task-rug", 0, 14, 0.0), ("task-lamp", 5, 56, 2.5)]


@pytest.mark.usefixtures("busy")
def test_the_first_of_a_list_come_with_the_number_of_all(api: httpx.Client) -> None:
    to_ship = api.get(f"/v1/sellers/{SELLER}/tasks", params={"limit": 1}).json()["to_ship"]

    assert (to_ship["orders"], len(to_ship["longest_waiting"])) == (2, 1)


def test_a_seller_who_never_was_has_no_tasks(api: httpx.Client) -> None:
    assert api.get("/v1/sellers/nobody/tasks").status_code == 404


@pytest.mark.usefixtures("busy")
def test_the_page_lists_them(api: httpx.Client) -> None:
    part = api.get(f"/sell/{SELLER}/tasks", headers={"Accept": "text/html"}).text

    words = " ".join(re.sub("<[^>]+>", " ", part).split())
    assert "To ship 2 orders, longest waiting first" in words
    assert "5 left, 56 sold 2.5 days" in words
    assert "0 left, 14 sold sold out" in words
