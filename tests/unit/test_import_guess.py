"""The proposed mapping of tables as shops export them, and that a dry run with it uses their rows."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from common.settings import ROOT
from producers.importer.mapped.guess.proposal import propose
from producers.importer.mapped.mapping import Mapping, parse_mapping
from tests.imports import convert, records, unused, used, write_table

Rows = list[dict[str, object]]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "corner_shop"
    directory.mkdir()
    return directory


def guessed(directory: Path) -> Mapping:
    return parse_mapping(propose(directory), "guessed")


def online_retail(rows: int, seed: int = 5) -> Rows:
    """Rows with the columns of UCI's Online Retail II: a quarter without a customer, 2 % negative."""
    random_ = random.Random(seed)
    products = [(f"{number}{random_.choice(['', 'A'])}", f"ITEM {number}") for number in range(10000, 10300)]
    made: Rows = []
    sold: list[tuple[dict[str, object], int]] = []
    invoice, at = 489434, datetime(2009, 12, 1, 7, 45, tzinfo=UTC)
    while len(made) < rows:
        invoice, at = invoice + 1, at + timedelta(minutes=random_.randint(1, 40))
        customer = "" if random_.random() < 0.25 else f"{random_.randint(12346, 12800)}.0"
        common = {"InvoiceDate": at.strftime("%d/%m/%Y %H:%M"), "Country": "United Kingdom"}
        for _ in range(random_.randint(1, 30)):
            sku, title = random_.choice(products)
            quantity = random_.choice([1, 2, 6, 12])
            line: dict[str, object] = {
                "Invoice": str(invoice), "StockCode": sku, "Description": title, "Quantity": quantity,
                "Price": f"{random_.randint(29, 1295) / 100:.2f}", "Customer ID": customer, **common,
            }  # fmt: skip
            made.append(line)
            sold.append((line, quantity))
        if random_.random() < 0.3:
            line, quantity = random_.choice(sold)
            made.append(line | common | {"Invoice": f"C{invoice}", "Quantity": -quantity})
        if random_.random() < 0.1:
            made.append({"Invoice": str(invoice), "StockCode": "POST", "Description": "POSTAGE",
                         "Quantity": 1, "Price": "18.00", "Customer ID": customer, **common})  # fmt: skip
    return made


def test_online_retail_is_recognised_and_a_dry_run_accounts_for_every_row(shop: Path) -> None:
    rows = online_retail(5_000)
    write_table(shop / "online_retail_II.csv", rows)

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")
    conversion = convert(shop, text)

    assert mapping.columns() == {
        "order": ["Invoice"], "product": ["StockCode"], "product_name": ["Description"],
        "shopper": ["Customer ID"], "country": ["Country"], "time": ["InvoiceDate"],
        "price": ["Price"], "quantity": ["Quantity"],
    }  # fmt: skip
    assert mapping.time.format == "%d/%m/%Y %H:%M"
    assert mapping.returns.order_prefix == ["C"]
    assert mapping.shipping_products == ["POST"]
    assert mapping.currency.only == "GBP"
    assert "the time zone" in text
    assert sum(used(conversion).values()) + sum(unused(conversion).values()) == len(rows)
    assert used(conversion)["sale"] > 0.9 * len(rows)
    assert used(conversion)["return of an earlier sale"] > 0


def shopify() -> Rows:
    """Rows with columns of Shopify's export of orders, which fills most of them in an order's first row."""
    first: dict[str, object] = {
        "Name": "#1001", "Email": "ana@example.com", "Financial Status": "paid", "Paid at": "",
        "Currency": "USD", "Subtotal": "28.00", "Shipping": "5.00", "Taxes": "1.20", "Total": "34.20",
        "Discount Code": "", "Discount Amount": "2.00", "Created at": "2024-03-05 10:00:00 -0500",
        "Lineitem quantity": "2", "Lineitem name": "Tea", "Lineitem price": "10.00",
        "Lineitem compare at price": "", "Lineitem sku": "T-1", "Billing Country": "US",
        "Shipping Country": "US", "Cancelled at": "", "Payment Method": "Shopify Payments",
        "Vendor": "Corner",
    }  # fmt: skip
    blank = dict.fromkeys(first, "") | {
        "Name": "#1001", "Email": "ana@example.com", "Created at": "2024-03-05 10:00:00 -0500",
        "Lineitem quantity": "1", "Lineitem name": "Cup", "Lineitem price": "10.00", "Lineitem sku": "",
        "Vendor": "Corner",
    }  # fmt: skip
    another = first | {
        "Name": "#1002", "Email": "bia@example.com", "Created at": "2024-03-06 11:00:00 -0500",
        "Discount Amount": "0.00", "Financial Status": "refunded", "Subtotal": "30.00", "Total": "36.20",
    }  # fmt: skip
    ended = first | {
        "Name": "#1003", "Created at": "2024-03-07 09:00:00 -0500", "Financial Status": "voided",
        "Cancelled at": "2024-03-07 12:00:00 -0500", "Discount Amount": "0.00", "Subtotal": "20.00",
        "Total": "26.20",
    }  # fmt: skip
    return [first, blank, another, another | blank | {"Name": "#1002", "Lineitem sku": "C-1"}, ended]


