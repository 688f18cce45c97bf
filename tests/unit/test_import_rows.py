"""Each rule about a row of an import, in a table of a few rows."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from common.errors import UserError
from producers.importer.mapped import orders
from producers.importer.mapped.cells import NO_ID
from tests.imports import (
    HEADER,
    MAPPING,
    convert,
    records,
    rejected,
    row,
    unused,
    used,
    write_raw,
    write_table,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def with_order(otherwise: str) -> str:
    return MAPPING.replace("order: Invoice", f"order: {{column: Invoice, otherwise: {otherwise}}}")


def test_rows_of_an_order_become_its_lines_its_payment_and_its_confirmation(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(quantity=2), row(sku="B", price="1.05"), row("2", Customer="bia")])

    conversion = convert(shop)

    placed = records(conversion, "order_placed")
    assert [order["order_id"] for order in placed] == ["1", "2"]
    assert [(line["line_number"], line["product_id"], line["quantity"], line["unit_price_minor"])
            for line in placed[0]["lines"]] == [(1, "A", 2, 250), (2, "B", 1, 105)]  # fmt: skip
    assert [each["amount_minor"] for each in records(conversion, "payment_captured")] == [605, 250]
    assert [each["lines"] for each in records(conversion, "order_confirmed")] == [
        each["lines"] for each in placed
    ]
    assert [each["shopper_id"] for each in records(conversion, "shopper_registered")] == ["ana", "bia"]
    assert [each["country"] for each in records(conversion, "shopper_registered")] == ["DE", "DE"]
    (seller,) = records(conversion, "seller_registered")
    assert (seller["seller_id"], seller["name"]) == ("acme", "Acme")
    listed = records(conversion, "product_listed")
    assert [(each["product_id"], each["name"], each["price_minor"]) for each in listed] == [
        ("A", "Item A", 250), ("B", "Item B", 105),
    ]  # fmt: skip
    assert used(conversion) == {"sale": 3}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"sku": ""}, "the product is empty"),
        ({"sku": "a\x01b"}, f"the product {NO_ID}"),
        ({"order": "NULL"}, "the order is empty"),
        ({"quantity": ""}, "the quantity is empty"),
        ({"quantity": "two"}, "the quantity is not a whole number"),
        ({"quantity": "1.5"}, "the quantity is not a whole number"),
        ({"quantity": "0"}, "the quantity is 0"),
        ({"quantity": "1000001"}, "the quantity is above 1,000,000"),
        ({"price": ""}, "the price is empty"),
        ({"price": "1.50 each"}, "the price is not a number"),
        ({"price": "1,50"}, "the price is not a number"),
        ({"price": "0.00"}, "the price is 0"),
        ({"price": "-1"}, "the price is below 0"),
        ({"price": "1.005"}, "the price has a fraction of the smallest coin"),
        ({"price": "100000000.01"}, "the price is too high"),
        ({"Date": "yesterday"}, "the time is not written as iso"),
        ({"Date": "0019-03-05"}, "the time is before 1970"),
        ({"Date": "2999-03-05"}, "the time is in the future"),
        ({"Date": "", "order": "9"}, "the time is empty"),
    ],
)
def test_a_row_that_can_not_be_used_is_listed_with_its_line_and_the_reason(
    shop: Path, bad: dict[str, object], reason: str
) -> None:
    write_table(shop / "sales.csv", [row(), row(**({"order": "2"} | bad)), row("3")])

    conversion = convert(shop)

    assert unused(conversion) == {reason: 1}
    assert rejected(shop) == [(3, reason)]
    assert used(conversion) == {"sale": 2}


def test_exact_copies_are_not_used_unless_the_mapping_keeps_them(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(), row(), row(Title="Another title")])

    assert unused(convert(shop)) == {"is an exact copy of an earlier row": 1}
    assert used(convert(shop, MAPPING + "duplicates: keep\n")) == {"sale": 3}


def test_a_repeated_line_number_of_an_order_is_not_used(shop: Path) -> None:
    rows = [row(Line="1"), row(sku="B", Line="1"), row("2", sku="B", Line="1")]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "line: Line\n")

    assert unused(conversion) == {"repeats the order and the line of an earlier row": 1}


def test_a_row_with_more_or_fewer_cells_is_not_used_but_a_last_delimiter_is_harmless(shop: Path) -> None:
    good = list(row().values())
    header = list(row())
    write_raw(shop / "sales.csv", header, [good, good[:-1], [*good, "x"], [*good, ""], ["9", *good[1:], ""]])

    conversion = convert(shop)

    assert unused(conversion) == {
        "has more or fewer cells than the 8 columns": 2,
        "is an exact copy of an earlier row": 1,
    }
    assert used(conversion) == {"sale": 2}


def test_lines_without_an_order_id_are_orders_of_their_own_or_of_a_shopper_and_a_time(shop: Path) -> None:
    rows = [row("", "A"), row("", "B"), row("", "C", Customer=""), row("", "D", Date="2024-03-06")]
    write_table(shop / "sales.csv", rows)

    by_row = records(convert(shop, with_order("row")), "order_placed")
    by_time = records(convert(shop, with_order("shopper_and_time")), "order_placed")

    assert len({order["order_id"] for order in by_row}) == 4
    assert {order["order_id"]: len(order["lines"]) for order in by_time if order["shopper_id"] == "ana"} == {
        "ana-20240305100000": 2,
        "ana-20240306000000": 1,
    }
    assert sum(order["shopper_id"].startswith("guest-row-") for order in by_time) == 1


def test_kept_copies_without_an_order_id_are_orders_of_their_own(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(""), row("")])

    placed = records(convert(shop, with_order("row") + "duplicates: keep\n"), "order_placed")

    assert len({order["order_id"] for order in placed}) == 2


def test_an_order_without_a_shopper_is_that_of_a_guest_who_is_not_registered(shop: Path) -> None:
    write_table(
        shop / "sales.csv", [row(Customer=""), row("2", Customer="nan"), row("3", Customer="17850.0")]
    )

    conversion = convert(shop)

    assert [each["shopper_id"] for each in records(conversion, "order_placed")] == [
        "guest-1", "guest-2", "17850",
    ]  # fmt: skip
    assert [each["shopper_id"] for each in records(conversion, "shopper_registered")] == ["17850"]


def test_fields_that_only_the_first_row_of_an_order_has_count_for_all_its_rows(shop: Path) -> None:
    first = row(price="0", Status="Cancelled", Ship="5.00")
    more = {"Customer": "", "Date": "", "Status": "", "Ship": ""}
    write_table(shop / "sales.csv", [first, row(sku="B", **more), row(sku="C", **more)])

    conversion = convert(
        shop,
        MAPPING + "status: {column: Status, cancelled: [cancelled]}\nshipping: {column: Ship, of: order}\n",
    )

    (order,) = records(conversion, "order_cancelled")
    assert order["shopper_id"] == "ana"
    assert [line["shipping_minor"] for line in order["lines"]] == [250, 250]
    assert unused(conversion) == {"the price is 0": 1}
    assert used(conversion) == {"sale of a cancelled order": 2}


def test_a_status_cancels_leaves_unpaid_or_takes_back(shop: Path) -> None:
    rows = [row(str(n), Status=status) for n, status in enumerate(["paid", "VOID", "pending", "refunded"])]
    write_table(shop / "sales.csv", [*rows, row("0", "B", Status="void")])

    conversion = convert(
        shop, MAPPING + "status: {column: Status, cancelled: void, unpaid: pending, returned: refunded}\n"
    )

    assert used(conversion) == {
        "sale": 1, "sale of a cancelled order": 1, "sale of an unpaid order": 1, "sale that was returned": 1,
    }  # fmt: skip
    assert unused(conversion) == {"the line is cancelled, other lines of its order are not": 1}
    assert len(records(conversion, "order_placed")) == 4
    assert [each["order_id"] for each in records(conversion, "order_confirmed")] == ["0", "3"]
    assert [each["order_id"] for each in records(conversion, "order_cancelled")] == ["1"]
    (refund,) = records(conversion, "payment_refunded")
    assert (refund["order_id"], refund["amount_minor"]) == ("3", 250)


def test_a_time_of_cancellation_cancels_the_order_then(shop: Path) -> None:
    rows = [row(Ended="2024-03-09 08:00"), row(sku="B", Ended=""), row("2", Ended="")]
    write_table(shop / "sales.csv", rows)

    (cancelled,) = records(convert(shop, MAPPING + "cancelled_at: Ended\n"), "order_cancelled")

    assert (cancelled["order_id"], len(cancelled["lines"])) == ("1", 2)
    assert cancelled["occurred_at"] - cancelled["placed_at"] == (4 * 24 - 2) * 3_600_000


def test_amounts_of_an_order_are_divided_among_its_lines_to_the_last_coin(shop: Path) -> None:
    extras = {"Ship": "1.00", "Off": "-0.10", "Vat": "0.05"}
    rows = [
        row(sku=sku, price=price, **extras) for sku, price in (("A", "1.00"), ("B", "1.00"), ("C", "1.01"))
    ]
    write_table(shop / "sales.csv", rows)

    conversion = convert(
        shop,
        MAPPING
        + "shipping: {column: Ship, of: order}\ndiscount: {column: Off, of: order, negative: true}\n"
        + "tax: {column: Vat, of: line}\n",
    )

    (order,) = records(conversion, "order_placed")
    assert sum(line["shipping_minor"] for line in order["lines"]) == 100
    assert sum(line["discount_minor"] for line in order["lines"]) == 10
    assert [line["tax_minor"] for line in order["lines"]] == [5, 5, 5]
    assert records(conversion, "payment_captured")[0]["amount_minor"] == 301 + 100 - 10 + 15


def test_a_total_that_is_no_multiple_of_the_quantity_is_two_lines(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(quantity=3, price="10.00", Off="9.00")])

    conversion = convert(
        shop, MAPPING.replace("price: Price", "price: {column: Price, of: line}") + "discount: Off\n"
    )

    (order,) = records(conversion, "order_placed")
    assert [(line["quantity"], line["unit_price_minor"]) for line in order["lines"]] == [(2, 333), (1, 334)]
    assert sum(line["discount_minor"] for line in order["lines"]) == 900
    assert all(
        line["discount_minor"] <= line["quantity"] * line["unit_price_minor"] for line in order["lines"]
    )


def test_prices_with_fractions_of_a_coin_count_if_the_line_is_exact_or_rounded(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(quantity=8, price="0.125"), row("2", price="0.125")])

    exact = convert(shop)
    rounded = convert(shop, MAPPING.replace("price: Price", "price: {column: Price, round: true}"))

    assert unused(exact) == {"the price has a fraction of the smallest coin": 1}
    assert [each["amount_minor"] for each in records(exact, "payment_captured")] == [100]
    assert [each["amount_minor"] for each in records(rounded, "payment_captured")] == [100, 13]


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("9", "the discount is above the price"), ("-1", "the discount is below 0"),
     ("x", "the discount is not a number")],
)  # fmt: skip
def test_a_discount_that_can_not_be_is_a_reason(shop: Path, amount: str, reason: str) -> None:
    write_table(shop / "sales.csv", [row(Off=amount), row("2", Off="")])

    assert unused(convert(shop, MAPPING + "discount: Off\n")) == {reason: 1}


def test_a_discount_above_the_whole_order_takes_its_rows_out(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(Off="6"), row(sku="B", Off="6"), row("2", Off="2.50")])

    conversion = convert(shop, MAPPING + "discount: {column: Off, of: order}\n")

    assert unused(conversion) == {"the discount of the order is above its lines": 2}
    assert records(conversion, "payment_captured")[0]["amount_minor"] == 0


def test_lines_that_are_no_products_are_shipping_or_not_used(shop: Path) -> None:
    rows = [row(), row(sku="POST", price="4.00"), row("2", "POST"), row("3", "FEE-1"), row("4")]
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "shipping_products: [POST]\nnot_products: ['FEE*']\n")

    assert used(conversion) == {"sale": 2, "shipping of an order": 1}
    assert unused(conversion) == {"is not a product": 1, "is shipping of an order without other lines": 1}
    assert records(conversion, "order_placed")[0]["lines"][0]["shipping_minor"] == 400


def test_lines_of_another_currency_are_not_used(shop: Path) -> None:
    write_table(
        shop / "sales.csv",
        [row(Money="GBP"), row("2", Money="USD"), row("3", Money="NaN"), row("4", Money="gbp")],
    )

    conversion = convert(shop, MAPPING.replace("currency: GBP", "currency: {only: GBP, column: Money}"))

    assert unused(conversion) == {"the currency is not GBP": 1}


def test_sellers_come_from_a_column_and_sell_the_same_product_apart(shop: Path) -> None:
    rows = [row(Vendor="v1", Name="One"), row(Vendor="v2", Name="", price="3"), row("2", Vendor="", Name="")]
    write_table(shop / "sales.csv", rows)

    conversion = convert(
        shop,
        MAPPING.replace("seller: {id: acme, name: Acme}", "seller: {column: Vendor, name_column: Name}"),
    )

    assert [(each["seller_id"], each["name"]) for each in records(conversion, "seller_registered")] == [
        ("v1", "One"), ("v2", None),
    ]  # fmt: skip
    assert [(each["seller_id"], each["price_minor"]) for each in records(conversion, "product_listed")] == [
        ("v1", 250), ("v2", 300),
    ]  # fmt: skip
    assert unused(conversion) == {"the seller is empty": 1}


def test_a_missing_product_id_is_replaced_by_the_next_column(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(sku=""), row("2", "B")])

    placed = records(convert(shop, MAPPING.replace("product: Sku", "product: [Sku, Title]")), "order_placed")

    assert [order["lines"][0]["product_id"] for order in placed] == ["Item", "B"]


def test_ids_get_the_prefix_and_hashed_shoppers_do_not_show(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(Customer="Ana@example.com"), row("2", Customer="ana@example.com")])
    mapping = MAPPING.replace("shopper: Customer", "shopper: {column: Customer, hash: true}")

    conversion = convert(shop, mapping + "id_prefix: x-\n")

    placed = records(conversion, "order_placed")
    assert [order["order_id"] for order in placed] == ["x-1", "x-2"]
    assert {order["lines"][0]["product_id"] for order in placed} == {"x-A"}
    (shopper,) = {order["shopper_id"] for order in placed}
    assert shopper.startswith("x-")
    assert "example" not in shopper
    assert len(records(conversion, "shopper_registered")) == 1


def test_a_hashed_shopper_does_not_show_in_the_ids_of_orders_either(shop: Path) -> None:
    write_table(shop / "sales.csv", [row("", Customer="ana@example.com")])
    mapping = with_order("shopper_and_time").replace(
        "shopper: Customer", "shopper: {column: Customer, hash: true}"
    )

    (placed,) = records(convert(shop, mapping), "order_placed")

    assert placed["order_id"] == f"{placed['shopper_id']}-20240305100000"


def test_rows_without_a_time_do_not_inherit_an_impossible_one(shop: Path) -> None:
    rows = [row(Date="2999-01-01", Ended=""), row(sku="B", Date="", Ended=""),
            row("2", Ended="2999-01-01"), row("2", "B", Ended="")]  # fmt: skip
    write_table(shop / "sales.csv", rows)

    conversion = convert(shop, MAPPING + "cancelled_at: Ended\n")

    assert unused(conversion) == {
        "the time is in the future": 1, "the time is empty": 1,
        "the time of the cancellation is unreadable or impossible": 1,
    }  # fmt: skip
    assert used(conversion) == {"sale": 1}


def test_payment_methods_are_translated(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(Paid="VISA"), row("2", Paid="shells"), row("3", Paid="")])

    conversion = convert(shop, MAPPING + "payment: {column: Paid, values: {visa: credit_card}}\n")

    assert [each["method"] for each in records(conversion, "payment_captured")] == [
        "credit_card", "unknown", "unknown",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "text", "millis"),
    [
        (
            "{column: Date, format: '%d/%m/%Y %H:%M', zone: Europe/London}",
            "05/07/2024 10:00",
            1_720_170_000_000,
        ),
        ("{column: Date, format: '%Y-%m-%d %H:%M:%S %z'}", "2024-07-05 10:00:00 -0700", 1_720_198_800_000),
        ("{column: Date, zone: America/Sao_Paulo}", "2024-07-05T10:00:00", 1_720_184_400_000),
        ("{column: Date, format: unix}", "1720170000", 1_720_170_000_000),
        ("{column: [Date, Clock], format: '%Y-%m-%d %H:%M'}", "2024-07-05", 1_720_173_600_000),
    ],
)
def test_times_are_read_in_their_format_and_zone(shop: Path, time: str, text: str, millis: int) -> None:
    write_table(shop / "sales.csv", [row(Date=text, Clock="10:00")])

    (placed,) = records(convert(shop, MAPPING.replace("time: Date", f"time: {time}")), "order_placed")

    assert placed["occurred_at"] == millis


def test_semicolons_decimal_commas_and_another_encoding_are_read(shop: Path) -> None:
    text = "Invoice;Sku;Title;Qty;Date;Price;Customer;Country\n1;A;Chá;1;2024-03-05;1.234,50;ana;Alemanha\n"
    (shop / "sales.csv").write_bytes(text.encode("cp1252"))
    files = 'files: [{path: sales.csv, delimiter: ";", decimal: ",", encoding: cp1252}]'

    conversion = convert(shop, MAPPING.replace("files: [{path: sales.csv}]", files))

    (listed,) = records(conversion, "product_listed")
    assert (listed["name"], listed["price_minor"]) == ("Chá", 123_450)
    assert records(conversion, "shopper_registered")[0]["country"] == "DE"


def test_parquet_gives_the_same_events_as_csv(shop: Path) -> None:
    rows = [row(quantity=2), row("2", Customer=None), row("3", quantity=0)]
    write_table(shop / "sales.csv", rows)
    columns = {name: [each[name] for each in rows] for name in HEADER} | {"Price": [2.5, 2.5, 2.5]}
    times = pa.array(["2024-03-05 10:00:00"] * 3).cast(pa.timestamp("ns"))
    pyarrow.parquet.write_table(pa.table(columns | {"Date": times}), shop / "sales.parquet")

    as_csv = convert(shop)
    as_parquet = convert(shop, MAPPING.replace("sales.csv", "sales.parquet"))

    for name in ("order_placed", "payment_captured", "shopper_registered"):
        assert records(as_parquet, name) == records(as_csv, name)
    assert rejected(shop) == [(3, "the quantity is 0")]


def test_several_files_of_one_pattern_are_read_in_the_order_of_their_names(shop: Path) -> None:
    write_table(shop / "sales-2.csv", [row("2")])
    write_table(shop / "sales-1.csv", [row(), row("9", price="0")])

    conversion = convert(shop, MAPPING.replace("sales.csv", "sales-*.csv"))

    assert [file.file for file in conversion.findings.files] == ["sales-1.csv", "sales-2.csv"]
    assert len(records(conversion, "order_placed")) == 2


def test_other_files_give_details_of_orders_and_products_and_account_for_their_rows(shop: Path) -> None:
    lines = [{"order": "1", "sku": "A", "price": "2.50"}, {"order": "1", "sku": "B", "price": "1.00"},
             {"order": "7", "sku": "A", "price": "2.50"}]  # fmt: skip
    write_table(shop / "lines.csv", lines)
    write_table(shop / "orders.csv", [{"order": "1", "when": "2024-03-05", "person": "p"},
                                      {"order": "1", "when": "2024-03-09", "person": "p"},
                                      {"order": "2", "when": "2024-03-05", "person": "p"}])  # fmt: skip
    write_table(shop / "people.csv", [{"id": "p", "land": "Brasil"}])
    write_table(shop / "products.csv", [{"sku": "A", "name": "Tea"}])
    mapping = """\
