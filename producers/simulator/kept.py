"""What this installation knows of its simulated world: `<home>/simulator/world.json`.

A world and the end of its history are fixed when they are first asked for; whoever comes back goes on with
them.
"""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from common.errors import SoukError, UserError
from producers.feed import lock
from producers.simulator.history.plan import Plan
from producers.simulator.world.shape import Shape


@dataclass(frozen=True)
class Progress:
    """How far a history has been sent to one Kafka: all days before `day`, and `position` events of it."""

    cluster: str
    day: int = 0
    position: int = 0
    sent: int = 0
    finished_at: str | None = None


@dataclass(frozen=True)
class Kept:
    """A world that was begun. Without a history `weeks` and `events` are 0.

    `end_ms` is when the history ends, or when a world without one was introduced.
    """

    shape: Shape
    end_ms: int
    weeks: int = 0
    events: int = 0
    progress: Progress | None = None

    @property
    def plan(self) -> Plan:
        """The plan of the history."""
        return Plan(self.shape, self.end_ms, self.weeks, self.events)

    def advanced(self, progress: Progress) -> "Kept":
        """The same, sent further."""
        return replace(self, progress=progress)


def directory_of(home: Path) -> Path:
    """Where the simulator keeps its state."""
    return home / "simulator"


def read(home: Path) -> Kept | None:
    """What is kept; None when no world was begun.

    Raises:
        UserError: the file can't be read.
    """
    path = _path(home)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        progress = Progress(**found["progress"]) if found["progress"] else None
        return Kept(**found | {"shape": Shape(**found["shape"]), "progress": progress})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} can't be read ({error}): remove it to begin another world") from error


def write(home: Path, kept: Kept) -> None:
    """Keep this.

    Raises:
        SoukError: the file can't be written, as when the disk is full.
    """
    path = _path(home)
    beside = path.with_suffix(".json.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(asdict(kept), indent=1), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise SoukError(
            f"{path} can't be written ({error.strerror}): the simulator can't keep its place"
        ) from error


def only_one(home: Path, what: str) -> AbstractContextManager[None]:
    """Keep a second simulator of this home out while this one runs.

    Raises:
        UserError: one is already running, or `home` can't be written.
    """
    return lock.only_one(directory_of(home) / "simulator.lock", what)


def require_same(kept: Kept, asked: dict[str, Any]) -> None:
    """Refuse what does not fit the world that was begun; `asked` are options by name, None for not given.

    Raises:
        UserError: an option has another value there.
    """
    there = asdict(kept.shape) | ({"weeks": kept.weeks, "events": kept.events} if kept.weeks else {})
    for name, value in asked.items():
        if value is not None and name in there and there[name] != value:
            raise UserError(
                f"--{name} {value}: the world of this home has {there[name]}: leave the option out, "
                "or set SOUK_HOME to another directory for another world"
            )


def _path(home: Path) -> Path:
    return directory_of(home) / "world.json"