def test_an_export_of_shopify_is_recognised(shop: Path) -> None:
    write_table(shop / "orders_export_1.csv", shopify())

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")
    conversion = convert(shop, text)

    assert mapping.order.column == ["Name"]
    assert mapping.product.column == ["Lineitem sku", "Lineitem name"]
    assert mapping.shopper is not None
    assert mapping.shopper.hash
    assert "zone:" not in text
    assert (mapping.currency.only, mapping.currency.column) == ("USD", "Currency")
    assert mapping.shipping is not None
    assert mapping.shipping.of == "order"
    assert unused(conversion) == {}
    orders = {order["order_id"]: order for order in records(conversion, "order_placed")}
    first = orders["corner_shop-#1001"]["lines"]
    assert [(line["product_id"], line["quantity"]) for line in first] == [
        ("corner_shop-T-1", 2), ("corner_shop-Cup", 1),
    ]  # fmt: skip
    assert sum(line["discount_minor"] for line in first) == 200
    assert sum(line["shipping_minor"] for line in first) == 500
    assert [each["order_id"] for each in records(conversion, "order_cancelled")] == ["corner_shop-#1003"]
    assert sum(each["amount_minor"] for each in records(conversion, "payment_refunded")) == 3_000
    assert {each["method"] for each in records(conversion, "payment_captured")} == {"credit_card"}


def test_an_export_of_woocommerce_is_recognised(shop: Path) -> None:
    rows: Rows = [
        {"Order Number": order, "Order Status": status, "Order Date": f"2024-03-0{order} 10:00",
         "Email (Billing)": f"{order}@example.com", "Country Code (Billing)": "PT",
         "Payment Method Title": "PayPal", "Cart Discount Amount": "0", "Order Shipping Amount": "4.5",
         "Order Total Amount": "24.3", "SKU": sku, "Item #": number, "Item Name": sku.lower(),
         "Quantity (- Refund)": 1, "Item Cost": "9.90"}
        for order, status in ((1, "Completed"), (2, "Cancelled"), (3, "On hold"), (4, "Completed"))
        for number, sku in enumerate(("TEA", "CUP"), 1)
    ]  # fmt: skip
    write_table(shop / "orders.csv", rows)

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")
    conversion = convert(shop, text)

    assert mapping.order.column == ["Order Number"]
    assert (mapping.quantity, mapping.price.column) == ("Quantity (- Refund)", "Item Cost")
    assert mapping.shipping is not None
    assert (mapping.shipping.column, mapping.shipping.of) == (["Order Shipping Amount"], "order")
    assert used(conversion) == {"sale": 4, "sale of a cancelled order": 2, "sale of an unpaid order": 2}


def test_tables_of_orders_items_and_people_are_joined(small_olist: Any, write_olist: Any) -> None:
    directory = write_olist(small_olist)

    text = propose(directory)
    mapping = parse_mapping(text, "guessed")
    conversion = convert(directory, text)

    assert [entry.path for entry in mapping.files] == ["olist_order_items_dataset.csv"]
    assert {join.path for join in mapping.joins} >= {
        "olist_orders_dataset.csv", "olist_customers_dataset.csv", "olist_products_dataset.csv",
    }  # fmt: skip
    assert mapping.time.column == ["order_purchase_timestamp"]
    assert mapping.shopper is not None
    assert mapping.shopper.column == ["customer_unique_id"]
    assert mapping.seller.column == ["seller_id"]
    assert mapping.shipping is not None
    assert (mapping.shipping.column, mapping.shipping.of) == (["freight_value"], "line")
    assert used(conversion) == {"sale of an unpaid order": 3, "sale": 1}
    assert mapping.category is not None
    assert mapping.category.column == ["product_category_name"]
    assert mapping.quantity is None
    assert "olist_order_payments_dataset.csv is not used" in text


