"""The schema registry: Apicurio with Confluent's API, which stores its schemas in PostgreSQL.

Every message in Kafka contains the id of its schema, so the registry must never lose a schema. By default,
Apicurio stores schemas in memory only.
"""

import asyncio
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import httpx

from common.errors import PartUnavailable
from common.http_protocol import MAX_HEAD_BYTES
from common.settings import LOOPBACK, REGISTRY_USER, Settings
from common.timeouts import SERVER_KEEPALIVE_S
from common.urls import credentials, redact_password
from local.install.jars import jars
from local.parts.part import NotReady, Part, Resolution, send
from local.parts.resolve import JVM_ENVIRONMENT, find_java, format_version, parse_version, server_flags
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec
from producers.kit.postgres.roles import create_schema

MAX_CONNECTIONS = 500

SCHEMA = "registry"
"""The PostgreSQL schema of the registry's tables; the registry's own role owns it."""


def part(settings: Settings) -> Part:
    """Return the registry as configured by these settings. PATH is not searched: no distribution uses it."""
    ready, shown = partial(check, settings.registry), redact_password(settings.registry)
    if settings.registry_url:
        return Part("registry", Resolution("url", "", shown), shown, ready)
    runner, resolution = find(settings)
    folder = StateDirectory(settings.home).part_directory("registry")
    port = settings.port("registry")
    options = {
        "quarkus.http.host": LOOPBACK,
        "quarkus.http.port": str(port),
        # Its health and metrics would answer every `Host` and pages of every site, and no setting forbids it.
        "quarkus.management.host-enabled": "false",
        "quarkus.http.idle-timeout": f"{SERVER_KEEPALIVE_S}s",
        "quarkus.http.limits.max-header-size": f"{MAX_HEAD_BYTES >> 10}K",
        "quarkus.http.limits.max-initial-line-length": str(MAX_HEAD_BYTES),
        "quarkus.http.limits.max-connections": str(MAX_CONNECTIONS),
        "quarkus.otel.sdk.disabled": "true",
        "quarkus.log.level": "WARN",
        "quarkus.log.console.format": "%d{yyyy-MM-dd'T'HH:mm:ss,SSS} %-5p %c{1} - %s%e%n",
        "quarkus.http.access-log.enabled": "false",
        "quarkus.log.console.color": "false",
        "quarkus.thread-pool.max-threads": "8",
        "apicurio.storage.snapshot.location": str(folder / "tmp"),
        **storage_options(settings.postgres_as(SCHEMA)),
        **access_options(settings),
    }
    command = [
        str(find_java(settings)[0]),
        "-Xms48m", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=160m",
        "-XX:ReservedCodeCacheSize=48m", "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        *server_flags(folder / "tmp"), "-jar", str(runner),
    ]  # fmt: skip
    environment = {**JVM_ENVIRONMENT, **{_environment_name(name): value for name, value in options.items()}}
    return Part(
        "registry",
        resolution,
        shown,
        ready,
        LaunchSpec(command, folder, environment),
        lambda: prepare(settings, folder),
        {"registry": port},
        needs=("postgres",),
    )


def find(settings: Settings) -> tuple[Path, Resolution]:
    """Return the jar that starts the registry, as unpacked by the installer."""
    files = jars(settings, "registry")
    runner = next((file for file in files if file.name == "quarkus-run.jar"), None)
    app = next((file for file in files if "apicurio-registry-app-" in file.name), None)
    if runner is None or app is None:
        raise PartUnavailable(
            "the registry's files are not complete: run `./souk status`, which fetches them"
        )
    return runner, Resolution("bundled", format_version(parse_version(app.stem)), str(runner.parent))


def access_options(settings: Settings) -> dict[str, str]:
    """Return the options that require the password in every request, and refuse pages of other origins.

    The registry does not check `Host`, so a foreign page under a name that resolves to this machine has the
    registry's origin (DNS rebinding). The password stops such a page.
    """
    own_origin = f"http://{LOOPBACK}:{settings.port('registry')}"
    password = settings.registry_password.get_secret_value()
    if not password:
        return {"quarkus.http.cors.origins": own_origin}
    return {
        "quarkus.http.cors.origins": own_origin,
        "quarkus.http.auth.basic": "true",
        "quarkus.http.auth.permission.all.paths": "/*",
        "quarkus.http.auth.permission.all.policy": "authenticated",
        "quarkus.security.users.embedded.enabled": "true",
        "quarkus.security.users.embedded.plain-text": "true",
        f"quarkus.security.users.embedded.users.{REGISTRY_USER}": password,
        f"quarkus.security.users.embedded.roles.{REGISTRY_USER}": "sr-admin",
    }


def storage_options(url: str) -> dict[str, str]:
    """Return the options for storage in the PostgreSQL at this URL."""
    parts = urlsplit(url)
    return {
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "postgresql",
        "apicurio.datasource.url": (
            f"jdbc:postgresql://{parts.hostname}:{parts.port or 5432}{parts.path}?currentSchema={SCHEMA}"
        ),
        "apicurio.datasource.username": unquote(parts.username or ""),
        "apicurio.datasource.password": unquote(parts.password or ""),
        "apicurio.datasource.jdbc.initial-size": "1",
        "apicurio.datasource.jdbc.min-size": "1",
        "apicurio.datasource.jdbc.max-size": "8",
    }


def _environment_name(name: str) -> str:
    """Return the environment variable of a Quarkus option: other characters become underscores."""
    return "".join(c if c.isalnum() else "_" for c in name).upper()


def prepare(settings: Settings, folder: Path) -> None:
    """Create the registry's directory, and its schema and role in PostgreSQL.

    Raises:
        PartUnavailable: PostgreSQL refuses.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    try:
        asyncio.run(create_schema(settings, SCHEMA))
    except (OSError, asyncpg.PostgresError) as error:
        raise PartUnavailable(f"PostgreSQL can't create the registry's schema: {error}") from error


def check(url: str) -> None:
    """Read the list of subjects.

    Raises:
        NotReady: the answer is not a list.
    """
    try:
        subjects = f"{redact_password(url)}/subjects"
        answer = send("GET", subjects, auth=credentials(url))
        answer.raise_for_status()
        if not isinstance(answer.json(), list):
            raise NotReady(f"registry: {subjects} is not a list")
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"registry: {error}") from error
