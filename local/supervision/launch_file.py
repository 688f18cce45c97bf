"""The file from which `local/supervision/launch.py` becomes a process."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from local.home import Home, base_environment

ABREAST = 0
"""The session's level of a part for whose answer someone waits."""


@dataclass(frozen=True)
class Launch:
    """The process of a part: everything that `local/supervision/launch.py` needs to become it."""

    argv: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    """Added to a minimal environment (`local.home.base_environment`)."""
    uid: int | None = None
    gid: int | None = None
    keep_access: bool = False
    """`uid`, `gid`: run as these ids instead of the caller's (only root may ask); `keep_access`: and still
    reach files under directories that are closed to them."""
    stop_signal: Literal["TERM", "INT"] = "TERM"
    nice: int = 0
    """How many levels others of its session go before it where both want a core."""
    session: int | None = None
    """A session of its own, so many levels behind others (`ABREAST`, or more); None: the supervisor's."""
    realtime: int = 0
    """A priority of `common.realtime`, if the system permits it. 0: in line, where sessions and `nice`
    decide, unless the process itself goes first."""
    heirs: bool = True
    """Whether threads and processes that it begins are in real time, too."""


def write_launch(home: Home, name: str, spec: Launch) -> str:
    """Write a part's launch file (it may hold passwords: mode 600). Returns its digest."""
    content = {**asdict(spec), "cwd": str(spec.cwd), "log": str(home.log(name))}
    content["env"] = {**base_environment(), **spec.env}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path = home.run / f"{name}.launch.json"
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps({**content, "digest": digest}, indent=1))
    fresh.replace(path)
    return digest
