"""Checks the state of every part over the part's own protocol."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from common.process_records import process_tree, read_process_record, resident_bytes
from common.settings import Settings
from local.parts import on_demand
from local.parts.part import NotReady, Part
from local.stack import all_parts
from local.state_directory import StateDirectory
from local.supervision.supervisor import NAME, Supervisor


@dataclass(frozen=True)
class Status:
    """One part as `./souk status` shows it."""

    name: str
    state: str
    """`ready`, `starting` (running, but not ready), `stopped`, or `failing`."""
    found: str
    """How the program was found (`url`, `path` or `bundled`), and its version."""
    pid: int | None
    ports: list[int]
    url: str
    uptime_s: float | None
    restarts: int
    memory_bytes: int
    says: str
    """Why the part is not ready; empty if it is."""


def status(settings: Settings) -> list[Status]:
    """Return the state of every part; the supervisor is last."""
    settings = on_demand.apply(settings)
    home = StateDirectory(settings.home)
    supervisor = Supervisor(home)
    alive = home.run.exists() and supervisor.alive()
    states = supervisor.states() if alive else {}
    with ThreadPoolExecutor() as pool:
        statuses = list(
            pool.map(
                lambda part: _status(home, states.get(part.name, "STOPPED"), part),
                [*all_parts(settings), *on_demand.parts(settings, on_demand.running(home))],
            )
        )
    return [*statuses, _supervisor(home, alive, any(part.pid for part in statuses))]


@dataclass(frozen=True)
class Lag:
    """Messages in Kafka that each job, and each service that reads some, has not read yet."""

    jobs: dict[str, int]
    services: dict[str, int]


def consumer_lag(settings: Settings) -> Lag:
    """Return how far every job and service is behind.

    Raises:
        PartUnavailable: Kafka or Redis does not answer.
    """
    # Imported here, so that `up` and `down` do not load Kafka's client.
    from common.consumer_lag import lag_of_readers
    from jobs.versions import live_names, topics_by_group
    from schemas.services import SERVICES, TOPICS_BY_GROUP, consumer_group

    groups = live_names(settings)
    lag = lag_of_readers(settings.kafka, topics_by_group(settings, groups) | TOPICS_BY_GROUP)
    return Lag(
        {job: lag[group] for job, group in groups.items()},
        {name: lag[consumer_group(name)] for name, service in SERVICES.items() if service.reads},
    )


def _supervisor(home: StateDirectory, alive: bool, has_parts: bool) -> Status:
    record = read_process_record(home.run, NAME)
    pid = record.pid if record and record.alive else None
    memory = resident_bytes([pid]) if pid else 0
    uptime = record.uptime_s if record and pid else None
    says = ""
    if not alive and (pid or has_parts):
        problem = "does not answer" if pid else "has died"
        says = f"it {problem}, so no part is restarted if it dies: run `./souk up`"
    state = "ready" if alive else "failing" if says else "stopped"
    return Status(NAME, state, "bundled", pid, [], "", uptime, 0, memory, says)


def _status(home: StateDirectory, supervisor_state: str, part: Part) -> Status:
    record = read_process_record(home.run, part.name) if part.launch else None
    pid = record.pid if record and record.alive else None
    says = ""
    if part.launch is None or pid:
        try:
            part.ready()
        except NotReady as error:
            says = str(error)
    if part.launch is None:
        state = "failing" if says else "ready"
    elif pid:
        state = "starting" if says else "ready"
    else:
        state = "failing" if supervisor_state in ("BACKOFF", "FATAL") else "stopped"
    return Status(
        name=part.name,
        state=state,
        found=" ".join(word for word in (part.resolution.source, part.resolution.version) if word),
        pid=pid,
        ports=sorted(part.ports.values()),
        url=part.url,
        uptime_s=round(record.uptime_s, 1) if record and pid else None,
        restarts=record.starts - 1 if record else 0,
        memory_bytes=resident_bytes(process_tree(pid)) if pid else 0,
        says=says,
    )
