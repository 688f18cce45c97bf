"""Makes the overview of the platform from what its sources gave. Pure, but for what it notes of the past."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.consumer_lag import DEAD_LETTER_SUFFIX, Backlog
from common.settings import Part, Settings
from common.urls import redact_password
from serving.ops.overview import schemas
from serving.ops.overview.jobs import job_statuses
from serving.ops.overview.parts import STAGES, Outages, PartReadings, part_overview
from serving.ops.overview.rates import RateMeter
from serving.ops.overview.samples import Samples
from serving.ops.overview.source import Reading
from serving.ops.overview.stage_figures import stage_figures

NAMES: Mapping[str, str] = {"backlog": "kafka", "versions": "job_versions", "alerts": "prometheus"}
"""Reading → the name of its source, where it is another one."""


def overview(
    settings: Settings,
    readings: Mapping[str, Reading[Any]],
    processes: Mapping[Part, Reading[Samples]],
    readiness: Mapping[Part, Reading[Mapping[str, str]]],
    was_started_here: frozenset[str],
    outages: Outages,
    rates: RateMeter,
    now: datetime,
    now_s: float,
) -> schemas.PlatformOverview:
    """Return the overview. `readings` has those of `OverviewService`, by name; `now_s` is `monotonic()`."""
    value = {name: reading.value for name, reading in readings.items()}
    backlog: Backlog | None = value["backlog"]
    samples = {part: reading.value for part, reading in processes.items()}
    jobs = job_statuses(samples["jobs"], backlog.behind if backlog else None, value["versions"])
    figures = stage_figures(samples, backlog, jobs, value["figures"], rates, now, now_s)
    known = PartReadings(
        None if value["parts"] is None else {each["part"]: each for each in value["parts"]},
        processes,
        readiness,
        value["redis_memory"],
        value["local_memory"] or {},
        was_started_here,
    )
    stages: list[schemas.StageOverview] = []
    for stage, parts in STAGES.items():
        shown = [part_overview(part, known, outages, now) for part in parts]
        stages.append({"stage": stage, "parts": [each for each in shown if each], "figures": figures[stage]})
    return {
        "at": now,
        "ready": all(
            part["state"] == "ready" for stage in stages for part in stage["parts"] if part["needed"]
        ),
        "stages": stages,
        "figures": value["figures"],
        "jobs": None if samples["jobs"] is None else jobs,
        "job_versions": value["versions"],
        "consumer_groups": None if backlog is None else _groups(backlog),
        "dead_letters": None if backlog is None else _dead_letters(backlog),
        "audits": None if value["audits"] is None else value["audits"]["audits"],
        "trainings": None if value["trainings"] is None else value["trainings"]["trainings"],
        "monitoring": _monitoring(settings, readings["alerts"], was_started_here),
        "alerts": value["alerts"],
        "mails": value["mails"],
        "disk": value["disk"],
        "links": _links(settings, value["alerts"] is not None),
        "sources": [_source(NAMES.get(name, name), each) for name, each in readings.items()]
        + [_source(f"metrics of {part}", each) for part, each in processes.items()],
    }


def _groups(backlog: Backlog) -> list[schemas.GroupLag]:
    found: list[schemas.GroupLag] = [
        {"group": group, "messages_behind": behind} for group, behind in sorted(backlog.behind.items())
    ]
    return sorted(found, key=lambda each: -each["messages_behind"])


def _dead_letters(backlog: Backlog) -> list[schemas.UnresolvedDeadLetters]:
    return [
        {"name": topic.removesuffix(DEAD_LETTER_SUFFIX), "unresolved": count}
        for topic, count in sorted(backlog.unresolved.items())
        if count
    ]


def _monitoring(
    settings: Settings, alerts: Reading[Any], was_started_here: frozenset[str]
) -> schemas.MonitoringState:
    if not alerts.problem:
        return "watching"
    is_expected = settings.prometheus_url or alerts.answered_at or "prometheus" in was_started_here
    return "not_answering" if is_expected else "off"


def _links(settings: Settings, has_prometheus: bool) -> schemas.Links:
    has_zipkin = bool(settings.zipkin or settings.zipkin_url)
    return {
        "grafana": settings.grafana_url.rstrip("/") or None,
        "zipkin": f"{settings.zipkin_public}/zipkin/" if has_zipkin else None,
        "prometheus": redact_password(settings.prometheus_public) if has_prometheus else None,
    }


def _source(name: str, reading: Reading[Any]) -> schemas.SourceState:
    return {
        "source": name,
        "answers": not reading.problem,
        "answered_at": reading.answered_at,
        "failing_since": reading.failing_since,
        "problem": reading.problem,
    }
