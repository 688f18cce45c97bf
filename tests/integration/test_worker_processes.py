"""The processes that work in a loop: they say what is missing, and stop when they are told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from common.settings import LOOPBACK, ROOT, Part, Settings
from jobs.submit import run_submission
from local.state_directory import settings_environment
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, terminated
from tests.ports import free_offset

WORKERS: dict[Part, tuple[str, set[str]]] = {
    "jobs": ("jobs.reconciler", {"clickhouse", "redis", "flink", "jobs"}),
    "rollups": ("clickhouse.rollup_worker", {"clickhouse"}),
    "training": ("recommenders.training.worker", {"clickhouse", "redis"}),
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a platform without any server."""
    home = tmp_path_factory.mktemp("workers")
    return Settings(home=home, port_offset=free_offset(), stop_timeout_s=5)


@pytest.fixture(params=WORKERS)
def worker(
    alone: Settings, request: pytest.FixtureRequest
) -> Iterator[tuple[Part, "subprocess.Popen[bytes]"]]:
    part: Part = request.param
    module, _ = WORKERS[part]
    environment = {**os.environ, **settings_environment(alone)}
    with terminated(subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment)) as process:
        await_true(lambda: is_ready(process, f"http://{LOOPBACK}:{alone.port(part)}/health"), "its start")
        yield part, process


def test_it_is_alive_without_servers_names_what_is_missing_and_ends_at_once(
    alone: Settings, worker: tuple[Part, "subprocess.Popen[bytes]"]
) -> None:
    part, process = worker
    url = f"http://{LOOPBACK}:{alone.port(part)}"

    ready = httpx.get(f"{url}/ready", trust_env=False, timeout=30)
    process.send_signal(signal.SIGTERM)

    assert ready.status_code == 503
    assert ready.json()["missing"].keys() == WORKERS[part][1]
    assert process.wait(60) == 0


def test_a_submission_is_stopped_after_the_time_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, port_offset=free_offset(), stop_timeout_s=1)
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    began = time.monotonic()

    with socket.create_server((LOOPBACK, settings.port("flink"))):  # a Flink that never answers
        reason = run_submission(["facts"], ["0" * 32], settings, lambda: True)

    assert reason == "its process was stopped"
    assert time.monotonic() - began < 60
