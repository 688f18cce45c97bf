"""The outputs of job `metrics`: tables in ClickHouse and sorted sets in Redis.

To add one: `jobs/metrics/<table>.sql` and a line in `METRICS` (CONTRIBUTING.md). Metrics that need neither
time nor state are rows that ClickHouse derives from the facts: `clickhouse/metrics/`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricOutput:
    """One output: its table and key.

    `has_live_updates` is set if pages show live updates of the table. `in_redis` is set if the output is a
    sorted set instead of a table.
    """

    table: str
    key: tuple[str, ...]
    has_live_updates: bool = True
    in_redis: bool = False


METRICS = (
    MetricOutput("marketplace_sales_minute", ("minute", "currency")),
    MetricOutput("payments_minute", ("minute", "method", "currency"), has_live_updates=False),
    MetricOutput("popular_products", ("product_id",), has_live_updates=False, in_redis=True),
    MetricOutput("trending_products", ("product_id",), has_live_updates=False, in_redis=True),
)
