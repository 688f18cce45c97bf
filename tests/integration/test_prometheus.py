"""Prometheus and Alertmanager as parts: rules and panels are evaluated, and an alert reaches Alertmanager."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import yaml

from common.errors import UserError
from common.metrics import JOB_RUNNING
from common.operations_server import serve_operations
from common.readiness import ProcessReadiness
from common.settings import Settings
from common.stopping import Stopping
from dashboards.prometheus.configuration import rules
from local.parts import on_demand
from local.state_directory import StateDirectory
from tests.integration.grafana_panels import prometheus_panels
from tests.integration.servers import await_true, running
from tests.ports import free_offset


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    found = Settings(home=tmp_path_factory.mktemp("home"), port_offset=free_offset())
    StateDirectory(found.home).make()
    try:
        parts = on_demand.parts(found, on_demand.ON_DEMAND)
    except UserError as missing:
        pytest.skip(str(missing))
    with ExitStack() as stack:
        for part in reversed(parts):
            stack.enter_context(running(part, found))
        yield found


def get(settings: Settings, part: Any, path: str, **parameters: str) -> Any:
    url = f"http://127.0.0.1:{settings.port(part)}{path}"
    return httpx.get(url, params=parameters, trust_env=False, timeout=30).raise_for_status().json()


def firing(settings: Settings) -> set[tuple[str, str]]:
    alerts = get(settings, "alertmanager", "/api/v2/alerts")
    return {(alert["labels"]["alertname"], alert["labels"].get("job", "")) for alert in alerts}


def test_every_rule_is_loaded_and_can_be_evaluated(settings: Settings) -> None:
    written = [rule for group in yaml.safe_load(rules())["groups"] for rule in group["rules"]]

    def evaluated() -> bool:
        groups = get(settings, "prometheus", "/api/v1/rules")["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        assert len(found) == len(written)
        assert not [rule["lastError"] for rule in found if rule.get("lastError")]
        return all(rule["health"] == "ok" for rule in found)

    await_true(evaluated, "the evaluation of every rule")


def test_every_panel_can_be_evaluated(settings: Settings) -> None:
    for name, panel in prometheus_panels(settings):
        for target in panel["targets"]:
            answer = get(settings, "prometheus", "/api/v1/query", query=target["expr"])
            assert answer["data"]["resultType"] == "vector", (name, panel["title"])
            assert not answer.get("warnings"), (name, panel["title"])


def test_an_alert_about_a_process_reaches_alertmanager_and_ends(settings: Settings) -> None:
    await_true(lambda: ("ProcessDown", "jobs") in firing(settings), "the alert")

    JOB_RUNNING.labels("facts").set(1)
    serve_operations(settings, "jobs", ProcessReadiness({}, Stopping()))

    await_true(lambda: ("ProcessDown", "jobs") not in firing(settings), "the end of the alert")
    assert ("ProcessDown", "commerce") in firing(settings)
