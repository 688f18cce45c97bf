"""Writes Grafana's dashboards as JSON, and Prometheus' configuration with this installation's ports."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from common.settings import Settings
from dashboards.prometheus import configuration
from dashboards.registry import DASHBOARDS


def build(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every dashboard by name, as JSON objects."""
    return {
        name: json.loads(json.dumps(make_dashboard(settings).build(), cls=JSONEncoder))
        for name, make_dashboard in DASHBOARDS.items()
    }


def write(settings: Settings, folder: Path) -> list[Path]:
    """Write `<dashboard>.json`, `prometheus.yml` and its `rules.yml` into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        f"{name}.json": json.dumps(dashboard, indent=2) + "\n" for name, dashboard in build(settings).items()
    }
    texts |= configuration.texts(configuration.local_addresses(settings))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
