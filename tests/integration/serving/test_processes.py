"""The processes of the API share their metrics, and a process that dies is replaced."""

import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import psutil
import pytest
from uvicorn.config import STARTUP_FAILURE

from common.settings import ROOT, Settings
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, terminated
from tests.ports import free_offset
from tests.principals import bearer

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


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False, timeout=30).is_success
    except (httpx.NetworkError, httpx.RemoteProtocolError):  # refused, or not yet accepted at the end
        return False


class Proxy:
    """Sends requests as a load balancer does: over kept connections, to the first server that is ready.

    It asks for `/ready?exclude=parts` now and then, and sends a request again only if its connection was
    refused, because no server has seen it then.
    """

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        # As the platform, whose requests have no quota: on a fast machine, these exceed that of an address.
        self._http = httpx.Client(trust_env=False, timeout=30, headers=bearer(Settings()))
        self._checked_at = float("-inf")
        self._ready: list[str] = []

    def send(self) -> int:
        for url in self._in_use():
            try:
                return self._http.get(f"{url}/health").status_code
            except httpx.ConnectError:
                self._checked_at = float("-inf")
        raise AssertionError("no server accepted a connection")

    def _in_use(self) -> list[str]:
        if monotonic() - self._checked_at > 0.1:
            self._checked_at = monotonic()
            self._ready = [url for url in self._urls if self._is_ready(url)]
        return [*self._ready, *self._urls]

    def _is_ready(self, url: str) -> bool:
        try:
            return self._http.get(f"{url}/ready?exclude=parts").is_success
        except httpx.TransportError:  # a check goes on while the server closes its connections
            return False


@pytest.mark.nightly  # test_graceful_stop.py replaces processes of commerce in each run
def test_no_request_is_cut_while_a_server_stops_and_its_successor_starts(
    server: Server, tmp_path: Path
) -> None:
    settings, _ = server
    stopped = Settings(home=tmp_path, port_offset=free_offset(), serving_processes=2)
    urls = [stopped.serving, settings.serving]
    is_over = Event()
    statuses: Counter[int] = Counter()
    senders: list[Future[None]] = []

    def load() -> None:
        proxy = Proxy(urls)
        while not is_over.is_set():
            statuses[proxy.send()] += 1

    def wait_for_load() -> None:
        enough = statuses.total() + 200
        await_true(lambda: statuses.total() >= enough or is_broken(), "the load")

    def is_broken() -> bool:
        return any(each.done() for each in senders)

    def start() -> "subprocess.Popen[bytes]":
        own = environment(stopped) | {"SOUK_SERVING_PROCESSES": "2"}
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=own)
        await_true(lambda: is_ready(process, f"{stopped.serving}/ready?exclude=parts"), "serving's start")
        return process

    with terminated(start()) as first, ThreadPoolExecutor(4) as threads:
        senders += (threads.submit(load) for _ in range(4))
        try:
            wait_for_load()
            with slow_request(stopped) as end_request:
                first.terminate()
                await_true(lambda: not answers(stopped.serving), "the end of new connections")
                assert end_request().startswith(b"HTTP/1.1 ")  # what was begun is answered
            assert first.wait(60) == 0
            wait_for_load()
            with terminated(start()):
                wait_for_load()
        finally:
            is_over.set()
        for each in senders:
            each.result()

    assert statuses.keys() == {200}


@contextmanager
def slow_request(settings: Settings) -> Iterator[Callable[[], bytes]]:
    """A request of which the server has half, and a function that sends the rest and returns the response."""
    port = settings.port("serving")
    body = b'{"events": []}'
    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])

        def end() -> bytes:
            connection.sendall(body[5:])
            return b"".join(iter(lambda: connection.recv(65_536), b""))

        yield end


# The last test of the file, because it ends the server of the other tests.
def test_none_outlives_the_one_that_watches_them(server: Server) -> None:
    settings, parent = server
    await_true(lambda: len(workers(parent)) == settings.serving_processes, "both processes")
    left = workers(parent)
    parent.kill()

    _, alive = psutil.wait_procs(left, timeout=30)
    assert alive == []
    assert not healthy(settings)
