"""A Flink session cluster of one JobManager and one TaskManager, which run as `java` without Flink's scripts.

The scripts start two more JVMs only to compute memory flags, and fail on a path with a space. Without them,
`TaskManagerRunner` requires every memory option, so `local/parts/flink_config.py` sets all of them.
"""

from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import httpx

from common.errors import PartUnavailable
from common.settings import Settings
from local.install.jars import connectors_digest, jars
from local.parts import readiness
from local.parts.flink_config import LOGGING, SLOTS, jobmanager_flags, options, render, taskmanager_flags
from local.parts.java import JVM_ENVIRONMENT, find_java, server_flags
from local.parts.part import NotReady, Part, Resolution
from local.parts.resolve import find_on_path, format_version, parse_version
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec

SUPPORTED_VERSION = (2, 3)
"""The release that the PyFlink client works with."""

NICE = 10
"""Niceness of Flink's processes. Requests get a core before the jobs, whose hundred threads would otherwise
delay them. A delayed job handles more events per batch."""

OPEN_PACKAGES = (
    "lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent",
    "util.concurrent.atomic", "util.concurrent.locks",
)  # fmt: skip


def parts(settings: Settings) -> list[Part]:
    """Return the two processes of the cluster, or the cluster that the settings give by URL."""
    url = settings.flink
    if settings.flink_url:
        return [Part("taskmanager", Resolution("url", "", url), url, partial(check_slots, url, 1))]
    library, resolution = find(settings)
    folder = StateDirectory(settings.home).part_directory("flink")
    ports = {name: settings.port(name) for name in ("flink", "flink_rpc", "flink_blob")}
    environment = {
        **JVM_ENVIRONMENT,
        "FLINK_CONF_DIR": str(folder / "conf"),
        "FLINK_LIB_DIR": str(folder / "lib"),
        "FLINK_PLUGINS_DIR": str(folder / "plugins"),
        "FLINK_OPT_DIR": str(library.parent / "opt"),
        # A JVM reads its jars only once, so `up` must restart Flink when the connectors change.
        "CONNECTORS_DIGEST": connectors_digest(settings),
        # Nor does it read a changed configuration, such as another number of slots.
        "CONFIGURATION_DIGEST": sha256(render(options(settings, folder)).encode()).hexdigest(),
        # The workers of a Python job find `python` on this PATH.
        "PATH": f"{settings.install / 'bin'}:/usr/local/bin:/usr/bin:/bin",
    }
    write_files = partial(prepare, settings, folder, library)
    jobmanager, taskmanager = (
        LaunchSpec(command(settings, folder, flags, process), folder, environment, nice=NICE)
        for process, flags in (("jobmanager", jobmanager_flags()), ("taskmanager", taskmanager_flags()))
    )
    has_rest, has_slots = partial(check_rest, url), partial(check_slots, url, SLOTS)
    return [
        Part("jobmanager", resolution, url, has_rest, jobmanager, write_files, ports),
        Part("taskmanager", resolution, url, has_slots, taskmanager, write_files),
    ]


def find(settings: Settings) -> tuple[Path, Resolution]:
    """Return the `lib` directory of a supported Flink: the one on PATH, else the wheel's."""
    script = find_on_path(settings, "flink")
    if script:
        library = script.resolve().parent.parent / "lib"
        for jar in library.glob("flink-dist-*.jar"):
            if parse_version(jar.stem)[: len(SUPPORTED_VERSION)] == SUPPORTED_VERSION:
                return library, Resolution("path", format_version(parse_version(jar.stem)), str(script))
    package = find_spec("pyflink")  # not imported: that takes a second
    library = Path(package.origin if package and package.origin else "").parent / "lib"
    bundled = next(library.glob("flink-dist-*.jar"), None)
    if bundled is None:
        raise PartUnavailable(f"Flink is not installed in {library}: run `./souk status`, which installs it")
    return library, Resolution("bundled", format_version(parse_version(bundled.stem)), str(library))


_prepare_lock = Lock()


def prepare(settings: Settings, folder: Path, library: Path) -> None:
    """Write the configuration and link the jars: Flink's own and those of `local.install.jars`.

    Both processes start at the same time and need these files. A lock lets one thread write at a time.
    """
    with _prepare_lock:
        _prepare(settings, folder, library)


def _prepare(settings: Settings, folder: Path, library: Path) -> None:
    for name in ("conf", "lib", "tmp", "checkpoints", "plugins"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "conf" / "config.yaml").write_text(render(options(settings, folder)))
    (folder / "conf" / "log4j.properties").write_text(LOGGING)
    wanted = {jar.name: jar for jar in (*library.glob("*.jar"), *jars(settings, "flink"))}
    for link in (folder / "lib").iterdir():
        if link.name not in wanted or link.readlink() != wanted[link.name]:
            link.unlink()
    for name, jar in wanted.items():
        link = folder / "lib" / name
        if not link.is_symlink():
            link.symlink_to(jar)


MAIN = {
    "jobmanager": "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    "taskmanager": "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
}


def command(settings: Settings, folder: Path, memory_flags: list[str], process: str) -> list[str]:
    """Return the command line of one of the two processes."""
    return [
        str(find_java(settings)[0]),
        *memory_flags,
        *server_flags(folder / "tmp"),
        *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPEN_PACKAGES),
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
        "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
        "-Dlog4j2.configurationFile=conf/log4j.properties",
        "-cp", f"{folder / 'lib'}/*",
        MAIN[process], "--configDir", str(folder / "conf"),
    ]  # fmt: skip


def check_rest(url: str) -> None:
    """Read the overview of the REST API.

    Raises:
        NotReady: the API does not answer.
    """
    _overview(url)


def check_slots(url: str, slots: int) -> None:
    """Check that at least this many slots are registered.

    Raises:
        NotReady: there are fewer, or the API does not answer.
    """
    total = _overview(url).get("slots-total", 0)
    if total < slots:
        raise NotReady(f"flink: {total} of {slots} slots are registered")


def _overview(url: str) -> dict[str, int]:
    try:
        answer = readiness.send("GET", f"{url}/overview").raise_for_status()
        overview: dict[str, int] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"flink: {error}") from error
    return overview
