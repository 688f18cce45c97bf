"""Inserts events that tests make into the fact tables."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from clickhouse.client import connect
from common.settings import Settings

_SETTINGS = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}


def insert_events(settings: Settings, events: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Insert all events twice, as after a restart of a job; `events` has the records by table."""
    with connect(settings, admin=True) as client:
        for table, rows in events.items():
            block = "\n".join(json.dumps(row, default=as_text) for row in rows)
            for _ in range(2):
                client.raw_insert(table, insert_block=block, fmt="JSONEachRow", settings=_SETTINGS)


def as_text(moment: datetime) -> str:
    """Return a time as ClickHouse reads it from JSON."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
