"""Job `metrics`: the list of its outputs, each a `.sql` file of this folder, as a plan.

To add one: write `<table>.sql` (a SELECT whose columns are the table's) and a line in `METRICS`; its
ClickHouse table is a migration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.settings import Settings
from jobs.options import job_config
from jobs.plan import Output, Plan
from jobs.queries import Queries
from jobs.sinks import CALM, LIVE, clickhouse, redis_ranking
from jobs.sources import source_table
from schemas.events import Event

NAME = "metrics"
QUERIES = Queries(Path(__file__).parent)

EVENTS = (
    "order_placed",
    "order_confirmed",
    "order_shipped",
    "order_delivered",
    "order_cancelled",
    "payment_captured",
)
"""The events that the views and metrics read."""

FUNCTIONS = {
    "order_totals": "souk.flink.orders.LineTotals$OfOrder",
    "seller_totals": "souk.flink.orders.LineTotals$OfSeller",
    "product_totals": "souk.flink.orders.LineTotals$OfProduct",
}
"""Name in the queries → Java class: the lines of one order, added up (jobs/connectors/README.md)."""

VIEWS = ("placed", "placed_lines", "popularity", "cancelled", "captured", "order_changes")
"""Files of `views/`, each after those it reads."""


@dataclass(frozen=True)
class Metric:
    """One output: its table and key. `appended` where rows are only added, without a version."""

    table: str
    key: tuple[str, ...]
    flush: str = LIVE
    appended: bool = False
    in_redis: bool = False


METRICS = (
    Metric("order_lines", ("seller_id", "placed_at", "order_id", "line_number"), appended=True),
    Metric("order_state", ("order_id",), appended=True),
    Metric("seller_sales_minute", ("seller_id", "minute", "currency")),
    Metric("product_sales_minute", ("seller_id", "product_id", "minute", "currency")),
    Metric("marketplace_sales_minute", ("minute", "currency")),
    Metric("seller_cancellations_minute", ("seller_id", "minute", "currency"), CALM),
    Metric("marketplace_cancellations_minute", ("minute", "currency"), CALM),
    Metric("payments_minute", ("minute", "method", "currency"), CALM),
    Metric("popular_products", ("product_id",), CALM, in_redis=True),
    Metric("trending_products", ("product_id",), CALM, in_redis=True),
)


def plan(settings: Settings, events: Mapping[str, Event]) -> Plan:
    """All metrics as one job, so that each topic is read and decoded once.

    Without a checkpoint it starts at the beginning of the topics, whatever its group has committed: a sum
    that starts in the middle is wrong.
    """
    return Plan(
        name=NAME,
        config=job_config(settings, NAME),
        sources=tuple(source_table(events[n], settings, group=NAME, start="earliest") for n in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(_output(metric, settings) for metric in METRICS),
        functions=FUNCTIONS,
    )


def _output(metric: Metric, settings: Settings) -> Output:
    if metric.in_redis:
        options = redis_ranking(settings, metric.table)
    else:
        options = clickhouse(settings, metric.table, metric.flush, versioned=not metric.appended)
    key = () if metric.appended else metric.key
    return Output(metric.table, QUERIES.of(metric.table), key, options)
