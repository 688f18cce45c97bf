"""A call that nothing ends is ended with its process; its client is refused after the restart."""

import json
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from clickhouse.sql_guard.errors import DatabaseError
from common.settings import Settings
from local.embedded_clickhouse.watchdog import BAN_S, EXIT_CODE, GRACE_S, Watchdog, place_of
from tests.integration.conftest import ANALYST_PASSWORD, clickhouse_settings, running_clickhouse

ENDLESS = """
    hasAny(arrayMap(x -> x + a, range(1000000)), arrayMap(x -> x + a + 1000000, range(1000000)))
"""
"""A call of many minutes. Readers may not write it, but a view may contain it. It is no constant expression,
which the engine would compute when the view is created."""


def send(settings: Settings, query: str, user: str = "reader", password: str = "") -> httpx.Response:
    headers = {"x-clickhouse-user": user, "x-clickhouse-key": password}
    return httpx.post(settings.clickhouse, content=query, headers=headers, timeout=60, trust_env=False)


def test_an_endless_call_restarts_the_server_and_its_client_is_refused(tmp_path: Path) -> None:
    settings = clickhouse_settings(tmp_path)
    admin = settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()
    log = tmp_path / "log"

    def endless() -> None:
        try:
            ended.append(send(settings, "SELECT x FROM souk.endless SETTINGS max_execution_time = 1"))
        except httpx.HTTPError as error:
            ended.append(error)

    ended: list[httpx.Response | httpx.HTTPError] = []
    with log.open("wb") as file, running_clickhouse(settings, file) as server:
        for query in (
            "CREATE DATABASE souk",
            "CREATE TABLE souk.t (a UInt64) ENGINE = MergeTree ORDER BY a",
            f"CREATE VIEW souk.endless AS SELECT {ENDLESS} AS x FROM (SELECT a FROM souk.t LIMIT 1)",
            "INSERT INTO souk.t VALUES (1), (2), (3)",
        ):
            assert send(settings, query, *admin).status_code == 200
        calling = threading.Thread(target=endless)
        calling.start()
        acknowledged, answers = [1, 2, 3], 0
        while calling.is_alive():
            number = acknowledged[-1] + 1
            with suppress(httpx.HTTPError):  # the server ends during a request
                if send(settings, f"INSERT INTO souk.t VALUES ({number})", *admin).status_code == 200:
                    acknowledged.append(number)
                answers += send(settings, "SELECT 1", "analyst", ANALYST_PASSWORD).text == "1\n"
            calling.join(0.05)
        assert answers > 10, "others get no answers while the call runs"
        assert isinstance(ended[0], httpx.HTTPError), ended[0].text
        assert server.wait(60) == EXIT_CODE

    with log.open("ab") as file, running_clickhouse(settings, file):
        refused = send(settings, "SELECT 1")
        assert (refused.status_code, refused.headers["x-clickhouse-exception-code"]) == (429, "201")
        assert "did not end at its time limit" in refused.text
        stored = send(settings, "SELECT a FROM souk.t", "analyst", ANALYST_PASSWORD).text.split()
        assert set(acknowledged) <= set(map(int, stored))
        metrics = httpx.get(f"{settings.clickhouse}/metrics", trust_env=False).text
    (metric,) = (
        line for line in metrics.splitlines() if line.startswith("souk_clickhouse_ended_at_seconds{")
    )
    assert float(metric.split()[1]) > time.time() - BAN_S
    written = log.read_text()
    assert "a query did not end: restarting" in written
    assert "souk.endless" in written
    assert "ready again after an endless query" in written


def test_a_ban_ends_and_concerns_one_client(tmp_path: Path) -> None:
    file = tmp_path / "ends.json"
    ends = [
        ("reader", "10.0.0.1", time.time() - BAN_S + 60),
        ("analyst", "10.0.0.1", time.time() - BAN_S - 1),
    ]
    file.write_text(json.dumps([{"user": user, "address": address, "at": at} for user, address, at in ends]))
    watchdog = Watchdog(file)

    with pytest.raises(DatabaseError, match=r"refused for (59|60) s") as refused:
        watchdog.check_client(("reader", "10.0.0.1"))
    assert refused.value.status == 429
    watchdog.check_client(("reader", "10.0.0.2"))
    watchdog.check_client(("analyst", "10.0.0.1"))


def test_a_broken_file_bans_nobody(tmp_path: Path) -> None:
    file = tmp_path / "ends.json"
    for content in ("", "{", "[1]", '{"a": 1}', '[{"user": "reader"}]'):
        file.write_text(content)
        Watchdog(file).check_client(("reader", "127.0.0.1"))


def test_a_query_within_its_limit_ends_nothing(tmp_path: Path) -> None:
    codes: list[int] = []
    cancelled = threading.Event()
    watchdog = Watchdog(tmp_path / "ends.json", codes.append)
    watchdog.start()

    with watchdog.watch(("analyst", "::1"), b"SELECT 1", 60.0, cancelled.set):
        pass
    with watchdog.watch(("analyst", "::1"), b"SELECT 2", -GRACE_S / 2 - 0.1, cancelled.set):
        assert cancelled.wait(30), "a query that outlives its limit is cancelled first"

    assert codes == []
    with watchdog.watch(("analyst", "::1"), b"SELECT 3", -GRACE_S - 0.1, cancelled.set):
        deadline = time.monotonic() + 30
        while not codes and time.monotonic() < deadline:
            time.sleep(0.01)
    watchdog.stop()
    assert EXIT_CODE in codes


@pytest.mark.parametrize(
    ("address", "other", "is_one"),
    [
        ("127.0.0.1", "127.9.8.7", True),
        ("127.0.0.1", "::1", True),
        ("::ffff:127.0.0.3", "127.0.0.1", True),
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("", "127.0.0.1", False),
    ],
)
def test_addresses_that_a_client_can_choose_freely_are_one_place(
    address: str, other: str, is_one: bool
) -> None:
    assert (place_of(address) == place_of(other)) == is_one
