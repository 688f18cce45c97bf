"""What the processes of the platform say about themselves: metrics, readiness, alerts and mails."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from common import metrics
from common.clock import Clock
from common.process_records import process_tree, read_process_records, resident_bytes
from common.settings import Part, Settings
from common.urls import credentials, redact_password
from serving.ops.overview.samples import (
    CLICKHOUSE_INSERTED,
    CLICKHOUSE_MEMORY,
    MEMORY,
    Metric,
    Samples,
    read_samples,
    sample_name,
)
from serving.ops.overview.schemas import AlertMessages, Disk, FiringAlert, MailOverview
from serving.ops.overview.source import Source

MAX_ALERTS = 100
SEVERITIES = ("critical", "warning")
"""The most urgent first; others come last."""


async def read_alerts(settings: Settings, http: httpx.AsyncClient) -> list[FiringAlert]:
    """Return the alerts that fire or are about to, the most urgent first.

    Raises:
        httpx.HTTPError: Prometheus does not answer.
        KeyError, TypeError, ValueError: its answer is of another form.
    """
    base = settings.prometheus
    response = await http.get(f"{redact_password(base)}/api/v1/alerts", auth=credentials(base))
    response.raise_for_status()
    found = [_alert(each, settings.runbooks_url) for each in response.json()["data"]["alerts"]]
    found.sort(key=lambda each: (each["state"] != "firing", _rank(each["severity"]), each["name"]))
    return found[:MAX_ALERTS]


def _alert(alert: Mapping[str, Any], runbooks_url: str) -> FiringAlert:
    labels, annotations = dict(alert["labels"]), alert.get("annotations", {})
    name = str(labels.pop("alertname"))
    page = f"{quote(name, safe='')}.md"
    return {
        "name": name,
        "state": "firing" if alert["state"] == "firing" else "pending",
        "severity": str(labels.pop("severity", "")),
        "summary": str(annotations.get("summary", "")),
        "action": str(annotations.get("action", "")),
        "since": datetime.fromisoformat(alert["activeAt"]),
        "labels": {str(key): str(value) for key, value in labels.items()},
        "runbook": f"{runbooks_url.rstrip('/')}/{page}" if runbooks_url else f"docs/runbooks/{page}",
    }


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


AskCommerce = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Returns the response of a commerce service to `GET` a target; raises `CommerceUnavailable`."""


async def read_mails(ask: AskCommerce) -> MailOverview:
    """Return the mails of a day, and the messages of sellers' alerts.

    Raises:
        CommerceUnavailable: a service does not answer.
    """
    mails, messages = await asyncio.gather(ask("/v1/mails/summary"), ask("/v1/alert_messages/summary"))
    return {
        "kinds": [
            {
                "kind": each["kind"],
                "mails": each["mails"],
                "newest_at": datetime.fromisoformat(each["newest_at"]),
            }
            for each in mails["kinds"]
        ],
        "overdue": mails["overdue"],
        "alert_messages": _alert_messages(messages["statuses"]),
    }


def _alert_messages(statuses: list[dict[str, Any]]) -> AlertMessages:
    found = {each["status"]: each for each in statuses}
    waiting = found.get("waiting")
    return {
        "waiting": waiting["messages"] if waiting else 0,
        "sent": found.get("sent", {}).get("messages", 0),
        "failed": found.get("failed", {}).get("messages", 0),
        "skipped": found.get("skipped", {}).get("messages", 0),
        "oldest_waiting_at": datetime.fromisoformat(waiting["oldest_at"]) if waiting else None,
    }


CHECKS_TIMEOUT_S = 3.0
"""The checks of the parts have timeouts of their own, which are a little shorter. So if they are late, a
process is busy, and the states that are known stay."""

