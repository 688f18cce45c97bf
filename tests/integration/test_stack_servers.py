"""First statements, configuration and health checks of the stack's servers, with real ones."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from redis import AuthenticationError, Redis, RedisError

from common.settings import LOOPBACK, PORTS, ROOT, Settings
from local.parts import postgres as local_postgres
from local.parts import redis as local_redis
from producers.kit.postgres.roles import migrate_as_admin
from producers.registry import SERVICES
from tests.containers import services
from tests.integration.commerce_servers import Postgres
from tests.integration.servers import Server, await_true, in_thread, management_port, terminated
from tests.job_manager import serving_jobs
from tests.log_lines import read_structured
from tests.ports import free_offset

DOCKER = ROOT / "docker"
NAMES = {"souk": "stack_souk", "registry": "stack_registry"}
"""Roles and databases of the stack → their names in the tests' server, which has one of the first name."""


@contextmanager
def stack_databases(settings: Settings) -> Iterator[str]:
    """Run `databases.sql` with psql, and yield the URL of the platform's role. The password is odd."""
    text = (DOCKER / "postgres" / "databases.sql").read_text()
    for name, instead in NAMES.items():
        text = re.sub(rf"\b{name}\b", instead, text)
    admin = urlsplit(settings.postgres)
    address = f"postgresql://{admin.username}@{admin.hostname}:{admin.port}"
    psql = [local_postgres.bundled_binaries() / "psql", "-qX", "-v", "ON_ERROR_STOP=1"]
    password = 'it\'s "odd" \\ p@ss/word'
    env = {
        "PGPASSWORD": settings.postgres_admin_password.get_secret_value(),
        "POSTGRES_SOUK_PASSWORD": password,
        "POSTGRES_REGISTRY_PASSWORD": "b",
    }
    subprocess.run([*psql, f"{address}/postgres"], input=text, text=True, env=env, check=True)
    try:
        role = NAMES["souk"]
        yield f"postgresql://{role}:{quote(password, safe='')}@{admin.hostname}:{admin.port}/{role}"
    finally:
        drops = "".join(f"DROP DATABASE {name} WITH (FORCE); DROP ROLE {name};\n" for name in NAMES.values())
        subprocess.run([*psql, f"{address}/postgres"], input=drops, text=True, env=env, check=True)


def test_the_services_live_in_a_database_whose_role_owns_nothing_else(
    settings: Settings, postgres: Postgres
) -> None:
    assert postgres.process.poll() is None

    async def use(url: str) -> None:
        own = Settings(home=settings.home, postgres_url=url)
        for service in SERVICES.values():
            await migrate_as_admin(own, service.name, service.migrations())
        connection = await asyncpg.connect(url)
        assert await connection.fetchval(
            "SELECT NOT rolsuper AND NOT rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert await connection.fetchval("SELECT count(*) FROM orders.orders") == 0
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url, database=NAMES["registry"])

    with stack_databases(settings) as url:
        in_thread(lambda: asyncio.run(use(url)))


def test_valkey_starts_with_the_stacks_configuration_and_asks_for_the_password(tmp_path: Path) -> None:
    server, _ = local_redis.find(Settings())
    port = free_offset() + PORTS["redis"]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(server)
    config = (DOCKER / "valkey" / "valkey.conf").read_text()
    config = config.replace("bind * -::*", f"bind {LOOPBACK}").replace("port 6379", f"port {port}")
    (tmp_path / "valkey.conf").write_text(config.replace("dir /data", f"dir {tmp_path}"))
    *shell, script = services()["valkey"]["command"]
    script = script.replace("$$", "$").replace("/etc/valkey.conf", str(tmp_path / "valkey.conf"))
    env = {"REDISCLI_AUTH": "a-secret", "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    with terminated(subprocess.Popen([*shell, script], env=env, stdout=subprocess.DEVNULL)) as process:
        client = Redis(LOOPBACK, port, password="a-secret")

        def answers() -> bool:
            assert process.poll() is None
            try:
                return bool(client.ping())
            except RedisError:
                return False

        await_true(answers, "Valkey's start")
        memory = client.config_get("maxmemory*")
        assert (memory["maxmemory"], memory["maxmemory-policy"]) == (str(320 << 20), "noeviction")
        client.close()
        with Redis(LOOPBACK, port) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert b"valkey-server" in arguments
        assert b"a-secret" not in arguments


def is_healthy(service: str, address: str, instead: str) -> bool:
    """Return whether a service's health check succeeds, with another address."""
    _, *command = services()[service]["healthcheck"]["test"]
    assert address in command[-1]
    command[-1] = command[-1].replace(address, instead.replace(":", "/"))
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


def test_the_health_check_of_the_registry_needs_no_http_client(settings: Settings, registry: Server) -> None:
    assert registry.process.poll() is None
    management = f"{LOOPBACK}:{management_port(settings)}"
    assert is_healthy("registry", "127.0.0.1/9000", management)
    assert not is_healthy("registry", "127.0.0.1/9000", f"{LOOPBACK}:{1}")


def test_a_registry_that_is_down_is_not_healthy() -> None:
    """Its response has the state of each check, of which some are up."""

    class Down(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            checks = [{"name": "Application", "status": "UP"}, {"name": "Database", "status": "DOWN"}]
            body = json.dumps({"status": "DOWN", "checks": checks}).encode()
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Down) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert not is_healthy("registry", "127.0.0.1/9000", f"{LOOPBACK}:{server.server_port}")
        server.shutdown()


def test_the_health_checks_of_flink_wait_for_its_task_manager() -> None:
    with serving_jobs() as flink:
        address = f"{LOOPBACK}:{flink.server_port}"
        assert is_healthy("jobmanager", "127.0.0.1/8081", address)
        flink.answers["/taskmanagers"] = '{"taskmanagers": []}'
        assert not is_healthy("taskmanager", "jobmanager/8081", address)
        flink.answers["/taskmanagers"] = '{"taskmanagers": [{"id": "souk-taskmanager"}]}'
        assert is_healthy("taskmanager", "jobmanager/8081", address)


@pytest.mark.usefixtures("kafka", "registry")
def test_the_set_up_writes_a_structured_line_for_each_step(
    settings: Settings, migrated_database: Settings
) -> None:
    passwords = {
        f"SOUK_CLICKHOUSE_{user}_PASSWORD": getattr(
            migrated_database, f"clickhouse_{user.lower()}_password"
        ).get_secret_value()
        for user in ("ADMIN", "ANALYST")
    }
    environment = (
        os.environ
        | passwords
        | {
            "SOUK_HOME": str(settings.home),
            "SOUK_KAFKA_BOOTSTRAP": settings.kafka,
            "SOUK_REGISTRY_URL": settings.registry,
            "SOUK_REGISTRY_PASSWORD": settings.registry_password.get_secret_value(),
            "SOUK_CLICKHOUSE_URL": migrated_database.clickhouse,
            "SOUK_CLICKHOUSE_DATABASE": migrated_database.clickhouse_database,
        }
    )
    done = subprocess.run(
        [sys.executable, "-m", "local.set_up"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = read_structured(done.stderr.splitlines())

    assert (done.returncode, done.stdout) == (0, "")
    assert {line["step"] for line in lines} >= {"kafka", "registry", "clickhouse", "tables"}
    assert {(line["event"], line["process"]) for line in lines} == {("ready", "set-up")}