def test_portuguese_names_semicolons_and_decimal_commas_are_recognised(shop: Path) -> None:
    lines = ["Nº Pedido;Código do Produto;Descrição;Qtde;Data do Pedido;Preço Unitário;Cliente;Situação"]
    for number in range(1, 13):
        status = "Cancelado" if number == 3 else "Entregue"
        for sku in (1, 2):
            what = f"P{sku};Chá {sku};{sku};{number + 10}/03/2024 08:30;1.0{sku}2,50"
            lines.append(f"{1000 + number};{what};C{number % 5};{status}")
    (shop / "vendas.csv").write_bytes("\r\n".join(lines).encode("latin-1"))

    text = propose(shop, "BRL")
    mapping = parse_mapping(text, "guessed")
    conversion = convert(shop, text)

    (file,) = mapping.files
    assert (file.delimiter, file.decimal, file.encoding) == (";", ",", "cp1252")
    assert mapping.order.column == ["Nº Pedido"]
    assert mapping.time.format == "%d/%m/%Y %H:%M"
    assert mapping.status is not None
    assert mapping.status.cancelled == ["Cancelado"]
    assert used(conversion) == {"sale": 22, "sale of a cancelled order": 2}
    assert sum(p["amount_minor"] for p in records(conversion, "payment_captured")) == 11 * (
        101_250 + 2 * 102_250
    )


def test_columns_without_known_names_are_found_by_their_values(shop: Path) -> None:
    rows: Rows = [
        {"c1": 700 + number // 3, "c2": f"x{number * 7 % 20}", "c3": number % 4 + 1,
         "c4": f"{1 + number % 9}.99", "c5": f"{1 + number % 28:02d}.03.2024 12:00"}
        for number in range(90)
    ]  # fmt: skip
    write_table(shop / "t.csv", rows)

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")

    assert mapping.time.column == ["c5"]
    assert mapping.price.column == "c4"
    assert mapping.order.column == ["c1"]
    assert mapping.product.column == ["c2"]
    assert mapping.quantity == "c3"
    assert "no column has a known name" in text


def test_what_is_not_found_is_said_first_and_alternatives_beside_the_choice(shop: Path) -> None:
    write_table(
        shop / "t.csv", [{"sku": "A", "order_id": n, "invoice_no": n // 2, "note": "x"} for n in range(9)]
    )

    text = propose(shop)

    head = text.split("name:")[0]
    assert "time: which column says when" in head
    assert "price: which column has the price" in head
    assert 'Alternatives: "order_id"' in text
    with pytest.raises(UserError, match="`time` is missing"):
        parse_mapping(text, "guessed")


def test_files_that_are_no_tables_are_named_and_left_out(shop: Path) -> None:
    write_table(shop / "sales.csv", shopify())
    (shop / "read me.txt").write_text("Please read: this is no table\nof anything\n")
    (shop / "empty.csv").write_text("")

    text = propose(shop)

    assert f"# Not used: {shop / 'read me.txt'} has one column." in text
    assert f"# Not used: {shop / 'empty.csv'} is empty" in text
    assert [entry.path for entry in parse_mapping(text, "guessed").files] == ["sales.csv"]


def test_names_of_people_are_hashed(shop: Path) -> None:
    rows: Rows = [{"Order ID": number // 2, "Customer": f"Ana Silva {'A' * (number // 2 % 7)}", "SKU": "A",
                   "Price": "1.50", "Date": "2024-03-05"} for number in range(20)]  # fmt: skip
    write_table(shop / "t.csv", rows)

    shopper = guessed(shop).shopper

    assert shopper is not None
    assert shopper.hash


def test_names_with_signs_of_yaml_are_quoted(shop: Path) -> None:
    name = 'Order: "id" # {x} é'
    write_table(shop / "- a 'b'.csv", [{name: number // 2, "Price": "1.50", "SKU": "A", "Date": "2024-03-05"}
                                       for number in range(20)])  # fmt: skip

    assert guessed(shop).order.column == [name]
    assert used(convert(shop, propose(shop)))["sale"] == 10


def test_a_directory_without_tables_is_a_mistake(shop: Path) -> None:
    with pytest.raises(UserError, match=r"has no file that ends in .csv"):
        propose(shop)
    with pytest.raises(UserError, match="is not a directory"):
        propose(shop / "none")


@pytest.mark.parametrize(
    ("example", "rows", "at_least"),
    [("online_retail_ii.yaml", online_retail(300), 0.9), ("shopify_orders.yaml", shopify(), 1.0)],
)
def test_the_examples_of_the_documentation_fit_the_published_columns(
    shop: Path, example: str, rows: Rows, at_least: float
) -> None:
    for each in rows:  # as the workbook has them
        if "InvoiceDate" in each:
            each["InvoiceDate"] = datetime.strptime(f"{each['InvoiceDate']} +0000", "%d/%m/%Y %H:%M %z")
    write_table(shop / "orders_export_1.csv", rows)

    conversion = convert(shop, (ROOT / "docs" / "mappings" / example).read_text())

    assert sum(used(conversion).values()) >= at_least * len(rows)
    assert records(conversion, "order_confirmed")
