"""Exports of shops' software, rebuilt with their published columns: a proposed mapping gives the file's "
"own sums."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import UserError
from producers.importer.mapped.guess.proposal import propose
from producers.importer.mapped.mapping import Mapping, parse_mapping
from tests import exports
from tests.exports import SoldOrder, money
from tests.imports import convert, records


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def guessed(directory: Path) -> tuple[str, Mapping]:
    text = propose(directory)
    return text, parse_mapping(text, "guessed")


def require_sums(directory: Path, text: str, sold: list[SoldOrder], returned: bool = True) -> None:
    """Check orders, shoppers, units, cancellations and money of an import against the orders that were "
    "written."""
    conversion = convert(directory, text)
    placed = records(conversion, "order_placed")
    paid = [order for order in sold if order.status != "cancelled"]
    assert len(placed) == len(sold)
    assert len({each["shopper_id"] for each in placed}) == len({order.buyer for order in sold})
    units = sum(line["quantity"] for each in placed for line in each["lines"])
    assert units == sum(line.quantity for order in sold for line in order.lines)
    captured = [each["amount_minor"] for each in records(conversion, "payment_captured")]
    assert sorted(captured) == sorted(order.total for order in paid)
    assert len(records(conversion, "order_cancelled")) == len(sold) - len(paid)
    back = {each["order_id"] for each in records(conversion, "payment_refunded")}
    assert len(back) == (sum(order.status == "refunded" for order in sold) if returned else 0)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("discounts", [False, True])
def test_shopify_gives_the_column_total_with_the_tax_inside_or_outside(
    shop: Path, inside: bool, discounts: bool
) -> None:
    sold = exports.orders(inside=inside, discounts=discounts)
    exports.shopify(shop, sold, currency="EUR", country="FR")

    text, mapping = guessed(shop)

    assert "Recognised by its columns: Shopify's export of orders" in text
    assert (mapping.tax is None) == inside
    live = [order for order in sold if order.status == "paid"]
    total = money(sum(order.total for order in live))
    assert (
        f'€{total[:-6] + "," if len(total) > 6 else ""}{total[-6:]} in {len(live)} orders = column "Total"'
        in text
    )
    require_sums(shop, text, sold)


def test_woocommerce_gives_its_totals(shop: Path) -> None:
    sold = exports.orders()
    exports.woocommerce(shop, sold)

    require_sums(shop, guessed(shop)[0], sold)


@pytest.mark.parametrize("write", [exports.amazon_all, exports.amazon_report])
@pytest.mark.parametrize(("currency", "inside"), [("USD", False), ("EUR", True)])
def test_amazon_has_amounts_of_lines_and_no_seller_or_shopper_column(
    shop: Path, write: Callable[..., None], currency: str, inside: bool
) -> None:
    sold = [order for order in exports.orders(inside=inside) if order.status == "paid"]
    write(shop, sold, currency)

    text, mapping = guessed(shop)
    conversion = convert(shop, text)

    assert mapping.price.of == "line"
    assert mapping.seller.id == "shop"
    assert (mapping.tax is None) == inside
    assert "NOT CHECKED" in text
    captured = [each["amount_minor"] for each in records(conversion, "payment_captured")]
    assert sorted(captured) == sorted(order.total for order in sold)
    shoppers = {each["shopper_id"] for each in records(conversion, "order_placed")}
    guests = write is exports.amazon_all
    assert len(shoppers) == (len(sold) if guests else len({order.buyer for order in sold}))


def test_amazon_s_cancelled_lines_have_no_price_and_are_accounted_for(shop: Path) -> None:
    sold = exports.orders(inside=True)
    exports.amazon_all(shop, sold, "EUR")

    text, _ = guessed(shop)
    conversion = convert(shop, text)

    cancelled = [order for order in sold if order.status == "cancelled"]
    assert len(records(conversion, "order_placed")) == len(sold) - len(cancelled)
    assert sum(conversion.findings.files[0].unused.values()) == sum(len(order.lines) for order in cancelled)


def test_etsy_joins_items_and_orders_on_the_order_id_although_a_sale_date_is_unique(shop: Path) -> None:
    sold = [order for order in exports.orders(count=20) if order.status == "paid"]
    by_day = {
        order.at.date(): order for order in sold
    }  # each on a day of its own, so that dates identify orders
    sold = list(by_day.values())
    exports.etsy(shop, sold)

    text, mapping = guessed(shop)

    assert [(join.on, join.key_column) for join in mapping.joins] == [("Order ID", "Order ID")]
    require_sums(shop, text, sold, returned=False)


def test_etsy_s_cancelled_and_refunded_orders_are_no_sales(shop: Path) -> None:
    sold = exports.orders(count=30)
    exports.etsy(shop, sold)

    text, mapping = guessed(shop)

    assert mapping.status is not None
    require_sums(shop, text, sold)


def test_ebay_gives_its_totals_and_no_tax_is_a_seller(shop: Path) -> None:
    sold = [order for order in exports.orders(discounts=False) if order.status == "paid"]
    exports.ebay(shop, sold)

    text, mapping = guessed(shop)

    assert mapping.seller.id == "shop"
    require_sums(shop, text, sold, returned=False)


@pytest.mark.parametrize("inside", [False, True])
def test_square_reads_the_time_of_day_in_its_zone_and_returns(shop: Path, inside: bool) -> None:
    sold = [order for order in exports.orders(inside=inside, shipping=False) if order.status != "cancelled"]
    exports.square(shop, sold)

    text, mapping = guessed(shop)

    assert (mapping.time.column, mapping.time.zone) == (["Date", "Time"], "America/New_York")
    assert mapping.payment is None
    assert mapping.returns.negative_quantity
    require_sums(shop, text, sold)


@pytest.mark.parametrize(("language", "currency"), [("pt", "BRL"), ("es", "ARS")])
def test_mercado_livre_has_one_order_for_each_sale(shop: Path, language: str, currency: str) -> None:
    sold = [
        SoldOrder(
            order.number * 10 + place,
            order.at,
            order.buyer,
            (line,),
            0,
            0 if place else order.shipping,
            True,
            order.status,
        )
        for order in exports.orders(count=60, discounts=False)
        for place, line in enumerate(order.lines)
    ]
    exports.mercado(shop, sold, language)

    text, mapping = guessed(shop)

    assert mapping.currency.only == currency
    assert mapping.order.column != ["Venda por publicidade"]
    require_sums(shop, text, sold)


@pytest.mark.parametrize("inside", [False, True])
def test_magento_gives_its_grand_total(shop: Path, inside: bool) -> None:
    sold = exports.orders(inside=inside)
    exports.magento(shop, sold)

    require_sums(shop, guessed(shop)[0], sold)


def test_prestashop_gives_what_was_paid(shop: Path) -> None:
    sold = exports.orders(inside=True)
    exports.prestashop(shop, sold)

    require_sums(shop, guessed(shop)[0], sold)


@pytest.mark.parametrize("inside", [False, True])
def test_bigcommerce_gives_its_totals_if_each_product_has_a_row(shop: Path, inside: bool) -> None:
    sold = exports.orders(inside=inside)
    exports.bigcommerce_items(shop, sold)

    require_sums(shop, guessed(shop)[0], sold)


def test_products_in_one_cell_are_refused(shop: Path) -> None:
    exports.bigcommerce(shop, exports.orders())

    with pytest.raises(
        UserError, match="BigCommerce's export of orders: all products of an order are in one cell"
    ):
        propose(shop)
