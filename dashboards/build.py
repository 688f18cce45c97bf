"""Writes Grafana's dashboards as JSON, and Prometheus' configuration with this installation's ports."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from common.settings import Settings
from dashboards import api, marketplace, objectives, pipeline, recommender, seller, services
from dashboards.prometheus import configuration

DASHBOARDS: dict[str, Callable[[Settings], Dashboard]] = {
    "pipeline": pipeline.dashboard,
    "marketplace": marketplace.dashboard,
    "seller": seller.dashboard,
    "recommender": recommender.dashboard,
    "objectives": objectives.dashboard,
    "api": api.dashboard,
    "services": services.dashboard,
    **services.dashboards(),
}
"""The dashboards, by the name of their file."""


def build(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every dashboard by name, as JSON objects."""
    return {
        name: json.loads(json.dumps(make_dashboard(settings).build(), cls=JSONEncoder))
        for name, make_dashboard in DASHBOARDS.items()
    }


def write(settings: Settings, folder: Path) -> list[Path]:
    """Write `<dashboard>.json`, `prometheus.yml` and its `rules.yml` into a folder; return their paths."""
    texts = {f"{name}.json": as_text(dashboard) for name, dashboard in build(settings).items()}
    return write_texts(folder, texts | configuration.texts(configuration.local_addresses(settings)))


def write_texts(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts, by the paths of their files within a folder, and return the whole paths."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def as_text(value: Any) -> str:
    """Return a value as JSON, which is YAML, too."""
    return json.dumps(value, indent=2) + "\n"
