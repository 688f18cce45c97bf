"""Kafka 4 in KRaft mode, one node that is broker and controller: the event log."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from socket import create_connection

from confluent_kafka import KafkaException

from common.errors import PartUnavailable
from common.kafka import KafkaCluster
from common.settings import LOOPBACK, Settings
from common.timeouts import PEER_TIMEOUT_S
from local.install.jars import jars
from local.parts.part import NotReady, Part, Resolution
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

MIN_VERSION = (4, 0)

CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=log
auto.create.topics.enable=false
# The timestamps of replayed events are years old, so only a topic's own retention may delete.
log.retention.ms=-1
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
num.replica.fetchers=1
background.threads=2
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=16777216
metadata.log.segment.bytes=16777216
# The controller fences a broker that stalls for longer. Some clients then take long to find it again.
# After a kill -9, the old broker stays registered for this time, too.
broker.session.timeout.ms={session}
broker.heartbeat.interval.ms=1000
"""

LOGGING = """\
status = warn
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601}{UTC}Z %-5p %c{1} - %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def part(settings: Settings) -> Part:
    """Return Kafka as configured by these settings."""
    ready = partial(check, settings.kafka)
    if settings.kafka_bootstrap:
        return Part("kafka", Resolution("url", "", settings.kafka), settings.kafka, ready)
    classpath, resolution = find(settings)
    folder = StateDirectory(settings.home).part_directory("kafka")
    port, controller = settings.port("kafka"), settings.port("kafka_controller")
    command = [str(find_java(settings)[0]), *server_flags(folder / "tmp"), "-cp", classpath]
    server = [
        *command[:1],
        "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=96m",
        "-XX:MaxMetaspaceSize=128m", "-XX:ReservedCodeCacheSize=64m",
        "-Dlog4j2.configurationFile=log4j2.properties",
        *command[1:], "kafka.Kafka", "server.properties",
    ]  # fmt: skip
    return Part(
        "kafka",
        resolution,
        settings.kafka,
        ready,
        LaunchSpec(server, folder, JVM_ENVIRONMENT),
        lambda: prepare(folder, port, controller, command),
        {"kafka": port, "kafka_controller": controller},
    )


def find(settings: Settings) -> tuple[str, Resolution]:
    """Return the class path of Kafka's jars: those of the installation on PATH, else the fetched jars."""
    script = find_on_path(settings, "kafka-server-start.sh", "kafka-server-start")
    if script:
        for jar in (script.resolve().parent.parent / "libs").glob("kafka_2.*-[0-9]*.[0-9].jar"):
            version = parse_version(jar.stem.partition("-")[2])
            if version >= MIN_VERSION:
                return f"{jar.parent}/*", Resolution("path", format_version(version), str(script))
    fetched = jars(settings, "kafka")
    version = next(
        parse_version(jar.stem.partition("-")[2]) for jar in fetched if jar.name.startswith("kafka_2.")
    )
    return ":".join(map(str, fetched)), Resolution("bundled", format_version(version), str(fetched[0].parent))


def prepare(folder: Path, port: int, controller: int, command: list[str]) -> None:
    """Write the configuration and, the first time, format the storage. The cluster id never changes.

    Raises:
        PartUnavailable: the storage can't be formatted; the message has the last line of the tool's output.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "server.properties").write_text(
        CONFIG.format(host=LOOPBACK, port=port, controller=controller, session=int(PEER_TIMEOUT_S * 1000))
    )
    (folder / "log4j2.properties").write_text(LOGGING)
    if (folder / "log" / "meta.properties").exists():
        return
    cluster = folder / "cluster_id"
    if not cluster.exists():
        cluster.write_text(urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    tool = [
        command[0],
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        *command[1:],
        "kafka.tools.StorageTool",
    ]
    # One argument, not two: one id in 64 begins with a dash, which would make it an option.
    format_arguments = [
        "format",
        f"--cluster-id={cluster.read_text().strip()}",
        "--config",
        "server.properties",
    ]
    done = subprocess.run([*tool, *format_arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines() or ["the tool printed nothing"]
        raise PartUnavailable(f"Kafka's storage in {folder} can't be formatted: {output[-1]}")


def check(bootstrap: str) -> None:
    """Read the cluster's metadata, which shows that a broker is registered.

    Raises:
        NotReady: nothing listens, or no broker is registered yet.
    """
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    try:
        create_connection((host, int(port)), timeout=2).close()
        KafkaCluster(bootstrap, {"socket.timeout.ms": 3000}).metadata(3)
    except (OSError, KafkaException) as error:
        raise NotReady(f"kafka at {bootstrap}: {error}") from error
