"""Job `metrics` as a plan: the outputs of `schemas/metrics.py`, each a `.sql` file of this folder."""

from collections.abc import Mapping
from pathlib import Path

from common.settings import Settings
from jobs.options import job_config
from jobs.plan import Output, Plan
from jobs.queries import Queries
from jobs.sinks import CALM, LIVE, clickhouse, redis_ranking
from jobs.sources import source_table
from schemas.events import Event
from schemas.metrics import METRICS, Metric

NAME = "metrics"
QUERIES = Queries(Path(__file__).parent)

EVENTS = QUERIES.events()
"""The events that the views and metrics read."""

FUNCTIONS = {
    "order_totals": "souk.flink.orders.LineTotals$OfOrder",
    "seller_totals": "souk.flink.orders.LineTotals$OfSeller",
    "product_totals": "souk.flink.orders.LineTotals$OfProduct",
    "decayed_sum": "souk.flink.orders.DecayedSum",
    "unix_s": "souk.flink.time.UnixSeconds",
}
"""Name in the queries → Java class (jobs/connectors/README.md)."""

VIEWS = ("placed", "placed_lines", "popularity", "cancelled", "captured", "order_changes")
"""Files of `views/`, each after those it reads."""


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
        flush = LIVE if metric.watched else CALM
        options = clickhouse(settings, metric.table, flush, versioned=not metric.appended)
    key = () if metric.appended else metric.key
    return Output(metric.table, QUERIES.of(metric.table), key, options)
