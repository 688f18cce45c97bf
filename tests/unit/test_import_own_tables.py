"""Tables of invented shops, with column names that no list has: values and the tables' own totals decide."""

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from common.errors import UserError
from producers.replay.mapped.guess.proposal import propose
from producers.replay.mapped.mapping_file import parse_mapping
from tests import exports
from tests.exports import SoldOrder, money
from tests.imports import convert, records, write_raw, write_table

Rows = list[dict[str, object]]
Cell = Callable[[SoldOrder, exports.SoldLine], object]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def table(sold: list[SoldOrder], **cells: Cell) -> Rows:
    """Return a row for each line, with a column for each name."""
    return [
        {name: cell(order, line) for name, cell in cells.items()} for order in sold for line in order.lines
    ]


def captured(directory: Path, text: str) -> list[int]:
    return sorted(each["amount_minor"] for each in records(convert(directory, text), "payment_captured"))


def totals(sold: list[SoldOrder]) -> list[int]:
    return sorted(order.total for order in sold if order.status != "cancelled")


@pytest.mark.parametrize("inside", [False, True])
def test_a_german_shop_with_compound_names_and_decimal_commas(shop: Path, inside: bool) -> None:
    sold = exports.orders(inside=inside, rate=0.19)
    rows = table(
        sold,
        Bestellnummer=lambda o, _: o.number,
        Bestelldatum=lambda o, _: f"{o.at:%d.%m.%Y %H:%M}",
        Kundennr=lambda o, _: exports.PEOPLE.index(o.buyer) + 70_000,
        Bundesland=lambda o, _: ("Bayern", "Hessen")[o.number % 2],
        Artikelnummer=lambda _, line: line.sku,
        Artikelbezeichnung=lambda _, line: line.title,
        Menge=lambda _, line: line.quantity,
        Einzelpreis=lambda _, line: money(line.unit, ","),
        Rabatt=lambda o, _: money(o.discount, ","),
        Versandkosten=lambda o, _: money(o.shipping, ","),
        MwSt=lambda o, _: money(o.tax, ","),
        Rechnungsbetrag=lambda o, _: money(o.total, ","),
        Bestellstatus=lambda o, _: {"cancelled": "Storniert", "refunded": "Zurückgesendet"}.get(
            o.status, "Versendet"
        ),
    )
    write_table(shop / "Bestellungen.csv", rows, delimiter=";")

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")

    assert (mapping.order.column, mapping.time.column) == (["Bestellnummer"], ["Bestelldatum"])
    assert mapping.shopper is not None
    assert mapping.shopper.column == ["Kundennr"]
    assert (mapping.tax is None) == inside
    assert mapping.status is not None
    assert (mapping.status.cancelled, mapping.status.returned) == (["Storniert"], ["Zurückgesendet"])
    assert captured(shop, text) == totals(sold)


def test_names_that_say_nothing(shop: Path) -> None:
    sold = [order for order in exports.orders(count=40, inside=True) if order.status == "paid"]
    rows = table(
        sold,
        k1=lambda o, _: f"Z{o.number * 31}",
        k2=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        k3=lambda o, _: o.email,
        k4=lambda _, line: line.sku,
        k5=lambda _, line: line.quantity,
        k6=lambda _, line: money(line.unit),
        k7=lambda o, _: money(o.discount),
        k8=lambda o, _: money(o.shipping),
        k9=lambda o, _: money(o.total),
        k10=lambda o, _: ("north", "south", "west")[o.number % 3],
    )
    write_table(shop / "t.csv", rows)

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")

    assert (mapping.order.column, mapping.product.column) == (["k1"], ["k4"])
    assert (mapping.price.column, mapping.quantity) == ("k6", "k5")
    assert mapping.shopper is not None
    assert (mapping.shopper.column, mapping.shopper.hash) == (["k3"], True)
    assert 'column "k9"' in text
    assert captured(shop, text) == totals(sold)


def test_a_discount_of_each_unit_and_a_french_total_of_the_line(shop: Path) -> None:
    sold = exports.orders(discounts=False, shipping=False, inside=True)
    rows = table(
        sold,
        Commande=lambda o, _: o.number,
        Date=lambda o, _: f"{o.at:%d/%m/%Y %H:%M}",
        Client=lambda o, _: o.buyer,
        Article=lambda _, line: line.sku,
        Qté=lambda _, line: line.quantity,
        Prix=lambda _, line: money(line.unit, ","),
        Remise=lambda o, _: money(25 * (o.number % 3), ","),
        Montant=lambda o, line: money(line.quantity * (line.unit - 25 * (o.number % 3)), ","),
        Statut=lambda o, _: {"cancelled": "Annulée", "refunded": "Remboursée"}.get(o.status, "Livrée"),
    )
    write_table(shop / "ventes.csv", rows, delimiter=";")

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")

    assert mapping.discount is not None
    assert (mapping.discount.column, mapping.discount.of) == (["Remise"], "unit")
    assert captured(shop, text) == sorted(
        sum(line.quantity * (line.unit - 25 * (order.number % 3)) for line in order.lines)
        for order in sold if order.status != "cancelled"
    )  # fmt: skip


