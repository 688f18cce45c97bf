"""Servers that tests share. Each starts once per session, for the first test that uses it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pydantic import SecretStr

from clickhouse.migrate import migrate
from common.kafka import offset_range
from common.settings import ROOT, Settings
from jobs.engine import start_jvm
from local.install.jars import jars
from local.parts import kafka as local_kafka
from local.parts import postgres as local_postgres
from local.state_directory import StateDirectory
from schemas.registry import SchemaRegistry
from schemas.setup import register
from tests.integration.commerce_servers import Postgres, Shop
from tests.integration.metric_tables import emptied
from tests.integration.servers import Server, await_true, registry_in_memory, running, terminated
from tests.ports import free_offset

CLICKHOUSE_PASSWORD = "admin's secret"
REGISTRY_PASSWORD = "the registry's p@ss/word + 1%"
ANALYST_PASSWORD = "the analyst's secret"
DEMO = {"SOUK_DEMO": "true", "SOUK_CLICKHOUSE_READABLE_DATABASES": "*"}
"""The environment of a server in demo mode on which each test has a database of its own."""


@contextmanager
def running_clickhouse(
    settings: Settings, log: IO[bytes] | None = None, environment: Mapping[str, str] = DEMO
) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m local.embedded_clickhouse` with these settings, ready; it logs to `log`, if given.

    By default it is in demo mode, so that tests can read without a password, and every database is readable.
    """
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_CLICKHOUSE_ADMIN_PASSWORD": CLICKHOUSE_PASSWORD,
        "SOUK_CLICKHOUSE_ANALYST_PASSWORD": ANALYST_PASSWORD,
        **environment,
    }
    command = [sys.executable, "-m", "local.embedded_clickhouse"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)) as server:
        await_true(lambda: is_ready(server, settings.clickhouse + "/ping"), "ClickHouse's start")
        yield server


def is_ready(process: "subprocess.Popen[bytes]", url: str) -> bool:
    """Return whether a process responds at this URL; fail the test if the process has ended."""
    assert process.poll() is None, f"{process.args} ended before it was ready"
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def clickhouse_settings(home: Path) -> Settings:
    """Return the settings of a separate ClickHouse server in `home`."""
    return Settings(
        home=home,
        port_offset=free_offset(),
        clickhouse_admin_password=SecretStr(CLICKHOUSE_PASSWORD),
        clickhouse_analyst_password=SecretStr(ANALYST_PASSWORD),
    )


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running ClickHouse server with an empty database `souk`."""
    settings = clickhouse_settings(tmp_path_factory.mktemp("clickhouse"))
    with running_clickhouse(settings):
        admin = {"x-clickhouse-user": "admin", "x-clickhouse-key": CLICKHOUSE_PASSWORD}
        made = httpx.post(settings.clickhouse, content="CREATE DATABASE souk", headers=admin, trust_env=False)
        assert made.status_code == 200, made.text
        yield settings


@pytest.fixture(scope="session")
def migrated_database(clickhouse_server: Settings) -> Settings:
    """A database with all tables, metrics and views. Tests share it; each empties it first (`emptied`)."""
    settings = clickhouse_server.model_copy(update={"clickhouse_database": "migrated"})
    migrate(settings)
    return settings


@pytest.fixture
def empty_database(migrated_database: Settings) -> Settings:
    """The shared database with all tables, metrics and views, and without rows."""
    return emptied(migrated_database)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the copy whose servers tests share: its home has a space in its name."""
    return Settings(
        home=tmp_path_factory.mktemp("a home"),
        port_offset=free_offset(),
        clickhouse_admin_password=SecretStr("a secret"),
        postgres_admin_password=SecretStr("an administrator's secret"),
        postgres_role_secret=SecretStr("a secret of all services"),
        registry_password=SecretStr(REGISTRY_PASSWORD),
    )


class Kafka(Server):
    """Kafka, with methods that create and read topics."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(local_kafka.part(settings), settings)
        self.bootstrap = settings.kafka

    def topic(self, partitions: int = 1) -> str:
        """A new topic."""
        name = f"t{uuid4().hex[:12]}"
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for made in admin.create_topics([NewTopic(name, partitions, 1)]).values():
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
            return offset_range(consumer, TopicPartition(topic, 0), 30)[1]
        finally:
            consumer.close()


@pytest.fixture(scope="session")
def kafka(settings: Settings) -> Iterator[Kafka]:
    server = Kafka(settings)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def registry(settings: Settings) -> Iterator[Server]:
    """The registry, keeping its schemas in memory."""
    with running(registry_in_memory(settings), settings) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Iterator[Postgres]:
    StateDirectory(settings.home).make()
    server = Postgres(local_postgres.part(settings), settings)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_shop(
    settings: Settings,
    postgres: Postgres,  # noqa: ARG001 (it needs them)
    kafka: Kafka,  # noqa: ARG001
    registry: Server,  # noqa: ARG001
) -> Iterator[Shop]:
    schema_ids = register(settings).schema_ids
    with SchemaRegistry(settings.registry) as schemas:
        server = Shop(settings, schema_ids, schemas)
        yield server
        server.kill()


@pytest.fixture(scope="session")
def jvm(settings: Settings) -> None:
    """The one JVM of this process, in which Flink runs, with the connectors on its class path."""
    start_jvm(jars(settings, "flink"), logs=settings.home)


@pytest.fixture
def wait_until() -> Callable[..., object]:
    """A function that waits for a condition's first true value and returns it, or fails the test."""
    return await_true


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the golden pages first: other tests leave people, products and orders in the shop."""
    items.sort(key=lambda item: item.path.name != "test_golden_pages.py")
