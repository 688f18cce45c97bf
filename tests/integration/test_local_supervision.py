"""Redis, PostgreSQL and Kafka under the supervisor: started, killed with -9, restarted, stopped."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import redis as redis_client
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console

from common.errors import PartUnavailable
from common.process_records import ProcessRecord, read_process_record
from common.settings import Settings
from local import passwords, stack
from local.parts import kafka, postgres, redis
from local.parts.part import NotReady, Part, Resolution
from local.stack import is_free
from local.state_directory import StateDirectory
from local.status import Status, status
from local.supervision.launch import find_processes
from local.supervision.launch_file import LaunchSpec
from local.supervision.supervisor import NAME
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.ports import free_offset

NAMES = ("redis", "postgres", "kafka")


def parts(settings: Settings) -> list[Part]:
    return [redis.part(settings), postgres.part(settings), kafka.part(settings)]


class Copy:
    """One copy of the three parts."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.home = settings, StateDirectory(settings.home)
        self.console = Console(quiet=True)

    def up(self) -> None:
        self.home.make()
        with self.home.locked(self.console):
            stack.bring_up(self.settings, self.home, parts(self.settings), [], self.console)

    def down(self) -> int:
        return stack.down(self.settings, self.console)

    def record(self, name: str) -> ProcessRecord:
        record = read_process_record(self.home.run, name)
        assert record
        return record

    def kill(self, name: str) -> int:
        pid = self.record(name).pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def query(self, statement: str) -> str:
        command = [postgres.bundled_binaries() / "psql", "-qAtc", statement, self.settings.postgres]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def redis(self) -> "redis_client.Redis[str]":
        return redis_client.Redis.from_url(self.settings.redis, decode_responses=True)

    def write(self) -> None:
        """One fact in each store, as durable as it is in the real platform."""
        self.redis().set("kept", "yes")
        self.query("create table kept as select 'yes' as answer")
        admin = AdminClient({"bootstrap.servers": self.settings.kafka})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(TEST_TIMEOUT_S)
        producer = Producer({"bootstrap.servers": self.settings.kafka, "acks": "all"})
        producer.produce("kept", b"yes", timestamp=1_476_000_000_000)
        assert producer.flush(TEST_TIMEOUT_S) == 0

    def read(self) -> list[str]:
        consumer = Consumer({"bootstrap.servers": self.settings.kafka, "group.id": "test"})
        consumer.assign([TopicPartition("kept", 0, 0)])
        message = consumer.poll(TEST_TIMEOUT_S)
        consumer.close()
        event = message.value().decode() if message and not message.error() else str(message)
        return [str(self.redis().get("kept")), self.query("select answer from kept"), event]


def supervisor_of(copy: Copy) -> Status:
    return next(one for one in status(copy.settings) if one.name == NAME)


