"""The plan of job `facts`, which copies each event's topic into its table."""

from collections.abc import Iterable

from common.settings import Settings
from jobs.options import job_config
from jobs.plan import JobOutput, JobPlan
from jobs.sinks import HISTORY_FLUSH, LIVE_FLUSH, clickhouse
from jobs.sources import DATABASE, FETCH_IMMEDIATELY, FETCH_IN_BATCHES, source_table
from schemas.events import EventSchema

NAME = "facts"

LIVE_EVENTS = frozenset({"order_placed"})
"""Events whose tables a live page shows. The rows of other events may appear seconds later. The state of an
order is live in `order_state`."""


def plan(settings: Settings, events: Iterable[EventSchema]) -> JobPlan:
    """Return the plan. It copies duplicate events too: the table keeps one row for each event id.

    Without a checkpoint the job starts at the committed offsets. A checkpoint commits offsets after the sinks
    have written all events before them.
    """
    events = tuple(events)
    return JobPlan(
        name=NAME,
        config=job_config(settings, NAME),
        sources=tuple(_source(event, settings) for event in events),
        views=(),
        outputs=tuple(_output(event, settings) for event in events),
    )


def _source(event: EventSchema, settings: Settings) -> str:
    fetch = FETCH_IMMEDIATELY if event.name in LIVE_EVENTS else FETCH_IN_BATCHES
    return source_table(event, settings, group=NAME, start="committed", fetch=fetch)


def _output(event: EventSchema, settings: Settings) -> JobOutput:
    columns = ", ".join(f"`{field['name']}`" for field in event.fields)
    flush = LIVE_FLUSH if event.name in LIVE_EVENTS else HISTORY_FLUSH
    return JobOutput(
        table=event.name,
        query=f"SELECT {columns} FROM {DATABASE}.{event.name}",
        key=(),
        options=clickhouse(settings, event.name, flush, versioned=False),
    )
