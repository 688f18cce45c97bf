"""The plan of job `metrics`: the outputs of `schemas/metrics.py`, each a `.sql` file in this folder."""

from collections.abc import Mapping
from pathlib import Path

from common.settings import Settings
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.options import job_config
from jobs.plan import JobOutput, JobPlan
from jobs.queries import QueryFolder
from jobs.sinks import DEFAULT_FLUSH, LIVE_FLUSH, clickhouse, redis_ranking
from jobs.sources import source_table
from schemas.events import EventSchema
from schemas.metrics import METRICS, MetricOutput

NAME = "metrics"
QUERIES = QueryFolder(Path(__file__).parent)

EVENTS = QUERIES.events()
"""The events that the views and metrics read."""

FUNCTIONS = {
    "order_totals": "souk.flink.orders.OrderLineTotals",
    "decayed_sum": "souk.flink.orders.DecayedSum",
    "unix_s": "souk.flink.time.UnixSeconds",
}
"""Name in the queries → Java class (jobs/connectors/README.md)."""

VIEWS = (
    "sold",
    "cancelled",
    "returned",
    "popularity",
    "captured",
)
"""Files of `views/`; a view comes after the views that it reads."""


def plan(settings: Settings, events: Mapping[str, EventSchema]) -> JobPlan:
    """Return the plan. One job computes all metrics, so that each topic is read and decoded once.

    Without a checkpoint the job starts at the first message of its topics and ignores committed offsets: a
    sum needs all events.
    """
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME),
        sources=tuple(source_table(events[name], settings, group=NAME, start="earliest") for name in EVENTS),
        views=QUERIES.views(VIEWS),
        outputs=tuple(_output(metric, settings) for metric in METRICS),
        functions=FUNCTIONS,
        function_code=function_code(FUNCTIONS, SOURCES),
    )


def _output(metric: MetricOutput, settings: Settings) -> JobOutput:
    if metric.in_redis:
        options = redis_ranking(settings, metric.table)
    else:
        flush = LIVE_FLUSH if metric.has_live_updates else DEFAULT_FLUSH
        options = clickhouse(settings, metric.table, flush, versioned=True)
    return JobOutput(metric.table, QUERIES.of(metric.table), metric.key, options)
