"""Kafka 4 in KRaft mode, one node that is broker and controller: the event log."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from socket import create_connection

from confluent_kafka import KafkaException

from common.errors import PartUnavailable
from common.kafka import Cluster
from common.patience import PATIENCE_S
from common.settings import LOOPBACK, Settings
from local.home import Home
from local.install.jars import jars
from local.parts.java import ENVIRONMENT, flags, java
from local.parts.part import Found, NotReady, Part
from local.parts.resolve import dotted, numbers, on_path
from local.supervision.launch_file import Launch

OLDEST = (4, 0)

BEHIND = 10
"""Levels that its session stays behind those of the parts that answer: it carries what nobody waits for."""

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
# A replayed event carries the time at which it happened, years ago: only a topic's own retention may delete.
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
# Who stands still for longer counts as dead when it goes on: clients are told that there is no broker, and
# some take long to find it again. After a kill -9 the broker that was stays registered for so long, too.
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
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} - %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def part(settings: Settings) -> Part:
    """Kafka as these settings say."""
    ready = partial(check, settings.kafka)
    if settings.kafka_bootstrap:
        return Part("kafka", Found("url", "", settings.kafka), settings.kafka, ready)
    classpath, found = find(settings)
    folder = Home(settings.home).of("kafka")
    port, controller = settings.port("kafka"), settings.port("kafka_controller")
    command = [str(java(settings)[0]), *flags(folder / "tmp"), "-cp", classpath]
    server = [
        *command[:1],
        "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=96m",
        "-XX:MaxMetaspaceSize=128m", "-XX:ReservedCodeCacheSize=64m",
        "-Dlog4j2.configurationFile=log4j2.properties",
        *command[1:], "kafka.Kafka", "server.properties",
    ]  # fmt: skip
    return Part(
        "kafka",
        found,
        settings.kafka,
        ready,
        Launch(server, folder, ENVIRONMENT, session=BEHIND),
        lambda: prepare(folder, port, controller, command),
        {"kafka": port, "kafka_controller": controller},
    )


def find(settings: Settings) -> tuple[str, Found]:
    """The class path of Kafka's jars: of an installation whose scripts are on PATH, else the fetched ones."""
    script = on_path(settings, "kafka-server-start.sh", "kafka-server-start")
    if script:
        for jar in (script.resolve().parent.parent / "libs").glob("kafka_2.*-[0-9]*.[0-9].jar"):
            version = numbers(jar.stem.partition("-")[2])
            if version >= OLDEST:
                return f"{jar.parent}/*", Found("path", dotted(version), str(script))
    fetched = jars(settings, "kafka")
    version = next(numbers(jar.stem.partition("-")[2]) for jar in fetched if jar.name.startswith("kafka_2."))
    return ":".join(map(str, fetched)), Found("bundled", dotted(version), str(fetched[0].parent))


def prepare(folder: Path, port: int, controller: int, command: list[str]) -> None:
    """Write the configuration and, the first time, format the storage under a cluster id that stays.

    Raises:
        PartUnavailable: the storage can't be formatted; the message has the tool's last line.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    session = int(PATIENCE_S * 1000)
    text = CONFIG.format(host=LOOPBACK, port=port, controller=controller, session=session)
    (folder / "server.properties").write_text(text)
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
    # One argument, not two: one id in 64 begins with a dash, and would be taken for an option.
    format_ = ["format", f"--cluster-id={cluster.read_text().strip()}", "--config", "server.properties"]
    done = subprocess.run([*tool, *format_], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise PartUnavailable(f"Kafka's storage in {folder} can't be formatted: {said[-1]}")


def check(bootstrap: str) -> None:
    """The cluster's metadata: a broker has registered and answers.

    Raises:
        NotReady: nothing listens, or no broker is there yet.
    """
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    try:
        create_connection((host, int(port)), timeout=2).close()
        Cluster(bootstrap, {"socket.timeout.ms": 3000}).metadata(3)
    except (OSError, KafkaException) as error:
        raise NotReady(f"kafka at {bootstrap}: {error}") from error
