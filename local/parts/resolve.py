"""Finds programs on PATH: what the settings don't name, and before what is bundled."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from common.settings import Settings


def on_path(settings: Settings, *names: str) -> Path | None:
    """The first of these programs on PATH that is not one of our own installation's."""
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if folder and not Path(folder).resolve().is_relative_to(settings.install)
    ]
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join(folders)):
            return Path(found)
    return None


def version_of(program: Path) -> tuple[int, ...]:
    """What `program --version` says, as numbers: `(7, 2, 4)`; empty if it says none."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return numbers(said)


def numbers(text: str) -> tuple[int, ...]:
    """The first dotted number in a text: `postgres (PostgreSQL) 18.4` → `(18, 4)`."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def dotted(version: tuple[int, ...]) -> str:
    """`(18, 4)` → `18.4`."""
    return ".".join(map(str, version))
