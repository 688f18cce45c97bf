"""What a seller's query can't reach even if the check of the query is switched off, and how it is ended."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clickhouse.seller_sql import processes
from clickhouse.seller_sql.limits import Limits
from clickhouse.seller_sql.processes import MAX_AGE_S, MAX_PROCESSES, ProcessPool, SellerProcess, Unavailable
from common.settings import ROOT, Settings
from tests.integration.analytics_shop import SELLERS
from tests.integration.clickhouse.seller_sql import SellerClient, foreign_sellers, seller_client
from tests.integration.servers import await_true

CANARY = "canary-9d1c4f"


@pytest.fixture(scope="module")
def unguarded(filled: Settings) -> Iterator[SellerClient]:
    """A client of a seller whose queries are not checked."""
    with seller_client(filled, "seller-ana", guard=False) as client:
        yield client


@pytest.fixture(scope="module")
def canary(filled: Settings) -> Path:
    """A file beside the data of ClickHouse."""
    path = filled.home / "clickhouse" / "data" / "canary.txt"
    path.write_text(CANARY)
    return path


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {database}.{view} WHERE seller_id != 'seller-ana'",
        "SELECT count() FROM {facts}.order_placed",
        "SELECT * FROM {facts}.sales_lines",
        "SELECT * FROM merge('.*', '.*')",
        "SELECT * FROM merge(REGEXP('.*'), '.*') SETTINGS additional_table_filters = {{}}",
        "SELECT name, create_table_query FROM system.tables",
        "SELECT query FROM system.processes",
        "SELECT * FROM payments",
        "SELECT * FROM remote('127.0.0.1:{port}', '{facts}', 'order_placed')",
        "SELECT * FROM url('http://127.0.0.1:{port}/?query=SELECT+1', LineAsString)",
        "SELECT * FROM file('{canary}', LineAsString)",
        "SELECT file('{canary}')",
        "SELECT arrayMap(file, ['{canary}'])",
        "SELECT arrayMap(`file`, ['/proc/self/environ', '/etc/passwd'])",
        "SELECT * FROM values('x String, y String ALIAS file(''{canary}'')', ('a'))",
        "SELECT * FROM executable('cat {canary}', LineAsString, 'x String')",
        "SELECT * FROM loop(sales) LIMIT 1000",
        "SELECT * FROM Python(environ)",
        "SELECT * FROM sales SETTINGS readonly = 0, filter = '1'",
    ],
)
def test_without_the_check_a_query_reaches_no_foreign_row_and_no_file(
    unguarded: SellerClient, filled: Settings, canary: Path, query: str
) -> None:
    text = query.format(
        database=unguarded.database,
        facts=filled.clickhouse_database,
        view="order_lines",
        port=filled.port("clickhouse"),
        canary=canary,
    )
    answer = unguarded.send(text)
    found = answer.text.replace(text, "").replace(str(canary), "")
    assert not foreign_sellers(found, "seller-ana"), found
    assert CANARY not in found
    assert "root:" not in found
    assert "SOUK_" not in found


def test_without_the_check_no_query_changes_or_leaves_anything(unguarded: SellerClient) -> None:
    for query in (
        "CREATE TABLE t (x Int8) ENGINE = Memory",
        "INSERT INTO sales (seller_id) VALUES ('x')",
        "SET readonly = 0",
        "DROP TABLE sales",
        "CREATE FUNCTION f AS x -> x",
        "SYSTEM FLUSH LOGS",
    ):
        assert unguarded.send(query).code, query
    assert unguarded.rows("SELECT count() > 0 FROM sales") == [[True]]


PROBE = """
import fcntl, json, mmap, os, socket, sys
from pathlib import Path
from clickhouse.seller_sql import walls, worker
out = int(sys.argv[2])
walls.enter(Path(sys.argv[1]), os.getppid())
running = worker.Worker("analytics", guard=False)
if sys.argv[3] == "closed":
    walls.close()
