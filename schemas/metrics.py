"""The outputs of job `metrics`: tables in ClickHouse and sorted sets in Redis.

To add one: `jobs/metrics/<table>.sql` and a line in `METRICS` (CONTRIBUTING.md).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One output: its table and key.

    `watched` is set if pages show live updates of the table. `appended` is set if rows are only added and
    have no version. `in_redis` is set if the output is a sorted set instead of a table.
    """

    table: str
    key: tuple[str, ...]
    watched: bool = True
    appended: bool = False
    in_redis: bool = False


METRICS = (
    Metric("order_lines", ("seller_id", "placed_at", "order_id", "line_number"), appended=True),
    Metric("order_state", ("order_id",), appended=True),
    Metric("seller_sales_minute", ("seller_id", "minute", "currency")),
    Metric("product_sales_minute", ("seller_id", "product_id", "minute", "currency")),
    Metric("marketplace_sales_minute", ("minute", "currency")),
    Metric("payments_minute", ("minute", "method", "currency"), watched=False),
    Metric("popular_products", ("product_id",), watched=False, in_redis=True),
    Metric("trending_products", ("product_id",), watched=False, in_redis=True),
)