_FIGURES: Mapping[Part, tuple[Metric | str, ...]] = {
    "serving": (metrics.HTTP_REQUESTS, metrics.LIVE_LISTENERS),
    "commerce": (
        metrics.ORDERS,
        metrics.OUTBOX_PUBLISHED,
        metrics.OUTBOX_WAITING,
        metrics.OUTBOX_AGE_SECONDS,
    ),
    "jobs": (
        metrics.JOB_RUNNING,
        metrics.JOB_RESTARTS,
        metrics.CHECKPOINT_AGE_SECONDS,
        metrics.CHECKPOINT_SECONDS,
        metrics.CHECKPOINTS_FAILED,
        metrics.JOB_BACK_PRESSURE,
        metrics.JOB_BUSY,
        metrics.RECOMMENDATIONS_AS_OF,
        metrics.FLINK_HEAP_BYTES,
    ),
    "clickhouse": (metrics.CLICKHOUSE_ROWS, CLICKHOUSE_MEMORY, CLICKHOUSE_INSERTED),
    "rollups": (metrics.ROLLUP_REFRESHED_AT,),
    "seller_sql": (),
    "search": (),
    "training": (),
    "audit": (),
    "simulator": (),
}
"""Process → the metrics that the overview needs of it, besides its memory."""

WANTED: Mapping[Part, frozenset[str]] = {
    part: frozenset((MEMORY, *(each if isinstance(each, str) else sample_name(each) for each in figures)))
    for part, figures in _FIGURES.items()
}
"""Process → the names of these samples."""

OPTIONAL: frozenset[Part] = frozenset({"training", "audit", "simulator", "seller_sql", "search"})
"""Processes without which the platform works. Where one was never started, it is off, and not broken."""


WITH_READINESS: tuple[Part, ...] = (
    *("jobs", "rollups", "training", "audit", "simulator", "seller_sql", "search"),
)
"""Processes whose `/ready` is the state of their part. The API checks itself and the other parts."""


def process_sources(settings: Settings, http: httpx.AsyncClient, clock: Clock) -> dict[Part, Source[Samples]]:
    """Return a source for each process. That of the API reads its own metrics, without a request."""

    async def read(part: Part) -> Samples:
        if part == "serving":
            return await asyncio.to_thread(_own_samples)
        response = await http.get(settings.metrics_of(part))
        response.raise_for_status()
        return read_samples(response.text, WANTED[part])

    return {
        part: Source(f"metrics of {part}", partial(read, part), clock, quiet=part in OPTIONAL)
        for part in WANTED
    }


def readiness_sources(
    settings: Settings, http: httpx.AsyncClient, clock: Clock
) -> dict[Part, Source[Mapping[str, str]]]:
    """Return a source for each process with `/ready`. Its value is what is missing, with the reasons.

    They log nothing: a process that is away is logged for its metrics.
    """

    async def read(part: Part) -> Mapping[str, str]:
        response = await http.get(settings.readiness_of(part))
        if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            response.raise_for_status()
        return cast(Mapping[str, str], response.json()["missing"])

    return {
        part: Source(
            f"readiness of {part}", partial(read, part), clock, timeout_s=CHECKS_TIMEOUT_S, quiet=True
        )
        for part in WITH_READINESS
    }


def _own_samples() -> Samples:
    """Return the samples of all processes of this server. In multiprocess mode this reads files."""
    return read_samples(metrics.exposition().decode(), WANTED["serving"])


async def read_disk(settings: Settings) -> Disk:
    """Return the space of the disk with the platform's data, on this machine."""
    usage = await asyncio.to_thread(shutil.disk_usage, settings.home if settings.home.exists() else "/")
    return {"free_bytes": usage.free, "total_bytes": usage.total}


async def read_local_memory(settings: Settings) -> dict[str, int]:
    """Return part → memory in bytes of the processes that `./souk up` started on this machine and that run.

    It is empty elsewhere, as in a container.
    """
    return await asyncio.to_thread(_local_memory, settings)


def _local_memory(settings: Settings) -> dict[str, int]:
    records = read_process_records(settings.home / "run")
    return {record.part: resident_bytes(process_tree(record.pid)) for record in records if record.alive}
