"""Tables of invented shops, with column names that no list has: values and the tables' own totals decide."""

import codecs
import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from common.errors import UserError
from common.ids import MAX_ID_LENGTH, is_id
from producers.importer.mapped.guess.proposal import propose
from producers.importer.mapped.guess.vocabulary import status_meaning
from producers.importer.mapped.mapping import parse_mapping
from producers.kit.tables.files import UnknownEncoding, encoding_of
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


def single(count: int) -> list[SoldOrder]:
    """Return paid orders of one line each, without discounts and shipping."""
    return [
        replace(order, lines=order.lines[:1], discount=0, shipping=0, status="paid")
        for order in exports.orders(count=count, inside=True)
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("Filiale", lambda _, __: "Berlin"),
        ("Filiale", lambda o, _: f"Filiale {o.number % 5}"),
        ("Zeitzone", lambda _, __: "CET"),
        ("Lager", lambda o, _: f"L{o.number % 3}"),
    ],
)
@pytest.mark.parametrize("with_ref", [True, False])
def test_a_column_of_branches_is_no_order(shop: Path, name: str, cell: Cell, with_ref: bool) -> None:
    sold = sorted(single(60), key=lambda order: (order.number % 5, order.number))
    cells: dict[str, Cell] = {"ref": lambda o, _: f"K{o.number}"} if with_ref else {}
    cells |= {
        "Datum": lambda o, _: f"{o.at:%d.%m.%Y %H:%M}", name: cell, "Kunde": lambda o, _: o.email,
        "Artikel": lambda _, line: line.sku, "Menge": lambda _, line: line.quantity,
        "Einzelpreis": lambda _, line: money(line.unit, ","),
        "Gesamtbetrag": lambda _, line: money(line.gross, ","),
    }  # fmt: skip
    write_table(shop / "s.csv", table(sold, **cells), delimiter=";")

    text = propose(shop)

    assert parse_mapping(text, "proposal").order.column == (["ref"] if with_ref else [])
    assert captured(shop, text) == totals(sold)
    assert len(records(convert(shop, text), "order_placed")) == len(sold)


@pytest.mark.parametrize(
    ("name", "cell"),
    [("user", lambda o, _: ("till1", "till2", "anna")[o.number % 3]),
     ("customer", lambda o, _: ("retail", "wholesale")[o.number % 2])],
)  # fmt: skip
def test_who_sat_at_the_till_and_a_kind_of_customer_are_no_shoppers(
    shop: Path, name: str, cell: Cell
) -> None:
    sold = exports.orders(count=40, discounts=False, shipping=False, inside=True)
    cells: dict[str, Cell] = {
        "receipt": lambda o, _: o.number, "date": lambda o, _: f"{o.at:%Y-%m-%d %H:%M}", name: cell,
        "sku": lambda _, line: line.sku, "quantity": lambda _, line: line.quantity,
        "price": lambda _, line: money(line.unit),
    }  # fmt: skip
    write_table(shop / "s.csv", table(sold, **cells))

    assert parse_mapping(propose(shop), "proposal").shopper is None


STATES = {
    "Aguardando envio": None, "Envio pendente": None, "Pendiente de envío": None, "Versand ausstehend": None,
    "En attente d'expédition": None, "in attesa di spedizione": None, "Awaiting collection": None,
    "Label created": None, "Order created": None, "Completed (invoice created)": None,
    "Paid - awaiting stock": None, "Pago, aguardando separação": None, "Pending - Waiting for Pick Up": None,
    "Reembolso recusado": None, "Refund declined": None, "Return rejected": None, "Not refunded": None,
    "Reembolso solicitado": None, "Cancellation requested": None, "Ready, not cancelled": None,
    "Nicht storniert": None, "Cancelable": None, "Failed delivery - redelivered": None,
    "Devolução em andamento": None, "partially refunded": None,
    "Cancelled: not paid": "cancelled", "Cancelled (payment pending)": "cancelled",
    "Payment failed": "cancelled", "Payment declined": "cancelled", "Vencido": "cancelled",
    "Kansellert": "cancelled", "Gecanceld": "cancelled", "Peruutettu": "cancelled",
    "İptal edildi": "cancelled", "отменён": "cancelled", "已取消": "cancelled", "キャンセル": "cancelled",
    "ملغي": "cancelled",
    "Refund": "returned", "Return complete": "returned", "Returned - pending inspection": "returned",
    "Cancelled and refunded": "returned", "Rückerstattung": "returned", "返品": "returned",
    "возвращён": "returned",
    "Pending payment": "unpaid", "Zahlung ausstehend": "unpaid", "Aguardando pagamento": "unpaid",
    "Aguardando pagamento do envio": "unpaid", "created": "unpaid", "Not paid": "unpaid", "未付款": "unpaid",
}  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), STATES.items())
def test_what_a_state_says_of_an_order(text: str, meaning: str | None) -> None:
    assert status_meaning(text) == meaning


