"""Runs a temporary platform, or its ClickHouse or Redis for a benchmark, with its own directory and ports."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from rich.console import Console

from clickhouse.databases import ROWS_SUFFIX
from common.bounded_process import end_process
from common.errors import PartUnavailable, SoukError
from common.process_records import process_tree
from common.settings import ROOT, Settings
from jobs.flink_client import FlinkClient
from local import passwords, stack
from local.parts import clickhouse, postgres, redis
from local.parts.part import NotReady, Part
from local.stack import require_free
from local.state_directory import StateDirectory, base_environment, settings_environment
from local.status import status
from local.supervision.supervisor import NAME as SUPERVISOR
from local.supervision.supervisor import POLL_S, Supervisor

JOBS = ("facts", "rankings")
"""The jobs that are measured; the other jobs would compete with them."""

UNDISTURBED = {"audit_enabled": False, "training_enabled": False}
"""Settings of a platform that does only what is asked of it."""

_START_TIMEOUT_S = _END_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class TemporaryPlatform:
    """A running platform whose jobs can be stopped, and the measured jobs started."""

    settings: Settings
    console: Console

    def stop_jobs(self) -> None:
        """Stop the job reconciler and cancel all jobs; their slots are free when this returns."""
        Supervisor(StateDirectory(self.settings.home)).stop_parts(["jobs"])
        deadline = time.monotonic() + _END_TIMEOUT_S
        with FlinkClient(self.settings.flink) as flink:
            for job in flink.jobs():
                if not job.ended:
                    flink.cancel(job.id)
            while not all(job.ended for job in flink.jobs()):
                if time.monotonic() > deadline:
                    raise SoukError(f"the jobs did not end within {_END_TIMEOUT_S:.0f} s")
                time.sleep(0.2)

    def start_jobs(self) -> None:
        """Submit the measured jobs; returns when Flink has accepted them."""
        subprocess.run(
            [sys.executable, "-m", "jobs.submit", *JOBS],
            cwd=ROOT,
            env=base_environment() | settings_environment(self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds that each part has used since its start, live child processes included."""
        parts = [part for part in status(self.settings) if part.name != SUPERVISOR]
        return {part.name: _tree_cpu_s(part.pid) for part in parts if part.pid}

    def memory(self) -> dict[str, int]:
        """Return the resident bytes of each part, child processes included."""
        return {part.name: part.memory_bytes for part in status(self.settings)}


def _tree_cpu_s(pid: int) -> float:
    """Return the user and system time of a process and its live descendants."""
    total = 0.0
    for each in process_tree(pid):
        with suppress(psutil.NoSuchProcess):
            total += sum(psutil.Process(each).cpu_times()[:2])
    return total


async def fetch_count(settings: Settings, query: str) -> int:
    """Return the number that a query on PostgreSQL answers."""
    connection = await asyncpg.connect(settings.postgres)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


@contextmanager
def temporary_platform(
    settings: Settings, port_offset: int, console: Console, **others: Any
) -> Iterator[TemporaryPlatform]:
    """Start the bundled parts on other ports, even if the settings have URLs. Stop them at the end.

    `others` are settings of the temporary platform, by name. By itself, it makes no audit and trains no
    model, which would disturb what is measured.
    """
    with _temporary_home(settings, port_offset, **(UNDISTURBED | others)) as own:
        try:
            yield TemporaryPlatform(stack.up(own, console), console)
        finally:
            stack.down(own, console)


@contextmanager
def temporary_clickhouse(settings: Settings, port_offset: int) -> Iterator[Settings]:
    """Start the bundled ClickHouse on another port, without any table. Stop it at the end.

    Its read-only users may also read the internal tables of metrics.

    Raises:
        UserError: the port is in use.
        PartUnavailable: ClickHouse does not become ready. The message has the end of its log.
    """
    with _temporary_home(settings, port_offset) as own:
        internal = f"{own.clickhouse_database}{ROWS_SUFFIX}"
        own = passwords.ensure(own).model_copy(update={"clickhouse_readable_databases": internal})
        with _running(clickhouse.part(own), own):
            yield own


@contextmanager
def temporary_redis(settings: Settings, port_offset: int) -> Iterator[Settings]:
    """Start the bundled Redis on another port, empty. Stop it at the end.

    Raises:
        UserError: the port is in use.
        PartUnavailable: Redis does not become ready. The message has the end of its log.
    """
    with _temporary_home(settings, port_offset) as own:
        own = passwords.ensure(own)
        with _running(redis.part(own), own):
            yield own


@contextmanager
def temporary_postgres(
    settings: Settings, port_offset: int, change: Callable[[Part], Part] = lambda part: part
) -> Iterator[Settings]:
    """Start the bundled PostgreSQL on another port, with an empty database. Stop it at the end.

    `change` returns the part with other options of the server.

    Raises:
        UserError: the port is in use.
        PartUnavailable: PostgreSQL does not become ready. The message has the end of its log.
    """
    with _temporary_home(settings, port_offset) as own:
        own = passwords.ensure(own)
        with _running(change(postgres.part(own)), own):
            yield own


@contextmanager
def _running(part: Part, own: Settings) -> Iterator[None]:
    require_free(part.name, part.ports, own.port_offset)
    launch = part.launch
    assert launch
    StateDirectory(own.home).make()
    launch.cwd.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.prepare()
    log = own.home / f"{part.name}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            launch.argv,
            cwd=launch.cwd,
            env=base_environment() | dict(launch.env),
            user=launch.uid,
            group=launch.gid,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _await_ready(part, server, log)
        yield
    finally:
        end_process(server, _END_TIMEOUT_S, signal.Signals[f"SIG{launch.stop_signal}"])


def _await_ready(part: Part, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            return part.ready()
        except NotReady as error:
            if server.poll() is not None or time.monotonic() > deadline:
                end = log.read_text(errors="replace")[-1000:].strip()
                raise PartUnavailable(f"{part.name} did not start ({error}): {end}") from error
        time.sleep(POLL_S)


@contextmanager
def _temporary_home(settings: Settings, port_offset: int, **others: Any) -> Iterator[Settings]:
    """Yield settings with a directory of their own, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="souk-bench-", ignore_cleanup_errors=True) as folder:
        yield Settings.model_validate(
            {"home": Path(folder), "install": settings.install, "port_offset": port_offset, **others}
        )