def tried(call):
    try:
        call()
    except OSError as error:
        return type(error).__name__
    except MemoryError:
        return "MemoryError"
    return "done"
found = {name: tried(lambda: open(name, "rb").read()) for name in sys.argv[4:]}
found["socket"] = tried(lambda: socket.socket())
found["unix socket"] = tried(lambda: socket.socket(socket.AF_UNIX))
found["process"] = tried(os.fork)
found["program"] = tried(lambda: os.execv("/bin/true", ["true"]))
found["signal"] = tried(lambda: os.kill(os.getppid(), 0))
found["write"] = tried(lambda: open(sys.argv[1] + "/x", "w").write("x"))
found["signal of a socket"] = tried(lambda: fcntl.fcntl(out, fcntl.F_SETOWN, os.getppid()))
found["which signal"] = tried(lambda: fcntl.fcntl(out, fcntl.F_SETSIG, 9))
found["memory"] = tried(lambda: bytearray(1 << 30))
found["shared memory"] = tried(lambda: mmap.mmap(-1, 1 << 20))
found["environment"] = sorted(os.environ)
found["descriptors"] = out
os.write(out, json.dumps(found).encode())
os._exit(0)
"""


@pytest.mark.parametrize("state", ["open", "closed"])
def test_the_process_of_a_query_reaches_neither_files_nor_sockets_nor_processes(
    filled: Settings, tmp_path: Path, state: str
) -> None:
    files = ["/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/1/environ"]
    files += [str(filled.home / path) for path in ("secrets.toml", "clickhouse/config/users.xml")]
    files.append(str(ROOT / "clickhouse" / "seller_sql" / "worker.py"))
    (filled.home / "secrets.toml").write_text("")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-c", PROBE, str(scratch), str(writing), state, *files, json.__file__]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, pass_fds=[writing], check=True, timeout=60)
    found: dict[str, Any] = json.loads(os.read(reading, 1 << 16))
    refused = {"FileNotFoundError", "PermissionError"}
    assert {found[name] for name in files} <= refused
    assert found[json.__file__] == ("done" if state == "open" else "FileNotFoundError")
    assert {found[name] for name in ("socket", "unix socket", "process", "program", "signal")} <= refused
    assert found["write"] == ("done" if state == "open" else "FileNotFoundError")
    # Where Landlock does not scope signals, the owner of a descriptor would get any signal, SIGKILL too.
    assert {found[name] for name in ("signal of a socket", "which signal")} <= refused
    assert found["memory"] == "MemoryError"
    assert found["shared memory"] in refused  # RLIMIT_DATA does not count it
    assert not [name for name in found["environment"] if "SOUK" in name]


def test_the_process_has_one_socket_and_no_secrets(filled: Settings) -> None:
    with seller_client(filled, "seller-ana") as client:
        client.rows("SELECT count() FROM sales")
        folder = Path("/proc", str(client.pids()["seller-ana"]))
        opened = [str(each.readlink()) for each in (folder / "fd").iterdir()]
        environment = (folder / "environ").read_bytes()
    assert len([each for each in opened if each.startswith("socket:")]) == 1
    assert not [each for each in opened if str(filled.home) in each]
    assert b"SOUK" not in environment
    assert b"secret" not in environment.lower()


def test_a_process_never_serves_a_second_seller(filled: Settings) -> None:
    owners: dict[int, set[str]] = {}
    with seller_client(filled, "seller-ana") as client:
        for seller_id in [*SELLERS, *SELLERS[:2]]:
            other = client.of(seller_id)
            assert other.rows("SELECT DISTINCT seller_id FROM order_lines") == [[seller_id]]
            assert other.rows("SELECT 1") == [[1]]
            assert len(client.queries.pool.processes) <= MAX_PROCESSES
            for owner, pid in client.pids().items():
                owners.setdefault(pid, set()).add(owner)
    assert len(owners) >= len(SELLERS)
    assert all(len(sellers) == 1 for sellers in owners.values())


def test_a_process_serves_its_seller_for_ten_minutes(filled: Settings) -> None:
    now = [1000.0]
    with seller_client(filled, "seller-ana") as client:
        database = client.database
        pool = ProcessPool(lambda: SellerProcess.start(database), lambda: now[0])

        async def pid() -> int:
            async with pool.process_of("seller-ana") as process:
                return process.pid

        first, again = client.call(pid()), client.call(pid())
        now[0] += MAX_AGE_S
        later = client.call(pid())
        client.call(pool.aclose())
    assert first == again
    assert later != first


def test_a_start_that_is_given_up_leaves_no_process() -> None:
    async def given_up() -> None:
        starting = asyncio.create_task(SellerProcess.start("analytics"))
        await asyncio.to_thread(await_true, lambda: _workers() - before)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting

    before = _workers()
    asyncio.run(given_up())
    assert _workers() <= before


def _workers() -> set[int]:
    """Return the ids of this process's children that are not reaped."""
    children = Path("/proc/self/task").glob("*/children")
    return {int(pid) for each in children for pid in each.read_text().split()}


