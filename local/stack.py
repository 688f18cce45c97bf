"""Starts and stops all parts on this machine: `up` and `down`."""

import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

import psutil
import structlog
from rich.console import Console

from common.background import in_background
from common.errors import PartUnavailable, UserError
from common.process_records import read_process_record
from common.settings import LOOPBACK, Settings
from local import passwords
from local.logs.files import last_lines
from local.logs.record import read_records, readable
from local.parts import (
    clickhouse,
    flink,
    kafka,
    on_demand,
    postgres,
    redis,
    registry,
)
from local.parts.part import NotReady, Part
from local.parts.processes import PROCESSES
from local.state_directory import StateDirectory
from local.supervision.launch_file import write_launch_file
from local.supervision.supervisor import POLL_S, Supervisor, stop_timeout_s

SIGNAL_CHECK_S = 0.5
"""How often the wait for a step ends, so that Python sees a signal that arrived just before it began."""


@dataclass(frozen=True)
class Step:
    """A function to run after the steps in `needs`.

    If it returns a step, that one is what is left to do. The whole is done once it has run, after its own
    needs.
    """

    name: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


def run_steps(
    steps: list[Step], finished: Callable[[str], None], cancel: Callable[[], None] = lambda: None
) -> None:
    """Run every step; call `finished(name)` in this thread after each.

    After the first error, no further step starts. `cancel()` is called, and the error is raised when the
    running steps have ended. Ctrl-C does not wait for them, because every step can be repeated. A need that
    names no step counts as done.

    Raises:
        ValueError: the needs of the steps form a cycle.
    """
    names = {step.name for step in steps}
    waiting = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[object], str] = {}
    try:
        while waiting or running:
            ready = [
                s for s in waiting.values() if all(need in done or need not in names for need in s.needs)
            ]
            if not ready and not running:
                raise ValueError(f"the needs of these steps form a cycle: {', '.join(waiting)}")
            for step in ready:
                running[in_background(step.run)] = waiting.pop(step.name).name
            for future in wait(running, SIGNAL_CHECK_S, FIRST_COMPLETED).done:
                name = running.pop(future)
                rest = future.result()
                if isinstance(rest, Step):
                    waiting[name] = replace(rest, name=name)
                else:
                    done.add(name)
                    finished(name)
    except BaseException as error:
        cancel()
        if not isinstance(error, KeyboardInterrupt):
            wait(running)
        raise


