"""The plan of job `facts`, which copies each event's topic into its table."""

from collections.abc import Iterable, Mapping
from typing import Any

from clickhouse.metrics.definition import read_definitions
from common.settings import Settings
from jobs.options import job_config
from jobs.plan import JobOutput, JobPlan
from jobs.sinks import DEFAULT_FLUSH, HISTORY_FLUSH, LIVE_FLUSH, clickhouse
from jobs.sources import DATABASE, FETCH_IMMEDIATELY, FETCH_IN_BATCHES, flink_type, source_table
from schemas.events import EventSchema
from schemas.topics import EVENT_TOPICS, FOREVER

NAME = "facts"

_KEPT = {topic.name for topic in EVENT_TOPICS if topic.retention is FOREVER}

_METRICS = read_definitions()

LIVE_METRICS = ("sales_lines", "sales_orders", "captured_payments", "order_state")
"""The metrics that pages show within a second: sales, payments and the states of orders."""

LIVE_EVENTS = frozenset(fact for metric in LIVE_METRICS for fact in _METRICS[metric].sources)
"""The events of live metrics. The rows of other events may appear a second or more later, because an insert
costs the same whatever its size."""

METRIC_EVENTS = frozenset(fact for metric in _METRICS.values() for fact in metric.sources if fact in _KEPT)
"""The events that feed a metric in ClickHouse (clickhouse/metrics/). What visitors do feeds metrics, too, but
it is much more, and it is not kept for ever."""

CLOCK_EVENT = "order_placed"
"""The busiest of them. Its watermark advances the tables of the others while these have no events."""


LIVE_CONFIG = {
    # How long a network exchange may buffer a row. A row passes two exchanges, so the default of 100 ms
    # costs up to 200 ms. With 20 ms the flushing threads used a fifth of a core even without traffic.
    "execution.buffer-timeout.interval": "50 ms",
    "pipeline.auto-watermark-interval": "200 ms",
}
"""Pages show the rows of this job within a second."""


def plan(settings: Settings, events: Iterable[EventSchema]) -> JobPlan:
    """Return the plan. It copies duplicate events too: the table keeps one row for each event id.

    Without a checkpoint the job starts at the committed offsets. A checkpoint commits offsets after the sinks
    have written all events before them.
    """
    by_name = {event.name: event for event in events}
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME) | LIVE_CONFIG,
        sources=tuple(_source(event, settings) for event in by_name.values()),
        views=(),
        outputs=tuple(_output(event, by_name[CLOCK_EVENT], settings) for event in by_name.values()),
    )


def _source(event: EventSchema, settings: Settings) -> str:
    fetch = FETCH_IMMEDIATELY if event.name in METRIC_EVENTS else FETCH_IN_BATCHES
    return source_table(event, settings, group=NAME, start="committed", fetch=fetch)


def _output(event: EventSchema, clock: EventSchema, settings: Settings) -> JobOutput:
    feeds_metric = event.name in METRIC_EVENTS
    columns = ", ".join(f"`{field['name']}`" for field in event.fields)
    query = f"SELECT {columns} FROM {DATABASE}.{event.name}"
    if feeds_metric and event is not clock:
        query = f"{query}\nUNION ALL\n{_no_rows(event, clock)}"
    return JobOutput(
        table=event.name,
        query=query,
        key=(),
        options=clickhouse(settings, event.name, _flush(event), versioned=False),
    )


def _flush(event: EventSchema) -> str:
    if event.name in LIVE_EVENTS:
        return LIVE_FLUSH
    return DEFAULT_FLUSH if event.name in METRIC_EVENTS else HISTORY_FLUSH


def _no_rows(event: EventSchema, clock: EventSchema) -> str:
    """Return a query with the columns of `event` that has no rows, but the watermark of the clock's topic."""
    columns = ", ".join(
        field["name"] if field["name"] == "occurred_at" else f"CAST(NULL AS {_nullable_type(field)})"
        for field in event.fields
    )
    return f"SELECT {columns} FROM {DATABASE}.{clock.name} WHERE CHAR_LENGTH(event_id) < 0"


def _nullable_type(field: Mapping[str, Any]) -> str:
    return flink_type(field["type"]).removesuffix(" NOT NULL")
