"""The processes of the API share their metrics, and a process that dies is replaced."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest
from uvicorn.config import STARTUP_FAILURE

from common.settings import ROOT, Settings
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, terminated
from tests.ports import free_offset

Server = tuple[Settings, psutil.Process]


COMMAND = [sys.executable, "-m", "serving"]


def environment(settings: Settings) -> dict[str, str]:
    own = {"SOUK_HOME": str(settings.home), "SOUK_PORT_OFFSET": str(settings.port_offset)}
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`python -m serving` without stores, and its supervising process."""
    settings = Settings(home=tmp_path_factory.mktemp("processes"), port_offset=free_offset())
    with terminated(subprocess.Popen(COMMAND, cwd=ROOT, env=environment(settings))) as process:
        await_true(lambda: is_ready(process, f"{settings.serving}/health"), "serving's start")
        yield settings, psutil.Process(process.pid)


def workers(parent: psutil.Process) -> list[psutil.Process]:
    return [each for each in parent.children() if "spawn_main" in " ".join(each.cmdline())]


def healthy(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.serving}/health", trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False


def health_requests(settings: Settings) -> int:
    """How often `/health` was answered, as the metrics say."""
    text = httpx.get(f"{settings.serving}/metrics", trust_env=False, timeout=30).text
    found = re.search(r'^souk_http_requests_total\{.*route="/health".*\} (\S+)$', text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def test_all_processes_count_together(server: Server) -> None:
    settings, parent = server
    await_true(lambda: len(workers(parent)) == settings.serving_processes, "both processes")
    folder = next((settings.home / "run").glob("serving-metrics-*"))
    asked = health_requests(settings)

    def both_counted() -> bool:
        nonlocal asked
        asked += healthy(settings)  # over a new connection
        return len(list(folder.glob("counter_*.db"))) == settings.serving_processes

    await_true(both_counted, "an answer by each")

    assert {health_requests(settings) for _ in range(6)} == {asked}


def test_one_that_dies_is_replaced_while_the_other_answers(server: Server) -> None:
    settings, parent = server
    first, *_ = workers(parent)
    counted = health_requests(settings)
    first.kill()
    first.wait()

    assert healthy(settings)
    assert health_requests(settings) > counted
    await_true(lambda: len(workers(parent)) == settings.serving_processes, "another process")
    assert first.pid not in [each.pid for each in workers(parent)]


@pytest.mark.nightly
def test_connections_spread_from_the_process_that_was_there_alone(server: Server) -> None:
    settings, parent = server
    await_true(lambda: len(workers(parent)) == settings.serving_processes, "both processes")
    alone, other = sorted(workers(parent), key=psutil.Process.create_time)
    with ExitStack() as open_connections:
        other.suspend()
        clients = [open_connections.enter_context(httpx.Client(trust_env=False)) for _ in range(8)]
        for client in clients:
            client.get(f"{settings.serving}/health")
        other.resume()
        had = connections(alone, settings)

        def spread() -> bool:
            for client in clients * 50:
                assert client.get(f"{settings.serving}/health").is_success
            return connections(other, settings) >= len(clients) // 4

        await_true(spread, "connections to the other process")
    assert had >= len(clients)


def connections(worker: psutil.Process, settings: Settings) -> int:
    port = settings.port("serving")
    open_ones = (each for each in worker.net_connections("tcp") if each.status == psutil.CONN_ESTABLISHED)
    return sum(each.laddr.port == port for each in open_ones)


def test_a_port_that_is_taken_ends_it(server: Server) -> None:
    settings, _ = server
    ended = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(settings), capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == STARTUP_FAILURE
    assert "address already in use" in ended.stderr.lower()
    assert healthy(settings)


# The last test of the file, because it ends the server of the other tests.
def test_none_outlives_the_one_that_watches_them(server: Server) -> None:
    settings, parent = server
    await_true(lambda: len(workers(parent)) == settings.serving_processes, "both processes")
    left = workers(parent)
    parent.kill()

    _, alive = psutil.wait_procs(left, timeout=30)
    assert alive == []
    assert not healthy(settings)
