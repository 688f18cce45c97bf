import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from common.settings import PORTS, ROOT, Settings

CLICKHOUSE_PASSWORD = "admin's secret"


def free_offset(part: str = "clickhouse") -> int:
    """A port offset at which a part's port is free."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            if 0 < (offset := probe.getsockname()[1] - PORTS[part]) <= 50_000:
                return offset


@contextmanager
def running_clickhouse(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m clickhouse.front` with these settings, ready."""
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_CLICKHOUSE_ADMIN_PASSWORD": CLICKHOUSE_PASSWORD,
    }
    front = subprocess.Popen([sys.executable, "-m", "clickhouse.front"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(settings.clickhouse + "/ping", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                assert front.poll() is None, "the front ended before it was ready"
                assert time.monotonic() < deadline, "the front is not ready after 30 s"
                time.sleep(0.05)
        yield front
    finally:
        front.terminate()
        front.wait(20)


def clickhouse_settings(home: Path) -> Settings:
    """Settings of a front of one's own in `home`."""
    return Settings(home=home, port_offset=free_offset(), clickhouse_admin_password=CLICKHOUSE_PASSWORD)


@pytest.fixture(scope="session")
def clickhouse_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running front with an empty database `souk`."""
    settings = clickhouse_settings(tmp_path_factory.mktemp("clickhouse"))
    with running_clickhouse(settings):
        admin = {"x-clickhouse-user": "admin", "x-clickhouse-key": CLICKHOUSE_PASSWORD}
        made = httpx.post(settings.clickhouse, content="CREATE DATABASE souk", headers=admin, trust_env=False)
        assert made.status_code == 200, made.text
        yield settings
