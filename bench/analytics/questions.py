"""Ten questions about one seller and 90 days: as a request to the API, and as a plain query of the rows.

The plain queries read the rows as they are stored, without FINAL. They are the same in ClickHouse and in
PostgreSQL, except for the functions of time and the placeholders of parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from serving.analytics.service.metrics import MetricsRequest
from serving.kit.analytics_context import PeriodRequest
from serving.kit.periods import Grain

Store = Literal["clickhouse", "postgres"]
Group = Literal["", "day", "week", "product", "weekday", "hour"]

_GROUPS: Mapping[Store, Mapping[Group, str]] = {
    "clickhouse": {
        "day": "dateTrunc('day', minute, {timezone:String})",
        "week": "dateTrunc('week', minute, {timezone:String})",
        "product": "product_id",
        "weekday": "toDayOfWeek(toTimeZone(minute, {timezone:String}))",
        "hour": "toHour(toTimeZone(minute, {timezone:String}))",
    },
    "postgres": {
        "day": "date_trunc('day', minute, $5)",
        "week": "date_trunc('week', minute, $5)",
        "product": "product_id",
        "weekday": "extract(isodow FROM minute AT TIME ZONE $5)",
        "hour": "extract(hour FROM minute AT TIME ZONE $5)",
    },
}
_FILTERS: Mapping[Store, str] = {
    "clickhouse": "seller_id = {seller_id:String} AND currency = {currency:String} "
    "AND minute >= {period_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')}",
    "postgres": "seller_id = $1 AND currency = $2 AND minute >= $3 AND minute < $4",
}
_PRODUCT: Mapping[Store, str] = {
    "clickhouse": "product_id = {product_id:String}",
    "postgres": "product_id = $6",
}

_NET, _ORDERS, _CANCELLED, _UNITS = "revenue_minor", "orders", "cancelled_orders", "units"
_ALL = (
    *("gross_minor", "discount_minor", "cancelled_gross_minor", "cancelled_discount_minor", "returned_minor"),
    *(_NET, "shipping_minor", _ORDERS, _CANCELLED, _UNITS, "cancelled_units", "returned_units"),
)
_ALL_METRICS = (
    *("net_sales", "gross_sales", "discounts", "cancellations", "returns", "shipping", "orders"),
    *("cancelled_orders", "cancellation_rate", "units", "net_units", "return_rate"),
)


@dataclass(frozen=True)
class AnalyticsQuestion:
    """A question about a seller: the columns `sums` are added up by `group`; `top` rows are listed."""

    name: str
    metrics: tuple[str, ...]
    sums: tuple[str, ...]
    group: Group = ""
    grain: Grain = "month"
    top: int = 0
    of_product: bool = False

    def request(self, start: str, end: str, product_id: str) -> MetricsRequest:
        """Return the request to the API; `start` and `end` are days."""
        by = self.group if self.group in ("product", "weekday", "hour") else None
        product = product_id if self.of_product else None
        period = PeriodRequest(start, end, self.grain)
        return MetricsRequest(self.metrics, period, "none", by, self.top or 10, product)

    def sql(self, store: Store, table: str, condition: str = "") -> str:
        """Return the plain query of a table; `condition` restricts its rows further."""
        group = _GROUPS[store].get(self.group, "")
        columns = ", ".join([*([group] if group else []), *(f"sum({name})" for name in self.sums)])
        where = [_FILTERS[store], *([_PRODUCT[store]] if self.of_product else []), condition]
        query = f"SELECT {columns} FROM {table} WHERE {' AND '.join(filter(None, where))}"
        if group:
            query += f" GROUP BY {group}"
        return f"{query} ORDER BY sum({self.sums[0]}) DESC, 1 LIMIT {self.top}" if self.top else query


QUESTIONS = (
    AnalyticsQuestion("net sales by day", ("net_sales",), (_NET,), "day", "day"),
    AnalyticsQuestion("12 metrics by day", _ALL_METRICS, _ALL, "day", "day"),
    AnalyticsQuestion("12 metrics, the whole period", _ALL_METRICS, _ALL),
    AnalyticsQuestion(
        "average order value by week", ("average_order_value",), (_NET, _ORDERS, _CANCELLED), "week", "week"
    ),
    AnalyticsQuestion("10 products by net sales", ("net_sales",), (_NET,), "product", top=10),
    AnalyticsQuestion("10 products by units", ("units", "net_sales"), (_UNITS, _NET), "product", top=10),
    AnalyticsQuestion("net sales by weekday", ("net_sales",), (_NET,), "weekday"),
    AnalyticsQuestion("orders by hour of the day", ("orders",), (_ORDERS,), "hour"),
    AnalyticsQuestion("return rate by day", ("return_rate",), ("returned_units", _UNITS), "day", "day"),
    AnalyticsQuestion("one product by day", ("net_sales",), (_NET,), "day", "day", of_product=True),
)
