"""The rights of each role in the bundled PostgreSQL, on a real server with the services' tables."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import asyncpg
import psutil
import pytest

from common.postgres_roles import READER, role_name, role_password
from common.settings import Settings
from local import passwords
from local.parts import postgres
from local.parts.registry import SCHEMA as REGISTRY
from local.state_directory import StateDirectory
from producers.kit.postgres.roles import create_schema, migrate_as_admin
from producers.registry import SERVICES
from producers.services.payments.provider.simulated import SCHEMA as PROVIDER
from tests.integration.servers import running
from tests.ports import free_offset

OWNERS = (*SERVICES, PROVIDER)
"""The schemas of the services."""

TABLES = {name: f"{name}.outbox" for name in SERVICES} | {PROVIDER: "provider.notes"}
ROLES = [*(role_name(schema) for schema in OWNERS), role_name(REGISTRY), role_name(READER)]

OUTSIDE = [
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/souk'",
    "CREATE TEMP TABLE lines (line text)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM pg_authid",
    "CREATE ROLE another SUPERUSER",
    "CREATE SCHEMA another",
    "CREATE DATABASE another",
    "CREATE TABLE public.another (id int)",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET ROLE souk",
]


def home_settings(home: Path) -> Settings:
    home.mkdir()
    return passwords.ensure(Settings(home=home, port_offset=free_offset()))


def run(url: str, *statements: str) -> object:
    """Run the statements and return the first value of the last one."""

    async def execute() -> object:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(execute())


def make_schemas(settings: Settings) -> None:
    async def make() -> None:
        for service in SERVICES.values():
            await migrate_as_admin(settings, service.name, service.migrations(), service.hidden_from_audits)
        await migrate_as_admin(settings, PROVIDER, {})
        await create_schema(settings, REGISTRY)

    asyncio.run(make())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = home_settings(tmp_path_factory.mktemp("a home") / ".souk")
    StateDirectory(settings.home).make()
    with running(postgres.part(settings), settings):
        make_schemas(settings)
        run(settings.postgres_as(PROVIDER), "CREATE TABLE provider.notes (id int)", "SELECT 1")
        yield settings


@pytest.mark.parametrize("role", ["souk", "postgres", *ROLES])
@pytest.mark.parametrize("password", ["", ":", ":guess"])
def test_nobody_connects_without_the_password(server: Settings, role: str, password: str) -> None:
    address = f"127.0.0.1:{server.port('postgres')}/souk"

    with pytest.raises((asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InterfaceError)):
        run(f"postgresql://{role}{password}@{address}", "SELECT 1")


def test_a_role_does_not_connect_with_the_password_of_another(server: Settings) -> None:
    orders = server.postgres_as("orders")

    with pytest.raises(asyncpg.InvalidPasswordError):
        run(orders.replace("souk_orders", "souk_payments"), "SELECT 1")


@pytest.mark.parametrize("schema", OWNERS)
def test_a_service_owns_its_schema_and_all_that_is_in_it(server: Settings, schema: str) -> None:
    foreign = f"""
        SELECT count(*) FROM pg_class
        WHERE relnamespace = '{schema}'::regnamespace AND relowner <> current_user::regrole
    """

    assert run(server.postgres_as(schema), foreign) == 0
    assert run(server.postgres_as(schema), f"SELECT count(*) FROM {TABLES[schema]}") == 0


@pytest.mark.parametrize(("schema", "other"), list(permutations(OWNERS, 2)))
def test_a_service_neither_reads_nor_writes_the_tables_of_another(
    server: Settings, schema: str, other: str
) -> None:
    for statement in (f"SELECT count(*) FROM {TABLES[other]}", f"DELETE FROM {TABLES[other]}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run(server.postgres_as(schema), statement)


READABLE = """SELECT array_agg(pg_class.oid::regclass::text) FROM pg_class
WHERE relnamespace = '{0}'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    AND has_table_privilege(pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE')"""


@pytest.mark.parametrize(("schema", "other"), list(permutations(OWNERS, 2)))
def test_a_service_has_no_right_in_the_schema_of_another(server: Settings, schema: str, other: str) -> None:
    role = server.postgres_as(schema)

    assert run(role, f"SELECT has_schema_privilege('{other}', 'USAGE, CREATE')") is False
    assert run(role, READABLE.format(other)) is None


def test_what_earlier_versions_granted_other_services_is_taken_back(server: Settings) -> None:
    run(
        server.postgres,
        "CREATE ROLE reports",
        "GRANT USAGE ON SCHEMA sellers TO souk_users, reports",
        "GRANT SELECT ON sellers.staff TO souk_users, reports",
        "GRANT EXECUTE ON FUNCTION sellers.forget_user(uuid, text) TO souk_users",
        "SELECT 1",
    )
    role = server.postgres_as("users")
    may_call = "SELECT has_function_privilege('souk_users', 'sellers.forget_user(uuid, text)', 'EXECUTE')"
    before = (run(role, "SELECT count(*) FROM sellers.staff"), run(server.postgres, may_call))

    make_schemas(server)

    assert before == (0, True)
    assert run(server.postgres, may_call) is False
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(role, "SELECT count(*) FROM sellers.staff")
    assert run(server.postgres, "SELECT has_table_privilege('reports', 'sellers.staff', 'SELECT')") is True
    assert run(server.postgres_as(READER), "SELECT count(*) FROM sellers.staff") == 0


@pytest.mark.parametrize("schema", SERVICES)
def test_audits_do_not_read_what_services_ask_each_other_about_people(server: Settings, schema: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(server.postgres_as(READER), f"SELECT count(*) FROM {schema}.requests")


@pytest.mark.parametrize("schema", [*(name for name in OWNERS if name != "orders"), READER])
def test_only_orders_reads_how_an_order_is_paid(server: Settings, schema: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(server.postgres_as(schema), "SELECT count(*) FROM orders.how_to_pay")


@pytest.mark.parametrize("statement", OUTSIDE)
@pytest.mark.parametrize("schema", [*OWNERS, REGISTRY, READER])
def test_no_role_of_a_service_reaches_past_its_schema(server: Settings, schema: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(server.postgres_as(schema), statement)


@pytest.mark.parametrize("schema", [*OWNERS, REGISTRY, READER])
@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_no_role_of_a_service_connects_to_another_database(
    server: Settings, schema: str, database: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(server.postgres_as(schema).rpartition("/")[0] + f"/{database}", "SELECT 1")


@pytest.mark.parametrize("schema", SERVICES)
def test_the_reader_reads_every_service_and_writes_none(server: Settings, schema: str) -> None:
    reader = server.postgres_as(READER)

    assert run(reader, f"SELECT count(*) FROM {TABLES[schema]}") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        run(reader, f"DELETE FROM {TABLES[schema]}")


def test_no_process_and_no_log_shows_a_password(server: Settings) -> None:
    secret = server.postgres_role_secret.get_secret_value()
    hidden = [
        secret,
        server.postgres_admin_password.get_secret_value(),
        *(role_password(secret, role) for role in ROLES),
    ]

    arguments = " ".join(word for process in psutil.process_iter() for word in _arguments(process))
    logs = [path for path in server.home.rglob("*.log") if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in logs)

    assert logs
    assert not [each for each in hidden if each in arguments or each in written]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_data_directory_is_closed_to_other_users(server: Settings) -> None:
    folder = server.home / "postgres"

    modes = {path: path.stat().st_mode & 0o777 for path in (server.home, folder, folder / "data")}

    assert set(modes.values()) == {0o700}, modes
    assert (folder / "data" / "pg_hba.conf").stat().st_mode & 0o777 == 0o600
    assert (server.home / "secrets.toml").stat().st_mode & 0o777 == 0o600


def test_the_server_has_no_capability_and_is_not_root(server: Settings) -> None:
    pid = (server.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )

    assert status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapAmb"], 16) == 0


def trusting(settings: Settings) -> None:
    """A data directory of an earlier version, in which every local user is the superuser."""
    StateDirectory(settings.home).make()
    launch = postgres.part(settings).launch
    assert launch
    binaries = Path(launch.argv[0]).parent
    launch.cwd.mkdir(mode=0o700, parents=True)
    if launch.uid is not None and launch.gid is not None:
        os.chown(launch.cwd, launch.uid, launch.gid)
    initdb = [str(binaries / "initdb"), "-D", "/proc/self/cwd", "--username=souk", "--auth=trust"]
    postgres.run_tool(StateDirectory(settings.home), launch, initdb, "")
    launch.cwd.parent.chmod(0o755)
    settings.home.chmod(0o755)
    made = [
        "CREATE SCHEMA orders",
        "CREATE TYPE orders.colour AS ENUM ('red')",
        "CREATE TABLE orders.baskets (id serial PRIMARY KEY, colour orders.colour)",
        "CREATE FUNCTION orders.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO orders.baskets (colour) VALUES ('red')",
        "CREATE SCHEMA payments",
        "CREATE TABLE payments.cards (number text)",
    ]
    for database, statements in (("postgres", ["CREATE DATABASE souk"]), ("souk", made)):
        single = [str(binaries / "postgres"), "--single", "-D", "/proc/self/cwd", database]
        postgres.run_tool(
            StateDirectory(settings.home), launch, single, "".join(f"{each}\n" for each in statements)
        )


def test_a_home_that_trusted_everyone_is_closed_and_keeps_its_data(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / ".souk")
    trusting(settings)
    part = postgres.part(settings)
    open_door = f"postgresql://souk@127.0.0.1:{settings.port('postgres')}/souk"
    before = replace(part, prepare=lambda: None, ready=lambda: postgres.check(open_door))
    with running(before, settings) as server:
        assert run(open_door, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True

        part.prepare()  # as `up` does while the server of the earlier version still runs
        run(settings.postgres, "SELECT pg_reload_conf()")
        server.process.terminate()
        server.process.wait()

    with running(part, settings):
        asyncio.run(create_schema(settings, "orders"))

        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            run(open_door, "SELECT 1")
        orders = settings.postgres_as("orders")
        assert run(orders, "SELECT colour::text FROM orders.baskets") == "red"
        added = "INSERT INTO orders.baskets (colour) VALUES ('red') RETURNING id"
        assert run(orders, "ALTER TYPE orders.colour ADD VALUE 'blue'", added) == 2
        assert run(orders, "ALTER FUNCTION orders.one() RENAME TO first", "SELECT orders.first()") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            run(orders, "SELECT count(*) FROM payments.cards")


def test_a_stopped_home_that_trusted_everyone_is_closed_before_it_starts(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / ".souk")
    trusting(settings)
    StateDirectory(settings.home).make()

    with running(postgres.part(settings), settings):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            run(f"postgresql://souk@127.0.0.1:{settings.port('postgres')}/souk", "SELECT 1")
        assert run(settings.postgres, "SELECT colour::text FROM orders.baskets") == "red"

    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert (settings.home / "postgres").stat().st_mode & 0o777 == 0o700


def test_new_secrets_open_a_home_whose_secrets_were_lost(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / ".souk")
    StateDirectory(settings.home).make()
    with running(postgres.part(settings), settings):
        run(settings.postgres, "CREATE TABLE public.kept (id int)", "SELECT 1")
    (settings.home / "secrets.toml").unlink()

    renewed = passwords.ensure(Settings(home=settings.home, port_offset=settings.port_offset))

    with running(postgres.part(renewed), renewed):
        assert run(renewed.postgres, "SELECT count(*) FROM public.kept") == 0


def test_a_server_of_ones_own_needs_one_role_that_may_create_schemas(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / ".souk")
    StateDirectory(settings.home).make()
    with running(postgres.part(settings), settings):
        run(
            settings.postgres,
            "CREATE ROLE shop LOGIN PASSWORD 'p'",
            "GRANT CONNECT, CREATE ON DATABASE souk TO shop",
            "SELECT 1",
        )
        url = f"postgresql://shop:p@127.0.0.1:{settings.port('postgres')}/souk"
        own = settings.model_copy(update={"postgres_url": url})

        make_schemas(own)

        assert run(own.postgres_as("orders"), "SELECT count(*) FROM orders.outbox") == 0
        assert run(own.postgres_as(READER), "SELECT current_user::text") == "shop"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root copies the programs")
def test_the_programs_run_from_their_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PUBLIC_DIRECTORY", tmp_path)
    monkeypatch.setattr(postgres, "is_reachable_by_others", lambda _: False)
    copy = postgres.reachable(postgres.bundled_binaries())

    for _ in range(2):
        postgres.copy_programs(copy)

    done = subprocess.run([copy / "initdb", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("initdb (PostgreSQL) ")
