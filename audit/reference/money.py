"""Money: what the marketplace owes a seller, and what is left after costs. It counts when it is booked."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from audit.reference.arithmetic import Value, ratio
from audit.reference.shop import (
    CANCELLATION,
    ORDER,
    REFUND,
    Event,
    Shop,
    after_discount,
    given_back,
    lines_of,
    once,
)
from audit.reference.totals import Sheet

EVENTS = {
    "order_confirmed": ORDER,
    "order_cancelled": CANCELLATION,
    "payment_refunded": REFUND,
    "order_shipped": ("order_id", "seller_id"),
    "order_delivered": ("order_id", "seller_id"),
    "payout_paid": ("payout_id", "seller_id", "currency", "amount_minor"),
    "product_cost_set": (
        "seller_id", "product_id", "valid_from", "version", "removed", "currency", "unit_cost_minor",
    ),
}  # fmt: skip

Costs = Mapping[tuple[str, str], Mapping[int, int]]
"""(seller, product) → from when a cost is valid → the cost of a unit."""


@dataclass(slots=True)
class Money:
    """What was booked in a time. Amounts are in the smallest unit of the currency.

    `units_with_cost` are units whose cost is known, counted whether they were sold or given back;
    `earned_with_cost` and `income_with_cost` are earnings and income with such units. `earned_at` is what was
    earned with orders by how far these are now.
    """

    sold: int = 0
    sold_shipping: int = 0
    cancelled: int = 0
    cancelled_shipping: int = 0
    refunded: int = 0
    commission: int = 0
    paid_out: int = 0
    cost: int = 0
    units_with_cost: int = 0
    units_without_cost: int = 0
    earned_with_cost: int = 0
    income_with_cost: int = 0
    earned_at: Counter[str] = field(default_factory=Counter)

    @property
    def earned(self) -> int:
        """What the seller is owed."""
        sales = self.sold + self.sold_shipping - self.cancelled - self.cancelled_shipping
        return sales - self.refunded - self.commission

    @property
    def profit(self) -> int | None:
        """What is left of the earnings with units whose cost is known; None if no unit's cost is known."""
        if self.units_without_cost and not self.units_with_cost:
            return None
        return self.earned_with_cost - self.cost


def collect(shop: Shop, sheet: Sheet[Money]) -> None:
    """Book sales when they are confirmed; cancellations, refunds and payouts when they happen."""
    costs = known_costs(shop)
    stage = stages(shop)
    for order, line in lines_of(shop.sales()):
        money = sheet.at(line["seller_id"], order["occurred_at"])
        price, kept = after_discount(line), commission(line)
        money.sold += price
        money.sold_shipping += line["shipping_minor"]
        money.commission += kept
        cost = cost_of(costs, line["seller_id"], line, order["placed_at"])
        _book_units(money, line["quantity"], cost, price + line["shipping_minor"], kept)
        earned = price + line["shipping_minor"] - kept
        money.earned_at[stage(order["order_id"], line["seller_id"])] += earned
    for order, line in lines_of(shop.cancelled_sales()):
        money = sheet.at(line["seller_id"], order["occurred_at"])
        price, kept = after_discount(line), commission(line)
        money.cancelled += price
        money.cancelled_shipping += line["shipping_minor"]
        money.commission -= kept
        cost = cost_of(costs, line["seller_id"], line, order["placed_at"])
        _book_units(money, -line["quantity"], cost, -price - line["shipping_minor"], -kept)
    for refund, line in lines_of(shop.refunds()):
        money = sheet.at(refund["seller_id"], refund["occurred_at"])
        money.refunded += given_back(line)
        cost = cost_of(costs, refund["seller_id"], line, refund["placed_at"])
        _book_units(money, -line["quantity"], cost, -given_back(line), 0)
        money.earned_at[stage(refund["order_id"], refund["seller_id"])] -= given_back(line)
    for payout in filter(shop.is_in_currency, once(shop.events("payout_paid"), "payout_id")):
        sheet.at(payout["seller_id"], payout["occurred_at"]).paid_out += payout["amount_minor"]


def stages(shop: Shop) -> Callable[[str, str], str]:
    """Return a function that says how far a seller's part of an order is: its arguments are their ids."""
    shipped, delivered = (
        {(event["order_id"], event["seller_id"]) for event in shop.events(kind)}
        for kind in ("order_shipped", "order_delivered")
    )
    cancelled = {event["order_id"] for event in shop.events("order_cancelled")}

    def stage(order_id: str, seller_id: str) -> str:
        if order_id in cancelled:
            return "cancelled"
        if (order_id, seller_id) in delivered:
            return "delivered"
        return "on_the_way" if (order_id, seller_id) in shipped else "to_ship"

    return stage


def commission(line: Event) -> int:
    """Return the commission of a line without shipping, rounded half up to the smallest unit."""
    exact = Decimal(after_discount(line)) * line["commission_bp"] / 10_000
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def known_costs(shop: Shop) -> Costs:
    """Return the costs that sellers have set in the shop's currency, without those that they took back.

    Of several costs of a product that are valid from the same moment, the one of the last version counts.
    """
    last: dict[tuple[str, str, int], Event] = {}
    for event in shop.events("product_cost_set"):
        key = event["seller_id"], event["product_id"], event["valid_from"]
        if key not in last or event["version"] > last[key]["version"]:
            last[key] = event
    costs: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for (seller_id, product_id, valid_from), event in last.items():
        if not event["removed"] and shop.is_in_currency(event):
            costs[seller_id, product_id][valid_from] = event["unit_cost_minor"]
    return costs


def cost_of(costs: Costs, seller_id: str, line: Event, placed_at: int | None) -> int | None:
    """Return the cost of a unit that was valid when its order was placed; None if it is not known."""
    if placed_at is None:
        return None
    of_product = costs.get((seller_id, line["product_id"]), {})
    valid_from = max((moment for moment in of_product if moment <= placed_at), default=None)
    return None if valid_from is None else of_product[valid_from]


def _book_units(money: Money, units: int, cost: int | None, income: int, commission: int) -> None:
    """Book units: a number below 0 is given back."""
    if cost is None:
        money.units_without_cost += abs(units)
    else:
        money.units_with_cost += abs(units)
        money.cost += units * cost
        money.income_with_cost += income
        money.earned_with_cost += income - commission


FORMULAS: Mapping[str, Callable[[Money], Value]] = {
    "sales_income": lambda money: money.sold + money.sold_shipping,
    "cancelled_income": lambda money: money.cancelled + money.cancelled_shipping,
    "refunds_charged": lambda money: money.refunded,
    "commission": lambda money: money.commission,
    "commission_rate": lambda money: ratio(money.commission, money.sold - money.cancelled),
    "net_earnings": lambda money: money.earned,
    "payouts": lambda money: money.paid_out,
    "unpaid_earnings": lambda money: money.earned - money.paid_out,
    "earnings_to_ship": lambda money: money.earned_at["to_ship"],
    "earnings_on_the_way": lambda money: money.earned_at["on_the_way"],
    "earnings_delivered": lambda money: money.earned_at["delivered"],
    "cost_of_goods": lambda money: money.cost,
    "profit": lambda money: money.profit,
    "profit_margin": lambda money: ratio(money.earned_with_cost - money.cost, money.income_with_cost),
    "earnings_without_cost": lambda money: money.earned - money.earned_with_cost,
    "units_without_cost": lambda money: money.units_without_cost,
    "cost_known_share": lambda money: ratio(
        money.units_with_cost, money.units_with_cost + money.units_without_cost
    ),
}
