"""The whole single-machine stack: `up` and `down`."""

import errno
import time
from collections.abc import Callable
from functools import partial
from threading import Event

from rich.console import Console

from common.errors import PartUnavailable, UserError
from common.settings import Settings
from local import passwords
from local.home import Home
from local.parts import clickhouse, commerce, flink, jobs, kafka, postgres, redis, registry, serving
from local.parts.part import NotReady, Part
from local.supervision.launch_file import write_launch
from local.supervision.ports import require_free
from local.supervision.processes import POLL_S, read_record
from local.supervision.steps import Step, run_all
from local.supervision.supervisor import Supervisor

CRASHES_ALLOWED = 3
"""A part that died so often while `up` waits for it is given up on (the supervisor goes on trying)."""

STOP_ORDER = (
    ("serving",),
    ("commerce", "jobs"),
    ("taskmanager", "jobmanager"),
    ("kafka", "registry", "clickhouse", "redis", "postgres"),
)
"""Who feeds on others stops before them."""


def all_parts(settings: Settings) -> list[Part]:
    """Every part as these settings and this machine give it."""
    return [
        postgres.part(settings),
        redis.part(settings),
        kafka.part(settings),
        registry.part(settings),
        clickhouse.part(settings),
        *flink.parts(settings),
        jobs.part(settings),
        commerce.part(settings),
        serving.part(settings),
    ]


def set_up(settings: Settings) -> list[Step]:
    """What is done once the servers answer; every step is idempotent."""
    from clickhouse.migrate import migrate  # here, so that `status` and `down` don't load the clients
    from schemas.setup import register

    return [
        Step("topics", partial(register, settings), ("kafka", "registry")),
        Step("tables", partial(migrate, settings), ("clickhouse",)),
    ]


def up(settings: Settings, console: Console) -> Settings:
    """Start every part that does not run, and return once all are ready.

    Returns the settings with this copy's passwords in them.

    Raises:
        UserError: a port is taken, the disk is full, the state directory can't be used.
        PartUnavailable: a part does not get ready; the message has the end of its log.
    """
    home = Home(settings.home)
    home.make()
    with home.locked(console):
        settings = passwords.ensure(settings)
        bring_up(settings, home, all_parts(settings), set_up(settings), console)
    return settings


def bring_up(settings: Settings, home: Home, parts: list[Part], extra: list[Step], console: Console) -> None:
    """Start these parts in the order of their needs, and do the extra steps."""
    supervisor = Supervisor(home)
    try:
        supervisor.start({part.name: part.launch.stop_signal for part in parts if part.launch})
        for part in parts:
            if not supervisor.runs(part.name):
                require_free(part.name, part.ports, settings.port_offset)
        given_up = Event()
        steps = [
            Step(part.name, partial(_start, home, supervisor, part, given_up), part.needs) for part in parts
        ]
        _run([*steps, *extra], given_up, console)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"the disk of {home.path} is full: free some, or set SOUK_HOME to another"
            ) from error
        raise


def _run(steps: list[Step], given_up: Event, console: Console) -> None:
    """Run the steps, saying which are done and which are waited for."""
    begun, waited_for = time.monotonic(), [step.name for step in steps]

    def finished(name: str) -> None:
        waited_for.remove(name)
        console.print(f"  {name} [dim]ready after {time.monotonic() - begun:.1f} s[/]", highlight=False)
        status.update(f"waiting for {', '.join(waited_for)}")

    with console.status("starting the parts") as status:
        run_all(steps, finished, given_up.set)


def _start(home: Home, supervisor: Supervisor, part: Part, given_up: Event) -> None:
    """Start a part if it does not run as it should, and wait until it answers or `given_up` is set."""
    if part.launch is None:
        _wait(part, given_up, lambda: None)
        return
    part.launch.cwd.mkdir(parents=True, exist_ok=True)
    part.prepare()
    supervisor.run_part(part.name, write_launch(home, part.name, part.launch))

    def watch() -> None:
        record = read_record(home.run, part.name)
        if record and record.starts > CRASHES_ALLOWED and not record.alive:
            raise PartUnavailable(
                f"{part.name} ends again and again as it starts\n{last_words(home, part.name)}"
            )

    try:
        _wait(part, given_up, watch)
    except NotReady as error:
        raise PartUnavailable(
            f"{part.name} is not ready after {part.timeout_s:.0f} s: {error}\n{last_words(home, part.name)}"
        ) from error


def _wait(part: Part, given_up: Event, watch: Callable[[], None]) -> None:
    """Ask a part until it is ready; `watch` may raise to give up early.

    Raises:
        NotReady: at the deadline, or once `given_up` is set.
    """
    deadline = time.monotonic() + part.timeout_s
    while True:
        try:
            return part.ready()
        except NotReady:
            watch()
            if given_up.wait(POLL_S * 4) or time.monotonic() > deadline:
                raise


def last_words(home: Home, name: str, lines: int = 8) -> str:
    """Which log a part writes, and how it ends."""
    path = home.log(name)
    if not path.exists():
        return f"(it wrote no log at {path})"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        tail = file.read().decode(errors="replace").splitlines()[-lines:]
    return "\n".join([f"the end of {path}:", *(f"    {line[:300]}" for line in tail)])


def down(settings: Settings, console: Console) -> int:
    """Stop everything that this copy started. Returns how many strays had to be swept up."""
    home = Home(settings.home)
    if not home.run.exists():
        return 0
    with home.locked(console), console.status("stopping the parts"):
        supervisor = Supervisor(home)
        if supervisor.alive():
            for stage in STOP_ORDER:
                supervisor.stop_parts(stage)
        return supervisor.stop()
