"""A real Flink in this process, and the servers that the connectors write to."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

import httpx
import pytest
import redis as redis_client
from pydantic import SecretStr

from common.settings import Settings
from jobs.engine import table_environment
from local.parts import clickhouse as local_clickhouse
from local.parts import redis as local_redis
from tests.integration.servers import Server
from tests.ports import free_offset

DATABASE = "connectors"
"""The tests' database. To create a table in the bundled `default`, a user needs access to files."""


class ClickHouse(Server):
    """ClickHouse's HTTP server; `query` runs SQL as the administrator."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(local_clickhouse.part(settings), settings)
        self.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}", "default")

    def query(self, sql: str, database: str = DATABASE) -> str:
        password = self.settings.clickhouse_admin_password.get_secret_value()
        answer = httpx.post(
            self.part.url, params={"database": database}, content=sql, auth=("admin", password), timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.text.strip()

    def sink(self, options: dict[str, str] | None = None) -> str:
        """The WITH clause of a `souk-clickhouse` table."""
        return with_clause(
            {
                "connector": "souk-clickhouse",
                "database": DATABASE,
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
    """Redis, with a `client`."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(local_redis.part(settings), settings)
        self.client = redis_client.Redis.from_url(settings.redis, decode_responses=True)

    def sink(self, options: dict[str, str]) -> str:
        """The WITH clause of a `souk-redis` table."""
        return with_clause({"connector": "souk-redis", "url": self.settings.redis, **options})


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis on its own port for the whole session; other tests start theirs on the shared port."""
    server = Redis(
        Settings(
            home=tmp_path_factory.mktemp("redis"),
            port_offset=free_offset(),
            redis_password=SecretStr('Redis\' "p@ss/word" + 1%'),
        )
    )
    yield server
    server.kill()


class Flink:
    """Runs each job in a new Flink cluster inside the JVM of this process."""

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
        """Execute statements; returns PyFlink's result of the last one, an INSERT that keeps running."""
        environment = table_environment({**self.DEFAULTS, **(config or {})})
        for statement in statements:
            result = environment.execute_sql(statement)
        self.running.append(result)
        return result

    def end(self) -> None:
        for result in self.running:
            with suppress(Exception):  # Flink answers with an error for a job that has ended
                result.get_job_client().cancel().result()
        self.running.clear()


@pytest.fixture
def flink(jvm: None) -> Iterator[Flink]:  # noqa: ARG001 (Flink needs its JVM)
    cluster = Flink()
    yield cluster
    cluster.end()
