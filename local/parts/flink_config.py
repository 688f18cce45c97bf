"""Flink's configuration, and the flags of its two JVMs with every memory size."""

import json
from pathlib import Path

from common.settings import LOOPBACK, Settings
from local.state_directory import StateDirectory

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
