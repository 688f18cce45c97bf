"""Shapes rows of the queries about price changes and about products bought together. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from common.clock import from_millis
from common.money import divide_half_up
from serving.analytics.presenters.customers import share
from serving.analytics.presenters.sales import change
from serving.analytics.schemas.product_insights import PriceChange, PriceWindow, ProductPair
from serving.kit.csv_writer import money_fields
from serving.kit.names import UNNAMED, ProductName

Row = Mapping[str, Any]

NOTES = (
    "A comparison of before and after, not an experiment: whatever else changed at that time counts, too.",
    "Seasons, holidays, campaigns, offers of other sellers and times without stock change sales, too.",
    "A price that is cut because sales were low, or raised because they were high, seems to work even if it "
    "does nothing: extreme weeks are followed by ordinary ones.",
    "A lower price can bring forward what would have been bought later.",
    "Windows that are not whole weeks have different weekdays before and after.",
    "Returns are left out: those of the days after have not all come back.",
)
"""What biases the comparison of the days before and after a price change."""


def price_change(row: Row, days: int, names: Mapping[str, ProductName], zone: ZoneInfo) -> PriceChange:
    """Return a price change from its row of `seller_price_changes`; `days` were asked for."""
    before, after = _window(row, "before"), _window(row, "after")
    old_price, new_price = int(row["old_price_minor"]), int(row["new_price_minor"])
    changed = change(after["net_sales"], before["net_sales"])
    changed_at: datetime = from_millis(int(row["changed_ms"])).astimezone(zone)
    return {
        "product_id": row["product_id"],
        "label": names.get(row["product_id"], UNNAMED).name,
        "changed_at": changed_at,
        "old_price": old_price,
        "new_price": new_price,
        "price_change": change(new_price, old_price),
        "days": int(row["days"]),
        "complete": int(row["days"]) == days,
        "before": before,
        "after": after,
        "units_change": change(after["units"], before["units"]),
        "revenue_change": changed,
        "net_sales_change": changed,
    }


def _window(row: Row, side: Literal["before", "after"]) -> PriceWindow:
    days, orders, units = (int(row[name]) for name in ("days", f"orders_{side}", f"units_{side}"))
    net_sales, sessions = int(row[f"revenue_{side}_minor"]), int(row[f"sessions_{side}"])
    per_day = divide_half_up(net_sales, days) if days else None
    return {
        "orders": orders,
        "units": units,
        "revenue": net_sales,
        "viewing_sessions": sessions,
        "units_per_day": share(units, days),
        "revenue_per_day": per_day,
        "orders_per_session": share(orders, sessions),
        "net_sales": net_sales,
        "net_sales_per_day": per_day,
    }


def pairs(rows: Sequence[Row], names: Mapping[str, ProductName]) -> list[ProductPair]:
    """Return the pairs of `seller_bought_together`; a row without products is about a seller without one."""
    return [_pair(row, names) for row in rows if row["product_a"]]


def _pair(row: Row, names: Mapping[str, ProductName]) -> ProductPair:
    every, both = int(row["orders"]), int(row["together"])
    orders_a, orders_b = int(row["orders_a"]), int(row["orders_b"])
    return {
        "product_a": row["product_a"],
        "label_a": names.get(row["product_a"], UNNAMED).name,
        "product_b": row["product_b"],
        "label_b": names.get(row["product_b"], UNNAMED).name,
        "orders": both,
        "orders_a": orders_a,
        "orders_b": orders_b,
        "support": _ratio(both, every),
        "confidence_a": _ratio(both, orders_a),
        "confidence_b": _ratio(both, orders_b),
        "lift": _ratio(both * every, orders_a * orders_b),
    }


def _ratio(part: int, whole: int) -> float:
    """Return a ratio of orders with four decimals; there is at least one order."""
    return share(part, whole) or 0.0


_WINDOW_COLUMNS = tuple(PriceWindow.__annotations__)
_CHANGE_COLUMNS = ("product_id", "label", "changed_at", "old_price", "new_price", "price_change", "days")

PRICE_CHANGE_COLUMNS = (
    *_CHANGE_COLUMNS,
    "complete",
    *(f"{name}_{side}" for side in ("before", "after") for name in _WINDOW_COLUMNS),
    "units_change",
    "revenue_change",
    "net_sales_change",
)

PRICE_CHANGE_MONEY = money_fields(PriceChange) | {
    f"{name}_{side}" for side in ("before", "after") for name in money_fields(PriceWindow)
}


def price_change_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: a row for each price change."""
    for each in content["changes"]:
        windows = {
            f"{name}_{side}": each[side][name] for side in ("before", "after") for name in _WINDOW_COLUMNS
        }
        yield {**each, **windows, "complete": "true" if each["complete"] else "false"}
