"""Sales: what was sold, cancelled and returned. Everything counts when its order was placed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit.reference.arithmetic import Value, each, ratio
from audit.reference.shop import CANCELLATION, ORDER, REFUND, Event, Shop, given_back, lines_of
from audit.reference.totals import Sheet

EVENTS = {"order_confirmed": ORDER, "order_cancelled": CANCELLATION, "payment_refunded": REFUND}


@dataclass(slots=True)
class Sales:
    """The sales of a time. Amounts are in the smallest unit of the currency."""

    orders: set[str] = field(default_factory=set)
    cancelled_orders: set[str] = field(default_factory=set)
    lines: int = 0
    units: int = 0
    cancelled_units: int = 0
    returned_units: int = 0
    gross: int = 0
    discounts: int = 0
    shipping: int = 0
    tax: int = 0
    cancelled_gross: int = 0
    cancelled_discounts: int = 0
    cancelled_shipping: int = 0
    cancelled_tax: int = 0
    returned: int = 0
    vouchers: int = 0
    marketplace: int = 0

    @property
    def cancelled(self) -> int:
        """What cancelled lines were worth."""
        return self.cancelled_gross - self.cancelled_discounts

    @property
    def net(self) -> int:
        """What is left of the gross sales."""
        return self.gross - self.discounts - self.cancelled - self.returned

    @property
    def total(self) -> int:
        """What shoppers paid, less what they got back: a cancellation gives back shipping and tax, too."""
        kept_besides = self.shipping - self.cancelled_shipping + self.tax - self.cancelled_tax
        return self.net + kept_besides


def collect(shop: Shop, sheet: Sheet[Sales]) -> None:
    """Add up the lines of confirmed orders, of those that were cancelled, and of refunded returns."""
    for order, line in lines_of(shop.sales()):
        sales = sheet.at(line["seller_id"], order["placed_at"])
        sales.orders.add(order["order_id"])
        sales.lines += 1
        sales.units += line["quantity"]
        sales.gross += line["quantity"] * line["unit_price_minor"]
        sales.discounts += line["discount_minor"]
        sales.shipping += line["shipping_minor"]
        sales.tax += line["tax_minor"]
        sales.vouchers += of_voucher(line)
        sales.marketplace += line["marketplace_minor"] or 0
    for order, line in lines_of(shop.cancelled_sales()):
        sales = sheet.at(line["seller_id"], order["placed_at"])
        sales.cancelled_orders.add(order["order_id"])
        sales.cancelled_units += line["quantity"]
        sales.cancelled_gross += line["quantity"] * line["unit_price_minor"]
        sales.cancelled_discounts += line["discount_minor"]
        sales.cancelled_shipping += line["shipping_minor"]
        sales.cancelled_tax += line["tax_minor"]
        sales.vouchers -= of_voucher(line)
        sales.marketplace -= line["marketplace_minor"] or 0
    for refund, line in lines_of(shop.refunds()):
        if refund["placed_at"] is not None:
            sales = sheet.at(refund["seller_id"], refund["placed_at"])
            sales.returned_units += line["quantity"]
            sales.returned += given_back(line)
            sales.marketplace -= line["marketplace_minor"] or 0


def of_voucher(line: Event) -> int:
    """Return what the seller's own vouchers take off a line."""
    has_voucher = line["line_voucher_id"] is not None or line["order_voucher_id"] is not None
    return int(line["discount_minor"]) if has_voucher else 0


FORMULAS: Mapping[str, Callable[[Sales], Value]] = {
    "gross_sales": lambda sales: sales.gross,
    "discounts": lambda sales: sales.discounts,
    "voucher_cost": lambda sales: sales.vouchers,
    "marketplace_vouchers": lambda sales: sales.marketplace,
    "cancellations": lambda sales: sales.cancelled,
    "returns": lambda sales: sales.returned,
    "net_sales": lambda sales: sales.net,
    "shipping": lambda sales: sales.shipping,
    "tax": lambda sales: sales.tax,
    "total_sales": lambda sales: sales.total,
    "orders": lambda sales: len(sales.orders),
    "cancelled_orders": lambda sales: len(sales.cancelled_orders),
    "units": lambda sales: sales.units,
    "net_units": lambda sales: sales.units - sales.cancelled_units - sales.returned_units,
    "average_order_value": lambda sales: each(sales.net, len(sales.orders) - len(sales.cancelled_orders)),
    "average_unit_price": lambda sales: each(sales.gross, sales.units),
    "units_per_order": lambda sales: ratio(sales.units, len(sales.orders)),
    "discount_rate": lambda sales: ratio(sales.discounts, sales.gross),
    "cancellation_rate": lambda sales: ratio(len(sales.cancelled_orders), len(sales.orders)),
    "return_rate": lambda sales: ratio(sales.returned_units, sales.units),
}
