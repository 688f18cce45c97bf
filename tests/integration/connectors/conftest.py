"""A real Flink in this process, and the servers that the connectors write to."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

import httpx
import pytest
import redis as redis_client
from pydantic import SecretStr
from pyflink.common import Configuration
from pyflink.java_gateway import get_gateway

from common.settings import Settings
from jobs.engine import table_environment
from local.parts import clickhouse as local_clickhouse
from local.parts import redis as local_redis
from tests.integration.servers import Server, await_true
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
    """Runs jobs in one Flink cluster inside the JVM of this process."""

    CLUSTER: ClassVar = {
        "rest.bind-port": "0",
        "taskmanager.memory.network.min": "64m",
        "taskmanager.memory.network.max": "64m",
        "taskmanager.memory.managed.size": "64m",
    }
    DEFAULTS: ClassVar = {**CLUSTER, "parallelism.default": "1", "restart-strategy.type": "none"}
    """The configuration of a job. A job that is not started with `run` has a cluster of its own."""

    SLOTS = 4
    """The number of jobs at once: a job that was cancelled may need a moment to end."""

    def __init__(self) -> None:
        self.running: list[Any] = []
        configuration = Configuration()
        for name, value in self.CLUSTER.items():
            configuration.set_string(name, value)
        minicluster = get_gateway().jvm.org.apache.flink.runtime.minicluster
        builder = minicluster.MiniClusterConfiguration.Builder()
        builder.setConfiguration(configuration._j_configuration)
        builder.setNumTaskManagers(1).setNumSlotsPerTaskManager(self.SLOTS)
        self._cluster = minicluster.MiniCluster(builder.build())
        self._cluster.start()
        address = self._cluster.getRestAddress().get()
        self._remote = {
            "execution.target": "remote",
            "rest.address": address.getHost(),
            "rest.port": str(address.getPort()),
        }

    def run(self, *statements: str, config: dict[str, str] | None = None) -> Any:
        """Execute statements; returns PyFlink's result of the last one, an INSERT that keeps running."""
        environment = table_environment({**self.DEFAULTS, **(config or {}), **self._remote})
        for statement in statements:
            result = environment.execute_sql(statement)
        self.running.append(result)
        return result

    def end(self) -> None:
        """Cancel the jobs, and wait until they have ended."""
        for result in self.running:
            job = result.get_job_client()
            with suppress(Exception):  # Flink answers with an error for a job that has ended
                job.cancel().result()
                await_true(lambda job=job: job.get_job_status().result().is_globally_terminal_state())  # type: ignore[misc]
        self.running.clear()

    def close(self) -> None:
        self._cluster.closeAsync().get()


@pytest.fixture(scope="session")
def flink_cluster(jvm: None) -> Iterator[Flink]:  # noqa: ARG001 (Flink needs its JVM)
    cluster = Flink()
    yield cluster
    cluster.close()


@pytest.fixture
def flink(flink_cluster: Flink) -> Iterator[Flink]:
    """The cluster, without jobs of other tests."""
    yield flink_cluster
    flink_cluster.end()