def test_orders_without_an_amount_in_the_total_are_cancelled_or_named(shop: Path) -> None:
    sold = exports.orders(count=40)
    cells: dict[str, Cell] = {
        "order_id": lambda o, _: o.number, "date": lambda o, _: f"{o.at:%Y-%m-%d %H:%M}",
        "sku": lambda _, line: line.sku, "quantity": lambda _, line: line.quantity,
        "price": lambda _, line: money(line.unit), "discount": lambda o, _: money(o.discount),
        "shipping": lambda o, _: money(o.shipping), "tax": lambda o, _: money(o.tax),
        "total": lambda o, _: money(0 if o.status == "cancelled" else o.total),
    }  # fmt: skip
    write_table(shop / "s.csv", table(sold, **cells))
    without_states = propose(shop)
    states: dict[str, Cell] = {"status": lambda o, _: "Nulled" if o.status == "cancelled" else "done"}
    write_table(shop / "s.csv", table(sold, **cells, **states))

    text = propose(shop)

    assert parse_mapping(text, "proposal").status is not None
    assert captured(shop, text) == totals(sold)
    cancelled = [order for order in sold if order.status == "cancelled"]
    assert f"DIFFERS: {len(cancelled)} orders of" in without_states
    assert f'have no amount in "total" ({cancelled[0].number},' in without_states


@pytest.mark.parametrize(
    ("currency", "sign", "weight", "price"),
    [("IDR", "Rp ", None, 199_000), ("COP", "$ ", "0.5", 45_000), ("KWD", "", None, 12)],
)
def test_a_point_before_three_digits_divides_thousands_unless_the_currency_has_three_decimals(
    shop: Path, currency: str, sign: str, weight: str | None, price: int
) -> None:
    shown = f"{price}.500" if currency == "KWD" else f"{sign}{price:,}".replace(",", ".")
    rows: Rows = [
        {"order_id": number, "date": "2026-03-03 02:19", "sku": f"s{number % 4}", "quantity": 1,
         "price": shown, "currency": currency} | ({"weight": weight} if weight else {})
        for number in range(20)
    ]  # fmt: skip
    write_table(shop / "s.csv", rows)

    minor = {"KWD": 12_500}.get(currency, price * 100)
    assert set(captured(shop, propose(shop))) == {minor}


WORDS = {
    "cp932": ("緑茶 上級", "青いカップ", "急須セット"), "cp1251": ("Чай зелёный", "Чашка синяя", "Чайник"),
    "koi8_r": ("Чай зелёный", "Чашка синяя", "Чайник"), "gb18030": ("绿茶", "蓝色杯子", "茶壶"),
    "big5": ("綠茶", "藍色杯子", "茶壺"), "cp949": ("녹차", "파란 컵", "주전자"),
    "cp1250": ("Herbata zielona", "Kubek żółty", "Łyżka"),
    "cp1253": ("Πράσινο τσάι", "Μπλε κούπα", "Τσαγιέρα"),
    "cp1254": ("Yeşil çay", "Mavi kupa ığdır", "Çaydanlık"), "cp1255": ("תה ירוק", "ספל כחול", "קומקום"),
    "cp1256": ("شاي أخضر", "كوب أزرق", "إبريق"), "cp1252": ("Grüner Tee", "Größe", "Café crème"),
    "utf-8": ("Grüner Tee", "緑茶", "Чай"),
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "names"), WORDS.items())
def test_the_letters_of_a_table_tell_its_encoding(shop: Path, encoding: str, names: tuple[str, ...]) -> None:
    rows: Rows = [
        {"order_id": number, "date": "2026-03-03 02:19", "product": names[number % 3], "quantity": 1,
         "price": "12.50"}
        for number in range(12)
    ]  # fmt: skip
    write_table(shop / "s.csv", rows)
    path = shop / "s.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    listed = records(convert(shop, propose(shop)), "product_listed")

    assert {each["name"] for each in listed} == set(names)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_encoding_that_decodes_or_none(content: bytes) -> None:
    with suppress(UnknownEncoding):
        codecs.lookup(encoding_of(BytesIO(content)))


def test_a_settlement_in_another_language_is_refused(shop: Path) -> None:
    sold = single(40)
    cells: dict[str, Cell] = {
        "Datum/Uhrzeit": lambda o, _: f"{o.at:%d.%m.%Y %H:%M:%S} UTC", "Abrechnungsnummer": lambda _, __: 777,
        "Typ": lambda _, __: "Bestellung", "Bestellnummer": lambda o, _: o.number,
        "SKU": lambda _, line: line.sku, "Beschreibung": lambda _, line: line.title,
        "Menge": lambda _, line: line.quantity, "Umsätze": lambda _, line: money(line.gross, ","),
        "Verkaufsgebühren": lambda _, line: money(-line.gross // 10, ","),
        "Gesamt": lambda _, line: money(line.gross - line.gross // 10, ","),
    }  # fmt: skip
    write_table(shop / "s.csv", table(sold, **cells), delimiter=";")

    with pytest.raises(UserError, match="looks like a settlement"):
        propose(shop)


@pytest.mark.parametrize("prefix", ["", "shop-", "x" * 40])
def test_an_id_that_no_address_could_have_is_a_rejected_row(shop: Path, prefix: str) -> None:
    longest = MAX_ID_LENGTH - len(prefix)
    ids = [".", "..", "x" * longest, "x" * (longest + 1), "ok"]
    rows: Rows = [
        {"order_id": number, "date": "2026-03-03 02:19", "sku": each, "quantity": 1, "price": "12.50"}
        for number, each in enumerate(ids)
    ]
    write_table(shop / "s.csv", rows)
    text = re.sub(r"id_prefix: .*", f"id_prefix: {json.dumps(prefix)}", propose(shop))

    listed = {each["product_id"] for each in records(convert(shop, text), "product_listed")}

    assert listed == {prefix + each for each in ids if is_id(prefix + each)}
    assert len(listed) == (2 if not prefix else 4)