def test_a_spanish_shop_whose_total_is_net_of_the_marketplace_s_fees(shop: Path) -> None:
    sold = [order for order in exports.orders(inside=True, discounts=False) if order.status == "paid"]
    rows = table(
        sold,
        **{
            "Nº de pedido": lambda o, _: o.number,
            "Fecha": lambda o, _: f"{o.at:%d/%m/%Y %H:%M}",
            "Comprador": lambda o, _: o.buyer,
            "Referencia del artículo": lambda _, line: line.sku,
            "Cantidad": lambda _, line: line.quantity,
            "Precio unitario": lambda _, line: money(line.unit),
            "Gastos de envío": lambda o, _: money(o.shipping),
            "Comisión": lambda o, _: money(-(o.goods // 10)),
            "Total": lambda o, _: money(o.total - o.goods // 10),
        },
    )
    write_table(shop / "pedidos.csv", rows)

    text = propose(shop)

    assert "not imported, since the shopper does not pay it: Comisión" in text
    assert captured(shop, text) == totals(sold)


def test_prices_of_lines_are_told_from_prices_of_units_without_a_total(shop: Path) -> None:
    sold = [order for order in exports.orders(discounts=False, shipping=False) if order.status == "paid"]
    for of, price in (
        ("unit", lambda _, line: money(line.unit)),
        ("line", lambda _, line: money(line.gross)),
    ):
        rows = table(
            sold,
            order_id=lambda o, _: o.number,
            date=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
            sku=lambda _, line: line.sku,
            quantity=lambda _, line: line.quantity,
            price=price,
        )
        write_table(shop / "sales.csv", rows)

        text = propose(shop)

        assert parse_mapping(text, "guessed").price.of == of
        assert "NOT CHECKED" in text
        assert "nothing in the tables checks it" in text


def test_a_region_a_tax_and_a_currency_in_lower_case_are_no_shopper_no_seller_and_no_order(
    shop: Path,
) -> None:
    sold = exports.orders()
    rows = table(
        sold,
        order_ref=lambda o, _: f"R-{o.number}",
        currency_code=lambda o, _: "gbp",  # noqa: ARG005
        customer_region=lambda o, _: ("Kent", "Devon", "Essex")[o.number % 3],
        buyer_ref=lambda o, _: exports.PEOPLE.index(o.buyer) + 500,
        ordered_on=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        item_sku=lambda _, line: line.sku,
        units=lambda _, line: line.quantity,
        unit_price=lambda _, line: money(line.unit),
        vendor_tax=lambda o, _: money(o.tax),
        voucher=lambda o, _: money(o.discount),
        carriage=lambda o, _: money(o.shipping),
        charged=lambda o, _: money(o.total),
        state=lambda o, _: {
            "cancelled": "order was cancelled by the buyer",
            "refunded": "fully refunded",
        }.get(o.status, "done"),
    )
    write_table(shop / "orders.csv", rows)

    text = propose(shop)
    mapping = parse_mapping(text, "guessed")

    assert mapping.order.column == ["order_ref"]
    assert mapping.seller.id == "shop"
    assert mapping.shopper is not None
    assert mapping.shopper.column == ["buyer_ref"]
    assert (mapping.currency.only, mapping.currency.column) == ("GBP", "currency_code")
    assert captured(shop, text) == totals(sold)


def test_a_total_that_no_reading_makes_keeps_the_price_out_of_the_proposal(shop: Path) -> None:
    sold = exports.orders()
    random_ = random.Random(3)
    off = {order.number: random_.randint(1, 999) for order in sold}
    rows = table(
        sold,
        order_id=lambda o, _: o.number,
        date=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        sku=lambda _, line: line.sku,
        quantity=lambda _, line: line.quantity,
        price=lambda _, line: money(line.unit),
        total=lambda o, _: money(o.total + off[o.number]),
    )
    write_table(shop / "sales.csv", rows)

    text = propose(shop)

    assert '# NOT PROPOSED: the column "total" contradicts every reading' in text
    with pytest.raises(UserError, match="`price` is missing"):
        parse_mapping(text, "guessed")


def test_a_few_orders_that_differ_are_named(shop: Path) -> None:
    sold = exports.orders(count=60)
    rows = table(
        sold,
        order_id=lambda o, _: o.number,
        date=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        sku=lambda _, line: line.sku,
        quantity=lambda _, line: line.quantity,
        price=lambda _, line: money(line.unit),
        discount=lambda o, _: money(o.discount),
        shipping=lambda o, _: money(o.shipping),
        tax=lambda o, _: money(o.tax),
        total=lambda o, _: money(o.total + 100 * (o.number == 1011)),
    )
    write_table(shop / "sales.csv", rows)

    text = propose(shop)

    assert "to the smallest coin in 59 of 60" in text
    assert "1011" in text.split("name:")[0]
    assert captured(shop, text) == sorted(order.total for order in sold)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("settlement-id,settlement-start-date,settlement-end-date,deposit-date,total-amount,currency,"
         "transaction-type,order-id,merchant-order-id,adjustment-id,shipment-id,marketplace-name,"
         "amount-type,amount-description,amount",
         "Amazon's settlement report"),
        ("date/time,settlement id,type,order id,sku,description,quantity,marketplace,fulfillment,"
         "product sales,shipping credits,promotional rebates,selling fees,fba fees,"
         "other transaction fees,other,total",
         "Amazon's date range report"),
        ("Payout Date,Status,Charges,Refunds,Adjustments,Advances,Reserved Funds,Fees,Retried Amount,"
         "Total,Currency",
         "Shopify's list of payouts"),
        ("Transaction Date,Type,Order,Card Brand,Card Source,Payout Status,Payout Date,Payout ID,"
         "Available On,Amount,Fee,Net,Checkout,Payment Method Name,Presentment Amount,"
         "Presentment Currency,Currency,VAT",
         "Shopify's transactions of payouts"),
        ("Payment ID,Buyer Username,Buyer Name,Order ID,Gross Amount,Fees,Net Amount,Posted Gross,"
         "Posted Fees,Posted Net,Adjusted Gross,Adjusted Fees,Adjusted Net,Currency,Listing Amount,"
         "Listing Currency,Exchange Rate,VAT Amount,Gift Card Applied?,Status,Funds Available,"
         "Order Date,Buyer,Order Type,Payment Type,Refund Amount",
         "Etsy's list of payments"),
        ("Transaction creation date,Type,Order number,Legacy order ID,Buyer username,Buyer name,"
         "Ship to city,Ship to zip,Ship to country,Net amount,Payout currency,Payout date,Payout ID,"
         "Payout method,Payout status,Item ID,Transaction ID,Item title,Custom label,Quantity,"
         "Item subtotal,Shipping and handling,Final Value Fee - fixed,Final Value Fee - variable,"
         "Gross transaction amount,Transaction currency",
         "eBay's transaction report"),
        ("ID,Reference,New client,Delivery,Customer,Total,Payment,Status,Date",
         "PrestaShop's list of orders"),
        ("ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),"
         "Grand Total (Purchased),Status",
         "Magento's grid of orders"),
        ("bank transfer,sale,commission,net amount,day",
         "looks like a settlement"),
    ],
)  # fmt: skip
def test_settlements_and_lists_without_products_are_refused_with_what_they_are(
    shop: Path, header: str, what: str
) -> None:
    names = header.split(",")
    lines = [",".join(f"{number}.{place:02d}" for place in range(len(names))) for number in range(1, 9)]
    (shop / "report.csv").write_text("\n".join([header, *lines]) + "\n")

    with pytest.raises(UserError, match=what):
        propose(shop)


def test_a_list_of_whole_orders_is_refused(shop: Path) -> None:
    sold = exports.orders()
    write_table(shop / "orders.csv", [
        {"Order no": o.number, "Date": f"{o.at:%Y-%m-%d %H:%M}", "Customer": o.buyer,
            "Amount": money(o.total)} for o in sold
    ])  # fmt: skip

    with pytest.raises(UserError, match="has a row for each order, and no column with its products"):
        propose(shop)


def test_a_status_with_a_line_feed_makes_a_mapping_that_can_be_read(shop: Path) -> None:
    rows = table(
        exports.orders(),
        order_id=lambda o, _: o.number,
        date=lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        country=lambda o, _: "Some\nwhere\u2028\x85" if o.number % 3 else "France",
        sku=lambda _, line: line.sku,
        price=lambda _, line: money(line.unit),
        status=lambda o, _: "can\ncelled" if o.number % 4 else "can\u2028celled: \x1f{",
    )
    write_table(shop / "sales.csv", rows)

    parse_mapping(propose(shop), "guessed")


CELLS = st.sampled_from(
    [
        "",
        "1",
        "-2",
        "1001",
        "9.99",
        "1,234",
        "1.234,50",
        "7e12345678901234",
        "2024-03-05 10:00",
        "05/03/2024",
        "10:30",
        "yes",
        "EUR",
        "$5.00",
        "SKU-1",
        "a@example.com",
        "cancelled",
        "Ana Lima",
        "100%",
        "\x00",
        "9" * 30,
    ]
) | st.text(max_size=8)
NAMES = st.sampled_from(
    [
        "order_id",
        "Date",
        "Time",
        "Price",
        "Qty",
        "Total",
        "Discount",
        "Shipping",
        "Tax",
        "Email",
        "SKU",
        "Status",
        "Currency",
        "Fee",
        "Net",
        "Name",
        "Time Zone",
        "x",
    ]
) | st.text(max_size=6)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_table_has_a_mapping_that_yaml_can_read_or_is_refused_with_a_reason(data: st.DataObject) -> None:
    names = data.draw(st.lists(NAMES, min_size=1, max_size=8))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=12))

    with TemporaryDirectory() as name:
        write_raw(Path(name) / "table.csv", names, rows)
        try:
            text = propose(Path(name))
        except UserError:
            return
        assert isinstance(YAML(typ="safe", pure=True).load(text), dict)
