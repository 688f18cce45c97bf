"""Reports the time up to which all events of a service are in Kafka. It limits the `as_of` of figures.

An event has the time at which its transaction began, and a slow transaction may commit after later ones. So
when an event is in Kafka, events with earlier times may still be missing. And if no event arrives, there may
be none, or the relay may be down. The relay therefore sends a report every second, even if the outbox is
empty.
"""

import time
from datetime import datetime, timedelta
from typing import Any

import orjson

from producers.kit.postgres.statements import statement
from schemas.topics import OUTBOX_PROGRESS

REPORT_EVERY_S = 1.0
_MS = timedelta(milliseconds=1)


class CompletenessReporter:
    """Makes a relay's reports. The relay calls `start`, reads and publishes the outbox, then calls `finish`.

    Each report is sent one round late. Reports and events reach the tables through different topics. The
    second between two rounds gives the events that a report covers time to arrive before it.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._started_at = float("-inf")
        self._pending: datetime | None = None
        self._complete: datetime | None = None

    async def start(self, connection: Any) -> None:
        """Begin a round if one is due. Call it before reading the outbox."""
        if self._pending is None and time.monotonic() - self._started_at >= REPORT_EVERY_S:
            self._started_at = time.monotonic()
            self._pending = await _oldest_open_transaction(connection)

    def finish(self) -> dict[str, Any] | None:
        """End the round. Call it when the outbox is published; returns the message to send, or None."""
        if self._pending is None:
            return None
        report, self._complete, self._pending = self._complete, self._pending, None
        return None if report is None else _message(self._service, report)


@statement("""
    SELECT least(min(xact_start), statement_timestamp())
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'souk ' || current_schema()
""")
async def _oldest_open_transaction(connection: Any) -> datetime:
    """Return when the oldest open transaction of this service began; the current time if none is open.

    Call it before reading the outbox. Rows that the read does not return were written by transactions that
    began at or after this time.
    """


def _message(service: str, began_at: datetime) -> dict[str, Any]:
    """Return an outbox row with a report. `complete_until` is the last millisecond before `began_at`."""
    complete_until = int((began_at - _MS).timestamp() * 1000)
    return {
        "topic": OUTBOX_PROGRESS.name,
        "key": service.encode(),
        "value": orjson.dumps({"service": service, "complete_until": complete_until}),
        "headers": {},
        "position": None,
    }
