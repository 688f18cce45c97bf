"""Records every training in ClickHouse: what started it, how it ended, and what it learned from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog
from clickhouse_connect.driver.client import Client

from clickhouse.client import clickhouse_errors, connect
from common.errors import PartUnavailable
from common.settings import Settings
from common.training_runs import TrainingOutcome, Trigger

log = structlog.get_logger()


@dataclass(frozen=True)
class TrainingStart:
    """A training that begins. `details` has the figures of the drift that started it, or is empty."""

    training_id: str
    started_at: datetime
    trigger: Trigger
    details: str = ""

    def pack(self) -> str:
        """Return the start as JSON."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def unpack(cls, packed: str) -> "TrainingStart":
        """Return the start that `pack` wrote."""
        values = orjson.loads(packed)
        return cls(**values | {"started_at": datetime.fromisoformat(values["started_at"])})


@dataclass
class TrainingEnd:
    """How a training ended, or what is known of it so far. Fields are None if they are not known.

    `events` is the number of events that it learned from, and `first_event_at` and `last_event_at` are the
    times of the oldest and the newest.
    """

    outcome: TrainingOutcome
    reason: str
    ended_at: datetime | None
    version: str | None = None
    model: str | None = None
    events: int | None = None
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    peak_memory_mb: float | None = None


COLUMNS = (
    "training_id", "started_at", "trigger", "trigger_details", *(field.name for field in fields(TrainingEnd))
)  # fmt: skip


@dataclass(frozen=True)
class TrainingLog:
    """The table `trainings`. A training has a row while it runs, which the row of its end replaces."""

    _settings: Settings

    def begin(self, start: TrainingStart) -> None:
        """Record that a training runs.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        with self._admin() as admin:
            _insert(admin, start, TrainingEnd("running", "", None))

    def end(self, start: TrainingStart, end: TrainingEnd, if_running: bool = False) -> None:
        """Record how a training ended. If ClickHouse does not answer, a warning is logged instead.

        With `if_running`, an end that the process of the training has recorded itself stays: use it after a
        kill.
        """
        try:
            with self._admin() as admin:
                known = {"training_id": start.training_id}
                if not if_running or _rows(admin, "training_outcome", known) in ([], [("running",)]):
                    _insert(admin, start, end)
        except PartUnavailable as error:
            log.warning("the end of the training is not recorded", outcome=end.outcome, reason=str(error))

    def interrupt_running(self) -> int:
        """Record that the platform's own trainings that seem to run were interrupted; return their number.

        Call it before the platform's only worker starts one: its trainings end with it. Trainings that people
        started have processes of their own.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        end = TrainingEnd("interrupted", "the process that trained was killed, and recorded no end", None)
        with self._admin() as admin:
            running = _rows(admin, "running_trainings", {})
            for training_id, started_at, trigger, details in running:
                _insert(
                    admin, TrainingStart(training_id, started_at.replace(tzinfo=UTC), trigger, details), end
                )
        return len(running)

    @contextmanager
    def _admin(self) -> Iterator[Client]:
        with clickhouse_errors(), connect(self._settings, admin=True) as admin:
            yield admin


def _insert(admin: Client, start: TrainingStart, end: TrainingEnd) -> None:
    row = (start.training_id, start.started_at, start.trigger, start.details, *astuple(end))
    admin.insert("trainings", [row], column_names=COLUMNS)


def _rows(client: Client, name: str, parameters: dict[str, str]) -> Sequence[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql(name), parameters=parameters).result_rows]


def sql(name: str) -> str:
    """Return the query `<name>.sql` of this folder."""
    return Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
