"""The plan of job `facts`, which copies each event's topic and the reports of outbox relays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clickhouse.metrics.definition import read_definitions
from common.settings import Settings
from jobs.plan import DATABASE, JobOutput, JobPlan, with_clause
from jobs.sinks import DEFAULT_FLUSH, HISTORY_FLUSH, LIVE_FLUSH, clickhouse, job_config
from jobs.sources import FETCH_IMMEDIATELY, FETCH_IN_BATCHES, flink_type, source_table
from schemas.events import EventSchema, all_events
from schemas.topics import EVENT_TOPICS, FOREVER, OUTBOX_PROGRESS

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


PROGRESS_TABLE = "pipeline_progress"
PROGRESS_FLUSH = "500 ms"
_PROGRESS_QUERY = Path(__file__).with_name("outbox_progress.sql")

LIVE_CONFIG = {
    # How long a network exchange may buffer a row. A row passes two exchanges, so the default of 100 ms
    # costs up to 200 ms. With 20 ms the flushing threads used a fifth of a core even without traffic.
    "execution.buffer-timeout.interval": "50 ms",
    "pipeline.auto-watermark-interval": "200 ms",
}
"""Pages show the rows of this job within a second."""


def plan(settings: Settings) -> JobPlan:
    """Return the plan. It copies duplicate events too: the table keeps one row for each event id.

    It also copies the reports of the services' outbox relays into `pipeline_progress`, where they limit
    `as_of`: a table's watermark follows the newest event that arrived from any of its topics. Older events
    may be missing while their relay is down or their transaction is open. A report contains the time before
    which no event of the service is missing.

    Without a checkpoint the job starts at the committed offsets. A checkpoint commits offsets after the sinks
    have written all events before them.
    """
    events = all_events()
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME) | LIVE_CONFIG,
        sources=(*(_source(event, settings) for event in events.values()), _progress_source(settings)),
        views=(),
        outputs=(
            *(_output(event, events[CLOCK_EVENT], settings) for event in events.values()),
            _progress_output(settings),
        ),
    )


def _progress_source(settings: Settings) -> str:
    options = {
        "connector": "kafka",
        "topic": OUTBOX_PROGRESS.name,
        "properties.bootstrap.servers": settings.kafka,
        "properties.group.id": NAME,
        "properties.client.id.prefix": f"{NAME}-{OUTBOX_PROGRESS.name}",
        # Every service sends a report each second, so a job without a checkpoint needs no earlier reports.
        "scan.startup.mode": "latest-offset",
        "value.format": "json",
        "value.json.ignore-parse-errors": "true",
    }
    return (
        f"CREATE TABLE {OUTBOX_PROGRESS.name} (service STRING, complete_until BIGINT) {with_clause(options)}"
    )


def _progress_output(settings: Settings) -> JobOutput:
    options = clickhouse(settings, PROGRESS_TABLE, PROGRESS_FLUSH, versioned=True)
    del options["sink.progress.table"]  # its rows are progress reports already
    return JobOutput(PROGRESS_TABLE, _PROGRESS_QUERY.read_text(encoding="utf-8").strip(), (), options)


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