def is_free(port: int) -> bool:
    """Return whether a server can listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def owner(port: int) -> str:
    """Return the process that listens on a port, such as `pid 123 (java)`, or `another process`."""
    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
            and connection.pid
        ]
        return f"pid {pids[0]} ({psutil.Process(pids[0]).name()})" if pids else "another process"
    except psutil.Error:
        return "another process"


def require_free(part: str, ports: dict[str, int], offset: int) -> None:
    """Check the ports of a part that is about to start.

    Raises:
        UserError: a port is in use. The message names the part, the port and the process.
    """
    for name, port in ports.items():
        if not 0 < port < 65_536:
            raise UserError(
                f"{part} can't use port {port} ({name}): choose a smaller SOUK_PORT_OFFSET than {offset}"
            )
        if not is_free(port):
            raise UserError(
                f"{part} needs port {port} ({name}), but {owner(port)} listens there: stop it, or move this "
                f"copy to other ports with SOUK_PORT_OFFSET (now {offset}), for example {offset + 100}"
            )


log = structlog.get_logger()

MAX_STARTS = 3
"""`up` fails when a part has died after more starts than this. The supervisor continues to restart it."""

STOP_ORDER = (
    ("serving", "prometheus", "alertmanager"),
    ("commerce", "jobs", "rollups", "seller_sql", "search", "training", "audit"),
    ("taskmanager", "jobmanager"),
    ("kafka", "registry", "clickhouse", "redis", "postgres", "zipkin"),
)
"""Stages of `down`. A part stops before the parts that it reads from."""


def all_parts(settings: Settings) -> list[Part]:
    """Return every part, as found with these settings on this machine."""
    return [
        postgres.part(settings),
        redis.part(settings),
        kafka.part(settings),
        registry.part(settings),
        clickhouse.part(settings),
        *flink.parts(settings),
        *(
            process.part(settings)
            for name, process in PROCESSES.items()
            if getattr(settings, f"{name}_enabled", True)
        ),
    ]


def set_up(settings: Settings) -> list[Step]:
    """Return the steps after the start of the servers: topics, schemas, tables. Each is idempotent.

    Tables need no Kafka, so that the pages can start before it, unless events of an older version are there:
    these are completed before figures are computed from them.
    """
    # Imported here, so that `status` and `down` don't load the clients.
    from clickhouse.migrate import apply_migrations, install_views
    from local.event_upgrade import complete_old_events, has_old_events
    from schemas.setup import register

    def complete_and_install() -> None:
        complete_old_events(settings)
        install_views(settings)

    def install() -> Step | None:
        if has_old_events(settings):
            return Step("tables", complete_and_install, ("topics",))
        install_views(settings)
        return None

    return [
        Step("topics", partial(register, settings), ("kafka", "registry")),
        Step("migrations", partial(apply_migrations, settings), ("clickhouse",)),
        Step("tables", install, ("migrations",)),
    ]


def up(settings: Settings, console: Console) -> Settings:
    """Start every part that is not running and wait until all are ready.

    Says when the pages answer, which is before the jobs run. Returns the settings with the passwords of this
    copy.

    Raises:
        UserError: a port is in use, the disk is full, the state directory can't be written, or the program of
            a part on demand is not installed.
        PartUnavailable: a part does not become ready. The message has the end of its log.
    """
    home = StateDirectory(settings.home)
    home.make()
    with home.locked(console):
        settings = passwords.ensure(on_demand.apply(settings))
        stop_unwanted(home, settings)
        parts = [*all_parts(settings), *on_demand.parts(settings, on_demand.wanted(settings))]
        bring_up(settings, home, parts, set_up(settings), console)
    return settings


def stop_unwanted(home: StateDirectory, settings: Settings) -> None:
    """Stop the parts on demand that run and are no longer wanted."""
    supervisor = Supervisor(home)
    unwanted = [name for name in on_demand.ON_DEMAND if name not in on_demand.wanted(settings)]
    if supervisor.alive() and any(supervisor.is_running(name) for name in unwanted):
        supervisor.stop_parts(unwanted)


def set_up_servers(settings: Settings) -> None:
    """Wait for Kafka, the registry and ClickHouse of the settings, then run the steps of `set_up`.

    Each step that is done is logged.

    Raises:
        UserError: the settings have no address of one of them, so `up` would start it.
        PartUnavailable: one does not become ready, or refuses a step.
    """
    addresses = {
        "SOUK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "SOUK_REGISTRY_URL": settings.registry_url,
        "SOUK_CLICKHOUSE_URL": settings.clickhouse_url,
    }
    if missing := [name for name, address in addresses.items() if not address]:
        raise UserError(f"set {', '.join(missing)}, or run ./souk up, which starts servers of its own")
    parts = [kafka.part(settings), registry.part(settings), clickhouse.part(settings)]
    begun, cancelled = time.monotonic(), Event()
    steps = [Step(part.name, partial(_wait_for, part, cancelled)) for part in parts]

    def finished(name: str) -> None:
        log.info("ready", step=name, after_s=round(time.monotonic() - begun, 1))

    run_steps([*steps, *set_up(settings)], finished, cancelled.set)


def _wait_for(part: Part, cancelled: Event) -> None:
    try:
        _wait(part, cancelled, lambda: None)
    except NotReady as error:
        raise PartUnavailable(f"{part.name} at {part.url} is not ready: {error}") from error


def bring_up(
    settings: Settings, home: StateDirectory, parts: list[Part], extra: list[Step], console: Console
) -> None:
    """Start these parts and run the extra steps, each after the parts and steps that it needs."""
    supervisor = Supervisor(home, stop_timeout_s(settings))
    try:
        # With the parts on demand, so that one that is started later does not restart the supervisor.
        stop_signals: dict[str, str] = dict.fromkeys(on_demand.ON_DEMAND, "TERM")
        stop_signals |= {part.name: part.launch.stop_signal for part in parts if part.launch}
        supervisor.start(stop_signals, settings.log_limit_mb)
        for part in parts:
            if not supervisor.is_running(part.name):
                require_free(part.name, part.ports, settings.port_offset)
        cancelled = Event()
        steps = [
            Step(part.name, partial(_start, home, supervisor, part, cancelled), part.needs) for part in parts
        ]
        _run([*steps, *extra], cancelled, settings.public, console)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"the disk of {home.path} is full: free some space, or set SOUK_HOME to another disk"
            ) from error
        raise


def _run(steps: list[Step], cancelled: Event, pages: str, console: Console) -> None:
    """Run the steps and print which are done and which are running. `pages` is the address of the pages."""
    begun, waiting = time.monotonic(), [step.name for step in steps]

    def finished(name: str) -> None:
        waiting.remove(name)
        after = f"after {time.monotonic() - begun:.1f} s"
        console.print(f"  {name} [dim]ready {after}[/]", highlight=False)
        if name == "serving" and waiting:
            console.print(
                f"  The pages answer {after}: {pages}/  Still starting: {', '.join(waiting)}",
                highlight=False,
                soft_wrap=True,
            )
        status.update(f"waiting for {', '.join(waiting)}")

    with console.status("starting the parts") as status:
        run_steps(steps, finished, cancelled.set)


def _start(home: StateDirectory, supervisor: Supervisor, part: Part, cancelled: Event) -> None:
    """Start a part unless it runs with the same launch file; wait until it is ready or `cancelled` is set."""
    if part.launch is None:
        _wait_for(part, cancelled)
        return
    part.launch.cwd.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.prepare()
    home.make_private()
    supervisor.run_part(part.name, write_launch_file(home, part.name, part.launch))

    def check_crashes() -> None:
        record = read_process_record(home.run, part.name)
        if record and record.starts > MAX_STARTS and not record.alive:
            raise PartUnavailable(f"{part.name} keeps crashing during its start\n{log_tail(home, part.name)}")

    try:
        _wait(part, cancelled, check_crashes)
    except NotReady as error:
        raise PartUnavailable(
            f"{part.name} is not ready after {part.timeout_s:.0f} s: {error}\n{log_tail(home, part.name)}"
        ) from error


def _wait(part: Part, cancelled: Event, check_crashes: Callable[[], None]) -> None:
    """Call `part.ready` until it succeeds. `check_crashes` raises to stop early.

    Raises:
        NotReady: at the deadline, or when `cancelled` is set.
    """
    deadline = time.monotonic() + part.timeout_s
    while True:
        try:
            return part.ready()
        except NotReady:
            check_crashes()
            if cancelled.wait(POLL_S * 4) or time.monotonic() > deadline:
                raise


def log_tail(home: StateDirectory, name: str, lines: int = 8) -> str:
    """Return the path of a part's log and its last lines, as text for an error message."""
    path = home.log(name)
    if not path.exists():
        return f"(there is no log at {path})"
    records = read_records(name, last_lines(path, lines))
    tail = [line for record in records for line in readable(record)][-lines:]
    return "\n".join([f"the end of {path}:", *(f"    {line[:300]}" for line in tail)])


def down(settings: Settings, console: Console) -> int:
    """Stop everything that this copy started. Returns the number of stray processes that were ended."""
    home = StateDirectory(settings.home)
    if not home.run.exists():
        return 0
    with home.locked(console), console.status("stopping the parts"):
        supervisor = Supervisor(home, stop_timeout_s(settings))
        if supervisor.alive():
            for stage in STOP_ORDER:
                supervisor.stop_parts(stage)
        return supervisor.stop()
