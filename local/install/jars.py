"""Which jars and browser libraries there are (`jars.toml`, `jars.lock`), and where they lie once fetched."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from common.errors import PartUnavailable
from common.settings import ROOT, Settings

WANTED = ROOT / "jars.toml"
LOCK = ROOT / "jars.lock"

CONNECTORS = "connectors"
"""The group of what is compiled here from `jobs/connectors/java`."""


@dataclass(frozen=True, order=True)
class Jar:
    """One artifact of a Maven repository."""

    group: str
    artifact: str
    version: str
    type: str = "jar"
    classifier: str = ""

    @classmethod
    def parse(cls, coordinate: str) -> Self:
        """Read `group:artifact:version[:type[:classifier]]`.

        Raises:
            ValueError: there are fewer than three or more than five parts, or an empty one.
        """
        parts = coordinate.split(":")
        if not 3 <= len(parts) <= 5 or not all(parts):
            raise ValueError(f"{coordinate!r} is not group:artifact:version[:type[:classifier]]")
        return cls(*parts)

    def __str__(self) -> str:
        extra = [self.type, self.classifier] if self.classifier else [self.type] * (self.type != "jar")
        return ":".join([self.group, self.artifact, self.version, *extra])

    @property
    def filename(self) -> str:
        """The file's name in every Maven repository."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.type}"


@dataclass(frozen=True)
class Group:
    """Jars that are fetched and used together."""

    name: str
    jars: dict[Jar, str]
    """Jar → sha256, in hexadecimal."""
    serve: dict[str, str]
    """File to serve → artifact/path inside a WebJar; empty for jars that are used as they are."""
    test_only: bool

    @property
    def digest(self) -> str:
        """Changes whenever the fetched folder would."""
        said = repr((sorted(self.jars.items()), sorted(self.serve.items())))
        return hashlib.sha256(said.encode()).hexdigest()


def groups(wanted: Path = WANTED, lock: Path = LOCK) -> dict[str, Group]:
    """Every group by name, as pinned in the lock."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(wanted.read_text())
    pinned: dict[str, dict[str, str]] = tomllib.loads(lock.read_text())
    return {
        name: Group(
            name,
            {Jar.parse(coordinate): sha256 for coordinate, sha256 in pinned[name].items()},
            table.get("serve", {}),
            table.get("test_only", False),
        )
        for name, table in tables.items()
    }


def folder(install: Path, group: str) -> Path:
    """Where a group lives in an installation."""
    return install / "share" / "souk" / group


def is_complete(install: Path, group: Group) -> bool:
    """Whether the folder of a group holds exactly what the lock says."""
    mark = folder(install, group.name) / "digest"
    return mark.is_file() and mark.read_text() == group.digest


def jars(settings: Settings, group: str) -> list[Path]:
    """The files of a group: `kafka`, `registry`, `flink` (with our connectors), `compiler`, `web` or `jdbc`.

    Raises:
        PartUnavailable: the group was never fetched.
    """
    found = _files(settings.install, group)
    return found + _files(settings.install, CONNECTORS) if group == "flink" else found


def _files(install: Path, group: str) -> list[Path]:
    suffixes = {".js"} if group == "web" else {".jar"}
    found = sorted(path for path in folder(install, group).rglob("*") if path.suffix in suffixes)
    if not found:
        command = "./souk test" if group == "jdbc" else "./souk status"
        raise PartUnavailable(f"the {group} jars are not installed: run `{command}` once, it fetches them")
    return found
