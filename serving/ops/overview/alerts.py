"""The alerts that Prometheus fires now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from common.settings import Settings
from common.urls import credentials, redact_password
from serving.ops.overview.schemas import FiringAlert

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
