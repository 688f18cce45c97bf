"""Prometheus and Alertmanager as parts: rules and panels are evaluated, and an alert reaches Alertmanager."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from common.errors import UserError
from common.metrics import JOB_RUNNING
from common.operations_server import serve_operations
from common.readiness import ProcessReadiness
from common.settings import LOOPBACK, PORTS, ROOT, Part, Settings
from common.stopping import Stopping
from dashboards.prometheus.configuration import rules
from local.parts import on_demand
from local.state_directory import StateDirectory
from tests.containers import services
from tests.integration.grafana_panels import prometheus_panels
from tests.integration.servers import await_true, running, terminated
from tests.ports import free_offset


class Webhook:
    """A server that takes what Alertmanager sends: alerts as (name, job, state)."""

    def __init__(self) -> None:
        self.alerts: set[tuple[str, str, str]] = set()
        received = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    labels = alert["labels"]
                    received.add((labels["alertname"], labels.get("job", ""), alert["status"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self.server.server_port}/alerts?token=a%22b"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    found = Webhook()
    yield found
    found.server.shutdown()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, webhook: Webhook) -> Iterator[Settings]:
    home = tmp_path_factory.mktemp("home")
    found = Settings(home=home, port_offset=free_offset(), alert_webhook_url=webhook.url)
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


@pytest.mark.nightly  # it waits for Prometheus to evaluate all; promtool reads the rules in test_alerts.py
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
    panels = list(prometheus_panels(settings))
    assert len(panels) > 20
    for name, panel in panels:
        for target in panel["targets"]:
            answer = get(settings, "prometheus", "/api/v1/query", query=target["expr"])
            assert answer["data"]["resultType"] == "vector", (name, panel["title"])
            assert not answer.get("warnings"), (name, panel["title"])


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ("prometheus", "/api/v1/query?query=up"),
        ("prometheus", "/api/v1/rules"),
        ("zipkin", "/api/v2/services"),
        ("zipkin", "/prometheus"),
    ],
)
def test_a_page_of_another_site_can_not_read_metrics_or_traces(
    settings: Settings, part: Part, path: str
) -> None:
    """A browser shows a page the answers only whose header allows it."""
    address = f"http://{LOOPBACK}:{settings.port(part)}{path}"
    for origin in ("https://evil.example", "null"):
        answer = httpx.get(address, headers={"Origin": origin}, trust_env=False)
        assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (200, None)


def test_an_alert_is_sent_to_the_webhook_of_the_settings(settings: Settings, webhook: Webhook) -> None:
    await_true(lambda: ("ProcessDown", "commerce", "firing") in webhook.alerts, "the message")
    assert ("ProcessDown", "commerce") in firing(settings)


def test_the_alertmanager_of_the_stack_sends_alerts_to_the_webhook_of_its_environment(
    tmp_path: Path, webhook: Webhook
) -> None:
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("prometheus-alertmanager is not on PATH")
    port = PORTS["alertmanager"] + free_offset()
    (tmp_path / "alertmanager").write_text(
        f'#!/bin/sh\nexec {program} --web.listen-address={LOOPBACK}:{port} --cluster.listen-address= "$@"\n'
    )
    (tmp_path / "alertmanager").chmod(0o755)
    *shell, script = services()["alertmanager"]["entrypoint"]
    script = script.replace("$$", "$")
    for inside, outside in (
        ("/tmp/", f"{tmp_path}/"),
        ("/etc/alertmanager/", f"{ROOT}/docker/alertmanager/"),
        ("=/alertmanager", f"={tmp_path}/storage"),
    ):
        assert inside in script
        script = script.replace(inside, outside)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SOUK_ALERT_WEBHOOK_URL": webhook.url}
    with terminated(subprocess.Popen([*shell, script], env=env)) as process:

        def posts() -> bool:
            assert process.poll() is None
            alert = {"labels": {"alertname": "PartDown", "job": "of the stack"}}
            try:
                url = f"http://{LOOPBACK}:{port}/api/v2/alerts"
                return httpx.post(url, json=[alert], trust_env=False).is_success
            except httpx.HTTPError:
                return False

        await_true(posts, "the start of Alertmanager")
        await_true(lambda: ("PartDown", "of the stack", "firing") in webhook.alerts, "the message")


def test_an_alert_about_a_process_reaches_alertmanager_and_ends(settings: Settings) -> None:
    await_true(lambda: ("ProcessDown", "jobs") in firing(settings), "the alert")

    JOB_RUNNING.labels("facts").set(1)
    serve_operations(settings, "jobs", ProcessReadiness({}, Stopping()))

    await_true(lambda: ("ProcessDown", "jobs") not in firing(settings), "the end of the alert")
    assert ("ProcessDown", "commerce") in firing(settings)


DOWN = ({"alertname": "ProcessDown", "job": "commerce"}, {"alertname": "PartDown", "part": "redis"})
FOLLOWING = (
    {"alertname": "CircuitBreakerOpen", "breaker": "commerce.orders"},
    {"alertname": "CircuitBreakerOpen", "breaker": "redis"},
    {"alertname": "CacheFails", "cache": "product"},
)
OTHERS = (
    {"alertname": "CircuitBreakerOpen", "breaker": "clickhouse"},
    {"alertname": "LastFiguresShown"},
    {"alertname": "DeadLetters", "topic": "order_placed_dlq"},
)


def test_a_warning_that_follows_from_what_is_down_is_not_sent(settings: Settings) -> None:
    url = f"http://{LOOPBACK}:{settings.port('alertmanager')}/api/v2/alerts"
    labels = [one | {"severity": "critical"} for one in DOWN]
    labels += [one | {"severity": "warning", "test": "inhibition"} for one in (*FOLLOWING, *OTHERS)]
    httpx.post(url, json=[{"labels": one} for one in labels], trust_env=False).raise_for_status()

    def states() -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {"unprocessed": [], "active": [], "suppressed": []}
        for alert in get(settings, "alertmanager", "/api/v2/alerts", filter="test=inhibition"):
            named = {k: v for k, v in alert["labels"].items() if k not in ("severity", "test")}
            found[alert["status"]["state"]].append(named)
        return found

    await_true(lambda: not states()["unprocessed"], "the decision about each alert")
    assert sorted(states()["suppressed"], key=str) == sorted(FOLLOWING, key=str)
    assert sorted(states()["active"], key=str) == sorted(OTHERS, key=str)
