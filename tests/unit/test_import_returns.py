"""Which earlier sale a return takes back, and which returns can't be matched."""

from pathlib import Path
from typing import Any

import pytest

from producers.importer.dataset import Conversion
from tests.imports import MAPPING, convert, records, row, unused, used, write_table

DAY_1, DAY_2, DAY_3, DAY_4 = (f"2024-03-0{day} 10:00" for day in range(1, 5))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def returned(conversion: Conversion) -> list[tuple[str, int, int]]:
    """Order, units and refund of each returned line."""
    return [
        (each["order_id"], line["quantity"], line["refund_minor"])
        for each in records(conversion, "order_returned")
        for line in each["lines"]
    ]


def sale(
    order: str, quantity: int = 1, price: str = "2.50", date: str = DAY_1, **others: Any
) -> dict[str, Any]:
    return row(order, "A", quantity, price, Date=date, **others)


def test_the_latest_earlier_sale_of_the_shopper_is_taken_back(shop: Path) -> None:
    rows = [sale("1"), sale("2", date=DAY_2), sale("3", date=DAY_4), sale("9", -1, date=DAY_3)]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop)

    assert returned(conversion) == [("2", 1, 250)]
    assert used(conversion)["return of an earlier sale"] == 1
    (event,) = records(conversion, "order_returned")
    (refund,) = records(conversion, "payment_refunded")
    assert event["return_id"] == refund["return_id"] == "2-return-1"
    assert (refund["payment_id"], refund["amount_minor"], refund["seller_id"]) == ("2-payment", 250, "acme")
    assert event["occurred_at"] == refund["occurred_at"] > event["placed_at"] == refund["placed_at"]


def test_a_sale_for_the_same_price_comes_before_a_later_one(shop: Path) -> None:
    rows = [sale("1", price="2.00"), sale("2", date=DAY_2), sale("9", -1, "2.00", DAY_3)]
    write_table(shop / "sales.csv", rows)

    assert returned(convert(shop)) == [("1", 1, 200)]


def test_a_line_of_the_same_order_comes_first_also_for_a_guest(shop: Path) -> None:
    rows = [sale("1", Customer=""), sale("2", date=DAY_2), sale("1", -1, date=DAY_3, Customer="")]
    write_table(shop / "sales.csv", rows)

    assert returned(convert(shop)) == [("1", 1, 250)]


def test_units_of_several_orders_are_one_return_of_each(shop: Path) -> None:
    rows = [sale("1", 2), sale("2", 2, date=DAY_2), sale("9", -3, date=DAY_3), sale("10", -1, date=DAY_4)]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop)

    assert returned(conversion) == [("1", 1, 250), ("2", 2, 500), ("1", 1, 250)]
    assert [each["return_id"] for each in records(conversion, "order_returned")] == [
        "1-return-1", "2-return-1", "1-return-2",
    ]  # fmt: skip


def test_rows_of_one_document_are_one_return(shop: Path) -> None:
    rows = [sale("1", 3), row("1", "B", Date=DAY_1), sale("9", -1, date=DAY_2), sale("9", -2, date=DAY_2),
            row("9", "B", -1, Date=DAY_2)]  # fmt: skip
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop)

    (event,) = records(conversion, "order_returned")
    assert [(line["line_number"], line["quantity"]) for line in event["lines"]] == [(1, 3), (2, 1)]
    assert records(conversion, "payment_refunded")[0]["amount_minor"] == 1000


def test_orders_with_the_prefix_take_back_whatever_the_sign_of_their_quantity(shop: Path) -> None:
    rows = [sale("1", 2), sale("C2", -1, date=DAY_2), sale("C3", 1, date=DAY_3)]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "returns: {order_prefix: C}\n")

    assert returned(conversion) == [("1", 1, 250), ("1", 1, 250)]
    assert [each["order_id"] for each in records(conversion, "order_placed")] == ["1"]


def test_the_discount_of_a_return_lowers_its_refund(shop: Path) -> None:
    rows = [sale("1", 2, Off="1.00"), sale("9", -1, date=DAY_2, Off="-0.50")]
    write_table(shop / "sales.csv", rows)

    assert returned(convert(shop, MAPPING + "discount: Off\n")) == [("1", 1, 200)]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [sale("9", -1, date=DAY_2, Customer="bia")],
            "returns a product that this shopper did not buy before",
        ),
        ([row("9", "B", -1, Date=DAY_2)], "returns a product that this shopper did not buy before"),
        ([sale("9", -1, date="2024-02-28")], "returns more units than this shopper bought before"),
        ([sale("9", -3, date=DAY_2)], "returns more units than this shopper bought before"),
        ([sale("9", -1, "2.51", DAY_2)], "returns for more than what was paid"),
        (
            [sale("9", -1, date=DAY_2, Customer="")],
            "returns a product, but no shopper says whose order it was",
        ),
        ([sale("9", -1, date="")], "the time is empty"),
    ],
)
def test_a_return_that_can_not_be_matched_is_not_used(
    shop: Path, rows: list[dict[str, Any]], reason: str
) -> None:
    write_table(shop / "sales.csv", [sale("1"), *rows])

    conversion = convert(shop)

    assert unused(conversion) == {reason: 1}
    assert returned(conversion) == []


def test_a_cancelled_order_can_not_be_returned(shop: Path) -> None:
    rows = [sale("1", Status="void"), sale("9", -1, date=DAY_2, Status="")]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "status: {column: Status, cancelled: void}\n")

    assert unused(conversion) == {"returns a product that this shopper did not buy before": 1}


def test_quantities_below_0_are_mistakes_if_the_mapping_says_so(shop: Path) -> None:
    write_table(shop / "sales.csv", [sale("1"), sale("9", -1, date=DAY_2)])

    conversion = convert(shop, MAPPING + "returns: {negative_quantity: false}\n")

    assert unused(conversion) == {"the quantity is below 0": 1}


def test_shipping_is_not_taken_back(shop: Path) -> None:
    rows = [sale("1"), row("1", "POST", Date=DAY_1), row("9", "POST", -1, Date=DAY_2)]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "shipping_products: POST\n")

    assert unused(conversion) == {"takes shipping back, which no return of goods does": 1}
