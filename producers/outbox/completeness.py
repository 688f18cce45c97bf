"""Reports up to which time all events of a service are in Kafka, which limits the `as_of` of figures.

An event carries the time at which its transaction began, and a slow transaction commits after later ones. So
when an event is in Kafka, earlier ones may still be missing. Nor does silence mean that there is nothing to
send: the relay may be down. The relay therefore reports a time every second, also when the outbox is empty.
"""

import time
from datetime import datetime, timedelta
from typing import Any

import orjson

from producers.postgres.queries import load_queries
from schemas.topics import OUTBOX_PROGRESS

SQL = load_queries(__file__)

REPORT_EVERY_S = 1.0
_MS = timedelta(milliseconds=1)


class CompletenessReporter:
    """Makes a relay's reports. The relay calls `start`, reads and publishes the outbox, then calls `finish`.

    Each report is sent one round late. Reports and events reach the tables through different topics, and the
    second between two rounds is for the events that a report covers.
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
            self._pending = await connection.fetchval(SQL["oldest_open_transaction"])

    def finish(self) -> dict[str, Any] | None:
        """End the round. Call it when the outbox is published; returns the message to send, or None."""
        if self._pending is None:
            return None
        report, self._complete, self._pending = self._complete, self._pending, None
        return None if report is None else _message(self._service, report)


def _message(service: str, began_at: datetime) -> dict[str, Any]:
    """A message in the form of an outbox row; `complete_until` is the last millisecond before `began_at`."""
    complete_until = int((began_at - _MS).timestamp() * 1000)
    value = orjson.dumps({"service": service, "complete_until": complete_until})
    return {
        "topic": OUTBOX_PROGRESS.name,
        "key": service.encode(),
        "value": value,
        "headers": "{}",
        "position": None,
    }