def ready(part: Part) -> bool:
    try:
        part.ready()
    except NotReady:
        return False
    return True


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Started once, with data; its home has a space in its name and is closed to other users."""
    home = tmp_path_factory.mktemp("a home") / ".souk"
    home.mkdir()
    copy = Copy(passwords.ensure(Settings(home=home, port_offset=free_offset())))
    try:
        copy.up()
        copy.write()
        yield copy
    finally:
        copy.down()


def test_a_part_that_keeps_crashing_fails_up_with_the_end_of_its_log(tmp_path):
    copy = Copy(Settings(home=tmp_path))
    broken = LaunchSpec(["/bin/sh", "-c", "echo the disk ate my homework; exit 3"], tmp_path)

    def never() -> None:
        raise NotReady("broken: nothing listens")

    part = Part("broken", Resolution("bundled", "", ""), "", never, broken)
    copy.home.make()
    try:
        with pytest.raises(PartUnavailable) as raised:
            stack.bring_up(copy.settings, copy.home, [part], [], copy.console)
    finally:
        copy.down()

    assert "broken keeps crashing" in str(raised.value)
    assert str(copy.home.log("broken")) in str(raised.value)
    assert "the disk ate my homework" in str(raised.value)


def test_a_part_runs_with_the_niceness_of_its_launch_file(tmp_path):
    copy = Copy(Settings(home=tmp_path))

    def started() -> None:
        if read_process_record(copy.home.run, "modest") is None:
            raise NotReady("modest: it has not been started")

    sleeps = LaunchSpec(["/bin/sleep", "600"], tmp_path, nice=3)
    modest = Part("modest", Resolution("bundled", "", ""), "", started, sleeps)
    copy.home.make()
    try:
        stack.bring_up(copy.settings, copy.home, [modest], [], copy.console)
        pid = copy.record("modest").pid
        niceness = os.getpriority(os.PRIO_PROCESS, pid)
    finally:
        copy.down()

    assert niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + 3, 19)


def test_a_second_up_leaves_running_parts_alone(copy):
    before = {name: copy.record(name) for name in (*NAMES, NAME)}

    copy.up()

    assert {name: copy.record(name) for name in (*NAMES, NAME)} == before


def test_parts_listen_on_the_loopback_address_only(copy):
    pids = {copy.record(name).pid for name in NAMES}
    seen = [c for c in psutil.net_connections("tcp") if c.pid in pids and c.status == psutil.CONN_LISTEN]

    assert {c.laddr.ip.removeprefix("::ffff:") for c in seen} == {"127.0.0.1"}
    assert len(seen) >= 4


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.nightly) if name == "kafka" else name for name in NAMES]
)
def test_a_part_that_is_killed_comes_back_with_its_data(copy, name):
    part = next(part for part in parts(copy.settings) if part.name == name)
    killed, starts = copy.kill(name), copy.record(name).starts

    await_true(lambda: copy.record(name).pid != killed and ready(part))

    assert copy.record(name).starts == starts + 1
    assert copy.read() == ["yes", "yes", "yes"]


@pytest.mark.nightly
def test_up_after_the_supervisor_was_killed_recovers_everything_with_its_data(copy):
    killed = copy.kill(NAME)
    old = [copy.record(name) for name in NAMES]
    assert copy.read() == ["yes", "yes", "yes"], "the parts outlive their supervisor"
    orphaned = supervisor_of(copy)

    copy.up()

    assert orphaned.state == "failing"
    assert "run `./souk up`" in orphaned.says
    assert (supervisor_of(copy).state, supervisor_of(copy).says) == ("ready", "")
    assert copy.record(NAME).pid != killed
    assert not any(record.alive for record in old)
    assert copy.read() == ["yes", "yes", "yes"]


def test_up_after_everything_was_killed_at_once_recovers_with_its_data(copy):
    for name in (NAME, *NAMES):
        copy.kill(name)

    copy.up()

    assert copy.read() == ["yes", "yes", "yes"]


@pytest.mark.nightly
def test_down_leaves_nothing_running_and_two_ups_at_once_start_each_part_once_with_its_data(copy):
    ports = [port for part in parts(copy.settings) for port in part.ports.values()]

    assert copy.down() == 0

    assert find_processes(str(copy.home.run)) == []
    assert all(is_free(port) for port in ports)
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(copy.up) for _ in range(2)]:
            future.result()
    assert [copy.record(name).starts for name in NAMES] == [1, 1, 1]
    assert copy.read() == ["yes", "yes", "yes"]


def test_kafka_formats_its_storage_under_an_id_that_begins_with_a_dash(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / ".souk", port_offset=free_offset())
    folder = StateDirectory(settings.home).part_directory("kafka")
    folder.mkdir(parents=True)
    (folder / "cluster_id").write_text("-2Wk0IAgRRmGgEzS3yqgBQ")

    kafka.part(settings).prepare()

    assert "cluster.id=-2Wk0IAgRRmGgEzS3yqgBQ" in (folder / "log" / "meta.properties").read_text()
