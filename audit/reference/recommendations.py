"""Recommendations: how often offers were recommended and clicked, and the order lines that clicks led to."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit.reference.arithmetic import DAY_MS, Value, ratio
from audit.reference.sheet import Sheet
from audit.reference.shop import ORDER, Shop, after_discount, once

EVENTS = {
    "recommendation_shown": ("recommendation_id", "items"),
    "recommendation_clicked": ("recommendation_id", "product_id", "shopper_id"),
    "order_confirmed": (*ORDER, "shopper_id"),
}


@dataclass(slots=True)
class Recommendations:
    """The recommended items of a time, and the order lines of the time that a click led to."""

    impressions: int = 0
    clicks: int = 0
    attributed_orders: set[str] = field(default_factory=set)
    attributed_sales: int = 0


def collect(shop: Shop, sheet: Sheet[Recommendations]) -> None:
    """Count items when they were shown, and order lines when they were placed."""
    clicked: set[tuple[str, str]] = set()
    clicks_ms: dict[tuple[str, str], list[int]] = defaultdict(list)
    for click in shop.events("recommendation_clicked"):
        clicked.add((click["recommendation_id"], click["product_id"]))
        if click["shopper_id"]:
            clicks_ms[click["shopper_id"], click["product_id"]].append(click["occurred_at"])
    for shown in once(shop.events("recommendation_shown"), "event_id"):
        for item in shown["items"]:
            if item["seller_id"] is not None:
                recommendations = sheet.at(item["seller_id"], shown["occurred_at"])
                recommendations.impressions += 1
                recommendations.clicks += (shown["recommendation_id"], item["product_id"]) in clicked
    for order in shop.sales():
        for line in order["lines"]:
            before = clicks_ms.get((order["shopper_id"], line["product_id"]), ())
            if any(0 <= order["placed_at"] - clicked_ms < DAY_MS for clicked_ms in before):
                recommendations = sheet.at(line["seller_id"], order["placed_at"])
                recommendations.attributed_orders.add(order["order_id"])
                recommendations.attributed_sales += after_discount(line)


FORMULAS: Mapping[str, Callable[[Recommendations], Value]] = {
    "recommendation_impressions": lambda found: found.impressions,
    "recommendation_clicks": lambda found: found.clicks,
    "click_through_rate": lambda found: ratio(found.clicks, found.impressions),
    "attributed_orders": lambda found: len(found.attributed_orders),
    "attributed_sales": lambda found: found.attributed_sales,
}
