"""Finds programs on PATH and reads their versions.

A URL in the settings comes before a program on PATH, and this before a bundled program.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from common.settings import Settings


def find_on_path(settings: Settings, *names: str) -> Path | None:
    """Return the first of these programs on PATH, except those of our own installation."""
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if folder and not Path(folder).resolve().is_relative_to(settings.install)
    ]
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join(folders)):
            return Path(found)
    return None


def read_version(program: Path) -> tuple[int, ...]:
    """Return the version that `program --version` prints, such as `(7, 2, 4)`; empty without one."""
    try:
        output = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_version(output)


def parse_version(text: str) -> tuple[int, ...]:
    """Return the first dotted number in a text: `postgres (PostgreSQL) 18.4` → `(18, 4)`."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def format_version(version: tuple[int, ...]) -> str:
    """Return a version as text: `(18, 4)` → `18.4`."""
    return ".".join(map(str, version))
