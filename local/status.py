"""How every part does, asked over its own protocol."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from common.settings import Settings
from local.home import Home
from local.parts.part import NotReady, Part
from local.stack import all_parts
from local.supervision.processes import read_record, resident_bytes, tree
from local.supervision.supervisor import NAME, Supervisor


@dataclass(frozen=True)
class Status:
    """One part as `./souk status` shows it."""

    name: str
    state: str
    """`ready`, `starting` (it runs but does not answer as it should), `stopped`, or `failing`."""
    found: str
    pid: int | None
    ports: list[int]
    url: str
    uptime_s: float | None
    restarts: int
    memory_bytes: int
    says: str
    """Why it is not ready; empty if it is."""


def status(settings: Settings) -> list[Status]:
    """Every part's state, asked over its own protocol; the supervisor last."""
    home = Home(settings.home)
    supervisor = Supervisor(home)
    alive = home.run.exists() and supervisor.alive()
    states = supervisor.states() if alive else {}
    with ThreadPoolExecutor() as pool:
        found = list(
            pool.map(lambda part: _status(home, states.get(part.name, "STOPPED"), part), all_parts(settings))
        )
    return [*found, _supervisor(home, alive, any(part.pid for part in found))]


def _supervisor(home: Home, alive: bool, has_parts: bool) -> Status:
    record = read_record(home.run, NAME)
    pid = record.pid if record and record.alive else None
    memory = resident_bytes([pid]) if pid else 0
    uptime = record.uptime_s if record and pid else None
    says = ""
    if not alive and (pid or has_parts):
        says = (
            f"it {'does not answer' if pid else 'has died'}, so a part that dies stays dead: run `./souk up`"
        )
    state = "ready" if alive else "failing" if says else "stopped"
    return Status(NAME, state, "bundled", pid, [], "", uptime, 0, memory, says)


def _status(home: Home, supervised: str, part: Part) -> Status:
    record = read_record(home.run, part.name) if part.launch else None
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
        state = "failing" if supervised in ("BACKOFF", "FATAL") else "stopped"
    return Status(
        name=part.name,
        state=state,
        found=" ".join(word for word in (part.found.how, part.found.version) if word),
        pid=pid,
        ports=sorted(part.ports.values()),
        url=part.url,
        uptime_s=round(record.uptime_s, 1) if record and pid else None,
        restarts=record.starts - 1 if record else 0,
        memory_bytes=resident_bytes(tree(pid)) if pid else 0,
        says=says,
    )
