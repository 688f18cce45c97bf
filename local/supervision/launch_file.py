"""Writes the launch file of a part, which `local/supervision/launch.py` reads."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from common.file_replacement import replace_file
from local.state_directory import StateDirectory, base_environment


@dataclass(frozen=True)
class LaunchSpec:
    """The process of a part: command, directory, environment, user, stop signal."""

    argv: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    """Added to a minimal environment (`local.state_directory.base_environment`)."""
    uid: int | None = None
    gid: int | None = None
    """Run as `uid` and `gid` instead of the caller's ids; only root can."""
    stop_signal: Literal["TERM", "INT"] = "TERM"
    nice: int = 0
    """Added to the niceness of the supervisor: 0 is the same priority, 19 the lowest."""


def write_launch_file(home: StateDirectory, name: str, spec: LaunchSpec) -> str:
    """Write a part's launch file with mode 600, because it may contain passwords. Returns its digest."""
    content = {**asdict(spec), "cwd": str(spec.cwd), "log": str(home.log(name))}
    content["env"] = {**base_environment(), **spec.env}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    replace_file(home.run / f"{name}.launch.json", json.dumps({**content, "digest": digest}, indent=1), 0o600)
    return digest
