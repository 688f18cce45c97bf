"""Copies the reports of the services' outbox relays into `pipeline_progress`, where they limit `as_of`.

A table's watermark follows the newest event that arrived from any of its topics. Older events may be missing
while their relay is down or their transaction is open. A report contains the time before which no event of
the service is missing.
"""

from dataclasses import replace
from pathlib import Path

from common.settings import Settings
from jobs.plan import JobOutput, JobPlan, with_clause
from jobs.sinks import clickhouse
from schemas.topics import OUTBOX_PROGRESS

_QUERY = Path(__file__).with_suffix(".sql")
_TABLE = "pipeline_progress"
_FLUSH = "500 ms"


def with_outbox_progress(plan: JobPlan, settings: Settings) -> JobPlan:
    """Return the plan with another source and output: the reports of all services."""
    options = clickhouse(settings, _TABLE, _FLUSH, versioned=True)
    del options["sink.progress.table"]  # its rows are progress reports already
    output = JobOutput(_TABLE, _QUERY.read_text(encoding="utf-8").strip(), (), options)
    return replace(
        plan, sources=(*plan.sources, _source(settings, plan.name)), outputs=(*plan.outputs, output)
    )


def _source(settings: Settings, group: str) -> str:
    options = {
        "connector": "kafka",
        "topic": OUTBOX_PROGRESS.name,
        "properties.bootstrap.servers": settings.kafka,
        "properties.group.id": group,
        "properties.client.id.prefix": f"{group}-{OUTBOX_PROGRESS.name}",
        # Every service sends a report each second, so a job without a checkpoint needs no earlier reports.
        "scan.startup.mode": "latest-offset",
        "value.format": "json",
        "value.json.ignore-parse-errors": "true",
    }
    return (
        f"CREATE TABLE {OUTBOX_PROGRESS.name} (service STRING, complete_until BIGINT) {with_clause(options)}"
    )
