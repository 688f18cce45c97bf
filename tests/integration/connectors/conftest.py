"""A real Flink in this process, and the real servers that the connectors speak to, on free ports."""

import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import httpx
import pytest
import redis as redis_client
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pydantic import SecretStr

from common.settings import LOOPBACK, PORTS, Settings
from jobs.engine import start_jvm, table_environment
from local import clickhouse as local_clickhouse
from local import kafka as local_kafka
from local import redis as local_redis
from local import registry as local_registry
from local.home import base_environment
from local.jars import jars
from local.part import NotReady, Part

T = TypeVar("T")
WaitUntil = Callable[[Callable[[], T]], T]


def await_true(condition: Callable[[], T]) -> T:
    """The first true value of `condition`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen within a minute")


@pytest.fixture
def wait_until() -> WaitUntil[Any]:
    return await_true


class Server:
    """The process of one part, which a test may kill and start again."""

    def __init__(self, part: Part, settings: Settings) -> None:
        self.part = part
        self.log = settings.home / f"{part.name}.test.log"
        self.start()

    def start(self) -> None:
        launch = self.part.launch
        assert launch
        launch.cwd.mkdir(parents=True, exist_ok=True)
        self.part.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                launch.argv,
                cwd=launch.cwd,
                env={**base_environment(), **launch.env},
                stdout=log,
                stderr=log,
            )
        await_true(self.is_ready)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, f"{self.part.name} ended"
        with suppress(NotReady):
            self.part.ready()
            return True
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a copy of its own: an empty home and ports that are free."""
    while True:
        offset = random.randint(11_000, 20_000)
        with suppress(OSError):
            for port in PORTS.values():
                with socket.create_server((LOOPBACK, port + offset)):
                    pass
            return Settings(
                home=tmp_path_factory.mktemp("connectors"),
                port_offset=offset,
                clickhouse_admin_password=SecretStr("a secret"),
            )


class ClickHouse(Server):
    """The front; `query` runs SQL as the admin."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(local_clickhouse.part(settings), settings)

    def query(self, sql: str) -> str:
        password = self.settings.clickhouse_admin_password.get_secret_value()
        answer = httpx.post(self.part.url, content=sql, auth=("admin", password), timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text.strip()

    def sink(self, options: dict[str, str] | None = None) -> str:
        """The WITH clause of a `souk-clickhouse` table."""
        return with_clause(
            {
                "connector": "souk-clickhouse",
                "url": self.part.url,
                "username": "admin",
                "password": self.settings.clickhouse_admin_password.get_secret_value(),
                **(options or {}),
            }
        )


def with_clause(options: dict[str, str]) -> str:
    return "WITH (" + ", ".join(f"'{name}' = '{value}'" for name, value in options.items()) + ")"


@pytest.fixture(scope="session")
def clickhouse(settings: Settings) -> Iterator[ClickHouse]:
    server = ClickHouse(settings)
    yield server
    server.kill()


class Redis(Server):
    """Redis; `client` speaks to it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(local_redis.part(settings), settings)
        self.client = redis_client.Redis.from_url(self.part.url, decode_responses=True)

    def sink(self, options: dict[str, str]) -> str:
        """The WITH clause of a `souk-redis` table."""
        return with_clause({"connector": "souk-redis", "url": self.part.url, **options})


@pytest.fixture(scope="session")
def redis(settings: Settings) -> Iterator[Redis]:
    server = Redis(settings)
    yield server
    server.kill()


class Kafka(Server):
    """Kafka, with topics made as a test needs them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(local_kafka.part(settings), settings)
        self.bootstrap = settings.kafka

    def topic(self) -> str:
        """A new topic of one partition."""
        name = f"t{uuid4().hex[:12]}"
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for made in admin.create_topics([NewTopic(name, 1, 1)]).values():
            made.result()
        return name

    def send(self, topic: str, values: list[bytes | None]) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for value in values:
            producer.produce(topic, value)
        producer.flush()

    def records(self, topic: str, count: int) -> list[Message]:
        """The first `count` records of a topic; waits for them."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid4().hex})
        consumer.assign([TopicPartition(topic, 0, 0)])
        try:
            return [await_true(lambda: consumer.consume(1, 0.5))[0] for _ in range(count)]
        finally:
            consumer.close()

    def count(self, topic: str) -> int:
        """How many records a topic holds."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid4().hex})
        try:
            return int(consumer.get_watermark_offsets(TopicPartition(topic, 0))[1])
        finally:
            consumer.close()


@pytest.fixture(scope="session")
def kafka(settings: Settings) -> Iterator[Kafka]:
    server = Kafka(settings)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def registry(settings: Settings) -> Iterator[Server]:
    """The registry, keeping its schemas in memory: no test here restarts it and asks for an old one."""
    part = local_registry.part(settings)
    launch = part.launch
    assert launch
    stored = ("APICURIO_STORAGE_KIND", "APICURIO_STORAGE_SQL_KIND", "APICURIO_DATASOURCE")
    env = {name: value for name, value in launch.env.items() if not name.startswith(stored)}
    folder = launch.cwd / "tmp"
    part = replace(
        part, launch=replace(launch, env=env), prepare=lambda: folder.mkdir(parents=True, exist_ok=True)
    )
    server = Server(part, settings)
    yield server
    server.kill()


class Flink:
    """Runs SQL in a Flink cluster of its own for every job, inside the JVM of this process."""

    DEFAULTS: ClassVar = {
        "parallelism.default": "1",
        "rest.bind-port": "0",
        "restart-strategy.type": "none",
        "taskmanager.memory.network.min": "64m",
        "taskmanager.memory.network.max": "64m",
        "taskmanager.memory.managed.size": "64m",
    }

    def __init__(self) -> None:
        self.running: list[Any] = []

    def run(self, *statements: str, config: dict[str, str] | None = None) -> Any:
        """Execute statements; returns PyFlink's result of the last, an INSERT that goes on running."""
        environment = table_environment({**self.DEFAULTS, **(config or {})})
        for statement in statements:
            result = environment.execute_sql(statement)
        self.running.append(result)
        return result

    def end(self) -> None:
        for result in self.running:
            with suppress(Exception):  # most have ended by themselves, and Flink says so with errors
                result.get_job_client().cancel().result()
        self.running.clear()


@pytest.fixture(scope="session")
def jvm(settings: Settings) -> Callable[[], Flink]:
    """The JVM of this process, with the connectors on its class path."""
    settings.home.mkdir(parents=True, exist_ok=True)
    start_jvm(jars(settings, "flink"), logs=settings.home)
    return Flink


@pytest.fixture
def flink(jvm: Callable[[], Flink]) -> Iterator[Flink]:
    cluster = jvm()
    yield cluster
    cluster.end()
