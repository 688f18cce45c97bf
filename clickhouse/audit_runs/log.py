"""Records every audit in ClickHouse: its start, its end and its findings; exports the newest as metrics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from clickhouse.client import clickhouse_errors, connect, one_line
from common.audit_runs import AuditOutcome, AuditTrigger
from common.errors import PartUnavailable
from common.metrics import AUDIT_DIFFERENCES, AUDIT_UNREAD, AUDITED_AT, WHOLE_AUDIT_AT
from common.settings import Settings

log = structlog.get_logger()

_NEWEST, _NEWEST_WHOLE, _NEWEST_SCHEDULED, _RUNNING, _OUTCOME = (
    Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    for name in ("newest_results", "newest_whole", "newest_scheduled", "running", "outcome")
)

MAX_DIFFERENCES = 1_000
"""Differences that are stored of one audit. Each comparison has at most 100 (`audit.comparison`)."""

MAX_VALUE = 200
"""Characters stored of a key or a value."""


class AuditResult(NamedTuple):
    """A row of `audit_results` without its time: what a comparison found about one subject."""

    comparison: str
    subject: str
    left_store: str
    right_store: str
    rows: int
    figures: int
    differences: int
    explained: int
    unread: str


def record(admin: Client, audited_at: datetime, results: Sequence[AuditResult], audit_id: str = "") -> None:
    """Insert the results of one audit, which ended at `audited_at`.

    Raises:
        PartUnavailable: ClickHouse rejects the rows or is unavailable.
    """
    try:
        admin.insert(
            "audit_results",
            [(audited_at, audit_id, *result) for result in results],
            column_names=("audited_at", "audit_id", *AuditResult._fields),
        )
    except ClickHouseError as error:
        raise PartUnavailable(f"ClickHouse did not take the audit's results: {one_line(error)}") from error


def export(client: Client) -> None:
    """Set the metrics of the audit to the newest result of each comparison, and the age of all of them.

    A comparison that was made again, alone (`./souk audit --only`), replaces its own result only. It does not
    change when everything was audited.
    """
    for comparison, differences, unread_subjects, audited_at_s in client.query(_NEWEST).result_rows:
        AUDIT_DIFFERENCES.labels(comparison).set(differences)
        AUDIT_UNREAD.labels(comparison).set(unread_subjects)
        AUDITED_AT.labels(comparison).set(audited_at_s)
    for (started_at_s,) in client.query(_NEWEST_WHOLE).result_rows:
        WHOLE_AUDIT_AT.labels("platform").set(started_at_s)


@dataclass(frozen=True)
class AuditStart:
    """An audit that begins. `is_whole` says whether it makes every comparison."""

    audit_id: str
    started_at: datetime
    trigger: AuditTrigger
    is_whole: bool = True


@dataclass(frozen=True)
class AuditEnd:
    """How an audit ended, with the sums over its results. `ended_at` is None if nobody knows it."""

    outcome: AuditOutcome
    reason: str
    ended_at: datetime | None
    comparisons: int = 0
    rows: int = 0
    figures: int = 0
    differences: int = 0
    explained: int = 0
    unread: int = 0
    peak_memory_mb: float | None = None


class FoundDifference(NamedTuple):
    """A figure on which two stores disagree, as text; an empty value stands for a missing row."""

    comparison: str
    subject: str
    left_store: str
    right_store: str
    key: str
    field: str
    left_value: str
    right_value: str


_COLUMNS = [field.name for record in (AuditStart, AuditEnd) for field in fields(record)]


class AuditLog:
    """The tables `audits`, `audit_results` and `audit_differences`.

    An audit has a row in `audits` while it runs, which the row of its end replaces.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def begin(self, start: AuditStart) -> None:
        """Record that an audit runs.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        with self._admin() as admin:
            _insert(admin, start, AuditEnd("running", "", None))

    def end(
        self,
        start: AuditStart,
        end: AuditEnd,
        results: Sequence[AuditResult] = (),
        differences: Sequence[FoundDifference] = (),
    ) -> None:
        """Record how an audit ended and what it found, at most `MAX_DIFFERENCES` differences one by one.

        The row of the audit comes last: an audit that has ended has all its results.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        ended_at = end.ended_at or start.started_at
        with self._admin() as admin:
            if results:
                record(admin, ended_at, results, start.audit_id)
            if differences:
                rows = [
                    (start.audit_id, ended_at, number, *map(_shortened, each))
                    for number, each in enumerate(differences[:MAX_DIFFERENCES])
                ]
                columns = ("audit_id", "found_at", "number", *FoundDifference._fields)
                admin.insert("audit_differences", rows, column_names=columns)
            _insert(admin, start, end)

    def end_if_running(self, start: AuditStart, end: AuditEnd) -> None:
        """Record how an audit ended whose process could not do it itself, as after a kill.

        If ClickHouse does not answer, a warning is logged instead.
        """
        try:
            with self._admin() as admin:
                outcomes = admin.query(_OUTCOME, parameters={"audit_id": start.audit_id}).result_rows
                if not outcomes or outcomes[0][0] == "running":
                    _insert(admin, start, end)
        except PartUnavailable as error:
            log.warning("the end of the audit is not recorded", outcome=end.outcome, reason=str(error))

    def interrupt_running(self) -> int:
        """Record that the platform's own audits that seem to run were interrupted; return their number.

        Call it before the platform's only worker starts one: its audits end with it.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        end = AuditEnd("interrupted", "the process that audited was killed, and recorded no end", None)
        with self._admin() as admin:
            running = admin.query(_RUNNING).result_rows
            for audit_id, started_at, trigger, is_whole in running:
                _insert(
                    admin, AuditStart(audit_id, started_at.replace(tzinfo=UTC), trigger, bool(is_whole)), end
                )
        return len(running)

    def newest_scheduled_at(self) -> datetime | None:
        """Return when the newest nightly audit began that compared something, or still runs; None without.

        Raises:
            PartUnavailable: ClickHouse does not answer.
        """
        with self._admin() as admin:
            [(number, started_at)] = admin.query(_NEWEST_SCHEDULED).result_rows
        return started_at.replace(tzinfo=UTC) if number else None

    @contextmanager
    def _admin(self) -> Iterator[Client]:
        with clickhouse_errors(), connect(self._settings, admin=True) as admin:
            yield admin


def _insert(admin: Client, start: AuditStart, end: AuditEnd) -> None:
    admin.insert("audits", [(*astuple(start), *astuple(end))], column_names=_COLUMNS)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
