"""`python -m local.install.lock`: resolves `jars.toml` with jgo, hashes the artifacts, writes `jars.lock`."""

import hashlib
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from jgo.maven import Dependency, MavenContext

from local.install.fetch import download, use_system_certificates
from local.install.jars import JARS_TOML, LOCK, Jar

HEADER = "# Made by `python -m local.install.lock` from jars.toml: artifact = sha256. Do not edit.\n"


def resolve(context: MavenContext, table: dict[str, Any]) -> list[Jar]:
    """Return the artifacts of one group of `jars.toml`, sorted: those named and their runtime dependencies.

    Each named artifact is resolved separately. If they were resolved together, the dependency management of
    one would choose the versions of another. If two need different versions, the first named one wins.
    """
    named = [Jar.parse(coordinate) for coordinate in table.get("with_dependencies", [])]
    chosen = named + [Jar.parse(coordinate) for coordinate in table.get("alone", [])]
    excluded = set(table.get("without", []))
    for jar in named:
        _, needed = context.resolver.resolve(
            [context.create_dependency(f"{jar.group}:{jar.artifact}:{jar.version}")]
        )
        chosen += [_jar(dependency) for dependency in needed if _is_wanted(dependency, excluded)]
    return first_versions(chosen)


def first_versions(chosen: list[Jar]) -> list[Jar]:
    """Return the artifacts sorted; of several versions of an artifact, only the first."""
    first: dict[tuple[str, str, str, str], Jar] = {}
    for jar in chosen:
        first.setdefault((jar.group, jar.artifact, jar.type, jar.classifier), jar)
    return sorted(first.values())


def _is_wanted(dependency: Dependency, excluded: set[str]) -> bool:
    at_run_time = dependency.scope in {None, "compile", "runtime"} and not dependency.optional
    return at_run_time and f"{dependency.groupId}:{dependency.artifactId}" not in excluded


def _jar(dependency: Dependency) -> Jar:
    return Jar(
        dependency.groupId, dependency.artifactId, dependency.version, dependency.type, dependency.classifier
    )


def render(pinned: dict[str, dict[Jar, str]]) -> str:
    """Return the text of `jars.lock`."""
    return HEADER + "".join(
        f"\n[{name}]\n" + "".join(f'"{jar}" = "{sha256}"\n' for jar, sha256 in jars.items())
        for name, jars in pinned.items()
    )


def main() -> int:
    """Write the lock and print one line for each group."""
    use_system_certificates()
    pinned: dict[str, dict[Jar, str]] = {}
    with tempfile.TemporaryDirectory(prefix="souk-lock-") as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=60)
        for name, table in tomllib.loads(JARS_TOML.read_text()).items():
            pinned[name] = {
                jar: hashlib.sha256(download(context, jar).read_bytes()).hexdigest()
                for jar in resolve(context, table)
            }
            print(f"{name}: {len(pinned[name])} artifacts")
    LOCK.write_text(render(pinned))
    return 0


if __name__ == "__main__":
    sys.exit(main())