name: acme
files: [{path: lines.csv}]
joins:
  - {path: orders.csv, on: order}
  - {path: people.csv, on: person, key: id}
  - {path: products.csv, on: sku}
order: order
product: sku
product_name: name
shopper: person
country: land
seller: {id: acme}
time: when
price: price
currency: BRL
"""

    conversion = convert(shop, mapping)

    assert unused(conversion) == {"the time is empty": 1}
    assert [used(conversion, file) for file in (1, 2, 3)] == [{"details of lines": 1}] * 3
    assert unused(conversion, 1) == {"repeats the order of an earlier row": 1, "no line refers to it": 1}
    assert records(conversion, "shopper_registered")[0]["country"] == "BR"
    assert {each["product_id"]: each["name"] for each in records(conversion, "product_listed")} == {
        "A": "Tea", "B": None,
    }  # fmt: skip


def test_an_order_that_no_event_could_hold_is_a_mistake_of_the_mapping(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MAX_LINES", 3)
    write_table(shop / "sales.csv", [row("all", str(number)) for number in range(4)])

    with pytest.raises(UserError, match="is `order` in the mapping the column that identifies an order"):
        convert(shop)


def test_a_table_of_which_no_row_can_be_used_gives_no_event(shop: Path) -> None:
    write_table(shop / "sales.csv", [row(price="0"), row("2", quantity="-1")])

    assert convert(shop).events == []
