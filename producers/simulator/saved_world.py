"""Saves the simulated world of this installation: `<home>/simulator/world.json`.

The first run determines the world and the end of its history. Later runs use the same. A world that was saved
without a version has the first one, so that it stays as it is.
"""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from common.errors import SoukError, UserError
from common.file_lock import single_instance
from common.file_replacement import replace_file
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.world.shape import FIRST_VERSION, WorldShape


@dataclass(frozen=True)
class BackfillProgress:
    """The events that one Kafka cluster has: all days before `day`, and `position` events of that day."""

    cluster: str
    day: int = 0
    position: int = 0
    sent: int = 0
    finished_at: str | None = None


@dataclass(frozen=True)
class SavedWorld:
    """A world that has been created. If it has no history, `weeks` and `events` are 0.

    `end_ms` is the end of the history, or the time at which a world without history was registered.
    """

    shape: WorldShape
    end_ms: int
    weeks: int = 0
    events: int = 0
    progress: BackfillProgress | None = None

    @property
    def plan(self) -> HistoryPlan:
        """The plan of its history."""
        return HistoryPlan(self.shape, self.end_ms, self.weeks, self.events)

    def with_progress(self, progress: BackfillProgress) -> "SavedWorld":
        """Return a copy with this progress."""
        return replace(self, progress=progress)


def directory_of(home: Path) -> Path:
    """Return the directory of the simulator's state."""
    return home / "simulator"


def read(home: Path) -> SavedWorld | None:
    """Return the saved world; None if there is none.

    Raises:
        UserError: the file can't be read.
    """
    path = _path(home)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        progress = BackfillProgress(**found["progress"]) if found["progress"] else None
        shape = WorldShape(**{"version": FIRST_VERSION} | found["shape"])
        return SavedWorld(**found | {"shape": shape, "progress": progress})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} can't be read ({error}): remove it to create another world") from error


def write(home: Path, saved: SavedWorld) -> None:
    """Save the world.

    Raises:
        SoukError: the file can't be written, for example because the disk is full.
    """
    path = _path(home)
    try:
        replace_file(path, json.dumps(asdict(saved), indent=1))
    except OSError as error:
        raise SoukError(
            f"{path} can't be written ({error.strerror}): the simulator can't save its progress"
        ) from error


def exclusive(home: Path, what: str) -> AbstractContextManager[None]:
    """Hold the lock of this home's simulator, so that no second simulator runs.

    Raises:
        UserError: a simulator is already running, or `home` can't be written.
    """
    return single_instance(directory_of(home) / "simulator.lock", what)


def require_same_options(saved: SavedWorld, options: dict[str, Any]) -> None:
    """Refuse options that differ from the saved world. The value None means that an option was not given.

    Raises:
        UserError: an option has another value in the saved world.
    """
    current = asdict(saved.shape) | ({"weeks": saved.weeks, "events": saved.events} if saved.weeks else {})
    for name, value in options.items():
        if value is not None and name in current and current[name] != value:
            raise UserError(
                f"--{name} {value}: the world of this home has {current[name]}: omit the option, "
                "or set SOUK_HOME to another directory for another world"
            )


def _path(home: Path) -> Path:
    return directory_of(home) / "world.json"
