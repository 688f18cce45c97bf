"""A Flink session cluster of one JobManager and one TaskManager, which run as `java` without Flink's scripts.

The scripts start two more JVMs only to compute memory flags, and fail on a path with a space. Without them,
`TaskManagerRunner` requires every memory option, so `options` sets all of them.
"""

import json
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

from common.errors import PartUnavailable
from common.settings import LOOPBACK, Settings
from local.install.jars import connectors_digest, jars
from local.parts.part import NotReady, Part, Resolution, send
from local.parts.resolve import (
    JVM_ENVIRONMENT,
    find_java,
    find_on_path,
    format_version,
    parse_version,
    server_flags,
)
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec

SLOTS = 5
"""One for each job, and one for a version that is built."""

# Megabytes. With the JVMs' own code, the two processes use at most 0.4 and 1.9 GB. RocksDB uses the managed
# memory, a fifth of it in each slot. With 192 instead of 64 MB, a job with much state (once `metrics`)
# read 26,300 instead of 15,500 events/s.
JOBMANAGER_MB = {"heap.size": 256, "off-heap.size": 64, "jvm-metaspace.size": 160, "jvm-overhead": 96}
TASKMANAGER_MB = {
    "framework.heap.size": 64,
    "task.heap.size": 448,
    "framework.off-heap.size": 64,
    "task.off-heap.size": 64,
    "network": 64,
    "managed.size": 960,
    "jvm-metaspace.size": 192,
    "jvm-overhead": 128,
}

LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601}{UTC}Z %-5p %c{1} - %m%n%xEx
logger.coordinator.name = org.apache.flink.runtime.checkpoint.CheckpointCoordinator
logger.coordinator.level = WARN
logger.source.name = org.apache.flink.runtime.source.coordinator
logger.source.level = WARN
logger.kafka.name = org.apache.flink.kafka.shaded
logger.kafka.level = WARN
logger.operator.name = org.apache.flink.streaming.api.operators.AbstractStreamOperator
logger.operator.level = WARN
logger.pekko.name = org.apache.pekko
logger.pekko.level = WARN
logger.config.name = org.apache.flink.configuration.GlobalConfiguration
logger.config.level = WARN
"""


def options(settings: Settings, folder: Path) -> dict[str, str]:
    """Return Flink's configuration. All its addresses are loopback addresses."""
    return {
        "jobmanager.rpc.address": LOOPBACK,
        "jobmanager.rpc.port": str(settings.port("flink_rpc")),
        "jobmanager.bind-host": LOOPBACK,
        "blob.server.port": str(settings.port("flink_blob")),
        "rest.address": LOOPBACK,
        "rest.bind-address": LOOPBACK,
        "rest.port": str(settings.port("flink")),
        "rest.bind-port": str(settings.port("flink")),
        "taskmanager.bind-host": LOOPBACK,
        "taskmanager.host": LOOPBACK,
        # A restarted TaskManager with the same name replaces the dead one at once.
        "taskmanager.resource-id": "souk-taskmanager",
        "taskmanager.numberOfTaskSlots": str(SLOTS),
        "taskmanager.cpu.cores": str(SLOTS),
        "cluster.evenly-spread-out-slots": "true",
        "heartbeat.interval": "3 s",
        # Flink has the lowest priority: gaps of 20 s between heartbeats were measured while jobs started
        # during a back-fill. A late heartbeat must not restart a job.
        "heartbeat.timeout": "1 min",
        "pekko.ask.timeout": "1 min",
        "parallelism.default": str(settings.job_parallelism),
        **_sizes("jobmanager", JOBMANAGER_MB),
        **_sizes("taskmanager", TASKMANAGER_MB),
        "state.backend.type": "rocksdb",
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.dir": f"file://{folder / 'checkpoints'}",
        "execution.checkpointing.interval": "5 s",
        "execution.checkpointing.min-pause": "2 s",
        "execution.checkpointing.timeout": "5 min",
        "execution.checkpointing.tolerable-failed-checkpoints": "10",
        "execution.checkpointing.num-retained": "2",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "2 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": "2147483647",
        "python.executable": str(settings.install / "bin" / "python"),
        "python.client.executable": str(settings.install / "bin" / "python"),
        # Not the property `log.file`: with it, RocksDB writes a log of its own for every operator.
        "web.log.path": str(StateDirectory(settings.home).log("jobmanager")),
        "taskmanager.log.path": str(StateDirectory(settings.home).log("taskmanager")),
        "io.tmp.dirs": str(folder / "tmp"),
        "web.tmpdir": str(folder / "tmp"),
        "web.upload.dir": str(folder / "tmp"),
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        "web.rescale.enable": "false",
        "web.access-control-allow-origin": f"http://{LOOPBACK}:{settings.port('flink')}",
        "souk.rest.allowed-hosts": f"{LOOPBACK},localhost,[::1]",  # see jobs/connectors/java/souk/flink/rest
    }


def _sizes(process: str, sizes: dict[str, int]) -> dict[str, str]:
    """Return memory options: ranges for `network` and `jvm-overhead`, single sizes for the others."""
    memory_options = {}
    for name, size in sizes.items():
        ends = ("",) if name.endswith(".size") else (".min", ".max")
        memory_options.update({f"{process}.memory.{name}{end}": f"{size}m" for end in ends})
    return memory_options


def render(values: dict[str, str]) -> str:
    """Return YAML with one key a line. A JSON string is also a YAML string."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())


def jobmanager_flags() -> list[str]:
    """Return the flags of the JobManager's JVM, which is busy only while a job is submitted."""
    return [
        "-Xms96m", f"-Xmx{JOBMANAGER_MB['heap.size']}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        f"-XX:MaxMetaspaceSize={JOBMANAGER_MB['jvm-metaspace.size']}m", "-XX:ReservedCodeCacheSize=64m",
    ]  # fmt: skip


def taskmanager_flags() -> list[str]:
    """Return the flags of the TaskManager's JVM, with the sizes of its configuration."""
    heap = TASKMANAGER_MB["framework.heap.size"] + TASKMANAGER_MB["task.heap.size"]
    direct = sum(
        TASKMANAGER_MB[name] for name in ("framework.off-heap.size", "task.off-heap.size", "network")
    )
    return [
        f"-Xms{heap // 2}m", f"-Xmx{heap}m", "-XX:+UseParallelGC", f"-XX:MaxDirectMemorySize={direct}m",
        f"-XX:MaxMetaspaceSize={TASKMANAGER_MB['jvm-metaspace.size']}m", "-XX:ReservedCodeCacheSize=128m",
    ]  # fmt: skip


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
    # Of the JobManager, only that it answers: no slot is asked for.
    has_rest, has_slots = partial(check_slots, url, 0), partial(check_slots, url, SLOTS)
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


def check_slots(url: str, slots: int) -> None:
    """Check that at least this many slots are registered.

    Raises:
        NotReady: there are fewer, or the API does not answer.
    """
    total = _overview(url).get("slots-total", 0)
    if total < slots:
        raise NotReady(f"flink: {total} of {slots} slots are registered")


def _overview(url: str) -> Any:
    """Return the overview of the REST API.

    Raises:
        NotReady: the API does not answer.
    """
    try:
        return send("GET", f"{url}/overview").raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"flink: {error}") from error
