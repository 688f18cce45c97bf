"""The server process stops cleanly, loses no acknowledged data, and locks its directory."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from common.settings import ROOT, Settings
from tests.integration.conftest import clickhouse_settings, running_clickhouse


def asked(settings, query: str, content: bytes | None = None) -> httpx.Response:
    auth = ("admin", settings.clickhouse_admin_password.get_secret_value())
    params = {"query": query, "database": "souk"}
    return httpx.post(
        settings.clickhouse, params=params, content=content, auth=auth, timeout=60, trust_env=False
    )


@contextmanager
def running_with_database(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """A running server with the database `souk`: the engine makes no tables in `default`."""
    with running_clickhouse(settings) as server:
        made = httpx.post(
            settings.clickhouse,
            content="CREATE DATABASE IF NOT EXISTS souk",
            auth=("admin", settings.clickhouse_admin_password.get_secret_value()),
            trust_env=False,
        )
        assert made.status_code == 200, made.text
        yield server


def test_kill_9_in_the_midst_of_inserts_loses_no_acknowledged_row(tmp_path):
    settings = clickhouse_settings(tmp_path)
    acknowledged: list[int] = []

    def insert(start: int) -> None:
        for n in range(start, start + 10_000):
            try:
                rows = b"".join(b"%d\n" % (n * 100 + k) for k in range(100))
                if asked(settings, "INSERT INTO t FORMAT TSV", rows).status_code == 200:
                    acknowledged.append(n)
            except httpx.HTTPError:
                return

    with running_with_database(settings) as server:
        asked(settings, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        threads = [threading.Thread(target=insert, args=(k * 10_000,)) for k in range(4)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()

    with running_with_database(settings):
        found = asked(
            settings, "SELECT intDiv(a, 100), count(), uniqExact(a) FROM t GROUP BY 1 ORDER BY 1"
        ).text
    batches = {int(number): (rows, keys) for number, rows, keys in map(str.split, found.splitlines())}
    assert len(acknowledged) >= 100
    assert set(acknowledged) <= set(batches)
    assert set(batches.values()) == {("100", "100")}, "a batch is there in part"


@pytest.mark.nightly
def test_sigterm_ends_it_while_queries_run(tmp_path):
    settings = clickhouse_settings(tmp_path)
    with running_with_database(settings) as server:
        query = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
        slow = threading.Thread(target=lambda: _ignoring_errors(settings, query))
        slow.start()
        deadline = time.monotonic() + 20
        while "sipHash64" not in asked(settings, "SELECT query FROM system.processes").text.replace(
            "system.", ""
        ):
            assert time.monotonic() < deadline
        server.terminate()

        assert server.wait(20) == 0
        slow.join()


def _ignoring_errors(settings, query: str) -> None:
    try:
        asked(settings, query)
    except httpx.HTTPError:
        return


def test_a_second_front_on_the_same_directory_or_port_says_so(tmp_path):
    settings = clickhouse_settings(tmp_path / "a")
    with running_with_database(settings) as server:
        same_home = _start(settings.home, settings.port_offset + 1)
        same_port = _start(tmp_path / "b", settings.port_offset)

    assert (same_home.returncode, same_port.returncode) == (2, 2)
    assert f"is already running (process {server.pid})" in same_home.stderr
    assert f"port {settings.port('clickhouse')} can't be used" in same_port.stderr
    assert same_home.stderr.count("\n") == same_port.stderr.count("\n") == 1


def _start(home, offset: int) -> subprocess.CompletedProcess[str]:
    environment = {"SOUK_HOME": str(home), "SOUK_PORT_OFFSET": str(offset)}
    command = [sys.executable, "-m", "local.embedded_clickhouse"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def own_memory(process: psutil.Process) -> int:
    """Return the resident bytes without shared pages, whose number depends on the page cache."""
    memory = process.memory_info()
    return memory.rss - memory.shared


@pytest.mark.nightly
def test_a_huge_answer_and_a_huge_insert_take_little_memory(tmp_path):
    settings = clickhouse_settings(tmp_path)
    auth = ("admin", settings.clickhouse_admin_password.get_secret_value())
    with running_with_database(settings) as server:
        process = psutil.Process(server.pid)
        asked(settings, "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        rows = b"".join(b"%d\t%s\n" % (n, b"x" * 200) for n in range(5000))
        insert = {"query": "INSERT INTO t FORMAT TSV", "database": "souk"}
        body = (rows for _ in range(400))
        done = httpx.post(
            settings.clickhouse, params=insert, content=body, auth=auth, timeout=120, trust_env=False
        )
        assert done.status_code == 200, done.text
        most, size = own_memory(process), 0
        with httpx.stream(
            "POST", settings.clickhouse, content="SELECT * FROM souk.t", auth=auth, trust_env=False
        ) as answer:
            for number, chunk in enumerate(answer.iter_raw()):
                size += len(chunk)
                most = max(most, own_memory(process)) if number % 50 == 0 else most

    assert size > 400_000_000
    assert most < 1_250 << 20


@pytest.mark.nightly
def test_old_parts_are_merged_and_removed(tmp_path):
    settings = clickhouse_settings(tmp_path)
    with running_with_database(settings):
        asked(
            settings,
            "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS old_parts_lifetime = 1",
        )
        for n in range(60):
            asked(settings, "INSERT INTO t FORMAT TSV", b"%d\n" % n)
        deadline = time.monotonic() + 60
        parts = "SELECT count() < 30, sum(rows) FILTER (WHERE active) FROM system.parts WHERE table = 't'"
        while (found := asked(settings, parts).text) != "1\t60\n":
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
