"""The locked jars and browser libraries (`jars.toml`, `jars.lock`), and their folders in an installation."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from common.errors import PartUnavailable
from common.settings import ROOT, Settings

JARS_TOML = ROOT / "jars.toml"
LOCK = ROOT / "jars.lock"

CONNECTORS = "connectors"
"""The group of the jar that is compiled from `jobs/connectors/java`."""


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
            ValueError: there are fewer than three or more than five parts, or one is empty.
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
        """The file name in a Maven repository."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.type}"


@dataclass(frozen=True)
class Group:
    """Jars that are downloaded and used together."""

    name: str
    jars: dict[Jar, str]
    """Jar → sha256, in hexadecimal."""
    serve: dict[str, str]
    """File name to serve → artifact/path inside a WebJar. Empty for other jars."""
    test_only: bool
    on_demand: bool = False
    """Whether the group is fetched when its part is first started."""

    @property
    def digest(self) -> str:
        """A digest of the folder's content."""
        return hashlib.sha256(
            repr((sorted(self.jars.items()), sorted(self.serve.items()))).encode()
        ).hexdigest()


def groups(jars_toml: Path = JARS_TOML, lock: Path = LOCK) -> dict[str, Group]:
    """Return every group by name, with the versions of the lock."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(jars_toml.read_text())
    pinned: dict[str, dict[str, str]] = tomllib.loads(lock.read_text())
    return {
        name: Group(
            name,
            {Jar.parse(coordinate): sha256 for coordinate, sha256 in pinned[name].items()},
            table.get("serve", {}),
            table.get("test_only", False),
            table.get("on_demand", False),
        )
        for name, table in tables.items()
    }


def folder(install: Path, group: str) -> Path:
    """Return the folder of a group in an installation."""
    return install / "share" / "souk" / group


def is_complete(install: Path, group: Group) -> bool:
    """Return whether the folder of a group has exactly the content of the lock."""
    digest_file = folder(install, group.name) / "digest"
    return digest_file.is_file() and digest_file.read_text() == group.digest


def jars(settings: Settings, group: str) -> list[Path]:
    """Return the files of a group: `kafka`, `registry`, `flink` (with connectors), `compiler`, `web`,
    `jdbc`, `zipkin`.

    Raises:
        PartUnavailable: the group is not installed.
    """
    files = _files(settings.install, group)
    return files + _files(settings.install, CONNECTORS) if group == "flink" else files


def connectors_digest(settings: Settings) -> str:
    """Return the digest of the compiled connectors' sources; empty before they are compiled."""
    digest_file = folder(settings.install, CONNECTORS) / "digest"
    return digest_file.read_text() if digest_file.is_file() else ""


def _files(install: Path, group: str) -> list[Path]:
    suffix = ".js" if group == "web" else ".jar"
    files = sorted(folder(install, group).rglob(f"*{suffix}"))
    if not files:
        command = "./souk test" if group == "jdbc" else "./souk status"
        raise PartUnavailable(
            f"the {group} jars are not installed: run `{command}` once, which installs them"
        )
    return files
