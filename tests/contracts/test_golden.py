"""What users see without a running platform: OpenAPI, metrics, topics, dashboards, the audit.

The help of the commands is in docs/commands.md, which `test_diagrams.py` compares.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Histogram
from typer.main import get_command

import common.metrics
from audit.registry import COMPARISONS
from cli.__main__ import build
from common.settings import Settings
from dashboards.build import build as build_dashboards
from dashboards.prometheus import configuration
from schemas.services import consumers_of, owner_of
from schemas.topics import EVENT_TOPICS, Topic, all_topics
from serving.app import create_app
from tests.golden_files import WIDTH, check_golden, golden_json

SETTINGS = Settings(home=Path("/home/of/souk"))
DASHBOARDS = build_dashboards(SETTINGS)


def test_openapi() -> None:
    check_golden("openapi.json", golden_json(create_app(SETTINGS).openapi()))


def test_the_list_of_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    root: Any = get_command(build(""))
    check_golden("help.txt", root.get_help(root.context_class(root, info_name="souk", terminal_width=WIDTH)))


def test_metrics_of_processes() -> None:
    found = [
        f"{metric._type} {metric._name} {{{', '.join(metric._labelnames)}}}: {metric._documentation}"
        + (f" {metric._upper_bounds}" if isinstance(metric, Histogram) else "")
        for metric in vars(common.metrics).values()
        if hasattr(metric, "_labelnames")
    ]
    assert len(found) > 60
    check_golden("metrics.txt", "\n".join(sorted(found)))


def _rooms(topic: Topic) -> dict[str, Any]:
    return {
        "owner": owner_of(topic.name) if topic in EVENT_TOPICS else "",
        "consumers": consumers_of(topic.name),
    }


def test_topics() -> None:
    topics: dict[str, Any] = {
        topic.name: asdict(topic) | {"config": topic.config()} | _rooms(topic) for topic in all_topics()
    }
    for topic in topics.values():
        topic["retention"] = str(topic["retention"])
    check_golden("topics.json", golden_json(topics))


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_a_dashboard(name: str) -> None:
    check_golden(f"dashboards/{name}.json", golden_json(DASHBOARDS[name]))


def test_alerts_and_scrapes() -> None:
    texts = configuration.texts(configuration.local_addresses(SETTINGS))
    for name, text in texts.items():
        check_golden(f"prometheus/{name}", text)


def test_comparisons_of_the_audit() -> None:
    lines = []
    for name, run in COMPARISONS.items():
        spec = getattr(getattr(run, "__self__", None), "spec", None)
        lines.append(
            f"{name}: {spec.what}, {spec.left} and {spec.right}, by {', '.join(spec.key)}" if spec else name
        )
    check_golden("audit.txt", "\n".join(lines))
