"""Job `facts`: the flow from each event's topic into its table, as a plan."""

from collections.abc import Iterable

from common.settings import Settings
from jobs.options import job_config
from jobs.plan import Output, Plan
from jobs.sinks import HISTORY, LIVE, clickhouse
from jobs.sources import AT_ONCE, DATABASE, GATHERED, source_table
from schemas.events import Event

NAME = "facts"

WATCHED = frozenset({"order_placed"})
"""Events whose tables someone watches live; what is viewed, packed and paid may show seconds later. How an
order goes on is live in `order_state`."""


def plan(settings: Settings, events: Iterable[Event]) -> Plan:
    """Copy every event, repeats too: its table keeps one row an event id.

    Without a checkpoint it goes on from the committed offsets, which a checkpoint moves only after the sinks
    have written everything before them.
    """
    events = tuple(events)
    return Plan(
        name=NAME,
        config=job_config(settings, NAME),
        sources=tuple(_source(event, settings) for event in events),
        views=(),
        outputs=tuple(_output(event, settings) for event in events),
    )


def _source(event: Event, settings: Settings) -> str:
    fetch = AT_ONCE if event.name in WATCHED else GATHERED
    return source_table(event, settings, group=NAME, start="committed", fetch=fetch)


def _output(event: Event, settings: Settings) -> Output:
    columns = ", ".join(f"`{field['name']}`" for field in event.fields)
    flush = LIVE if event.name in WATCHED else HISTORY
    return Output(
        table=event.name,
        query=f"SELECT {columns} FROM {DATABASE}.{event.name}",
        key=(),
        options=clickhouse(settings, event.name, flush, versioned=False),
    )