def test_a_query_that_ends_its_process_harms_no_other_query(filled: Settings) -> None:
    with seller_client(filled, "seller-ana", Limits(time_s=30)) as client, ThreadPoolExecutor(1) as threads:
        long = f"SELECT count() FROM {', '.join(f'numbers(1000) AS n{n}' for n in range(5))}"
        bob = client.of("seller-bob")
        bob.rows("SELECT 1")
        running = threads.submit(client.send, long)
        pid = await_true(lambda: client.pids().get("seller-ana"))
        await_true(lambda: any(each.is_busy for each in client.queries.pool.processes))
        os.kill(pid, signal.SIGKILL)
        assert running.result().name == "PROCESS_ENDED"
        assert "memory" in running.result().text
        assert bob.rows("SELECT 1") == [[1]]
        assert client.rows("SELECT 1") == [[1]]


def test_an_endless_call_is_ended_at_its_limit_and_others_are_answered_meanwhile(filled: Settings) -> None:
    endless = "SELECT hasAny(range(1000000), arrayMap(x -> x + 2000000, range(1000000)))"
    limit = Limits(time_s=4)
    with seller_client(filled, "seller-ana", limit, guard=False) as client, ThreadPoolExecutor(1) as threads:
        bob = client.of("seller-bob")
        bob.rows("SELECT 1")
        running = threads.submit(client.send, endless)
        await_true(lambda: client.pids().get("seller-ana"))
        assert bob.rows("SELECT count() > 0 FROM order_lines") == [[True]]
        assert not running.done()
        assert running.result().code == 159
        assert client.rows("SELECT 1") == [[1]]


def test_a_query_that_needs_too_many_rows_says_what_to_do(filled: Settings) -> None:
    with seller_client(filled, "seller-ana", Limits(read_rows=50)) as client:
        refusal = client.refusal("SELECT sum(revenue) FROM sales")
        assert "more than 50 rows of your data, most of it from sales" in refusal
        assert "WHERE, such as placed_at >= '2026-01-01'" in refusal
        narrow = "SELECT sum(revenue) FROM sales WHERE placed_at BETWEEN '2027-01-01' AND '2027-02-01'"
        assert client.rows(narrow) == [["0"]]
    with seller_client(filled, "seller-ana", Limits(read_bytes=1000)) as client:
        assert "of your data" in client.refusal("SELECT * FROM sales")
        assert client.rows("SELECT 1") == [[1]]


def test_without_a_wall_no_query_runs(filled: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with seller_client(filled, "seller-ana") as client:
        monkeypatch.setattr(processes.walls, "reason_missing", lambda: "the kernel has no Landlock")
        with pytest.raises(Unavailable, match="the kernel has no Landlock"):
            client.call(SellerProcess.start(client.database))
