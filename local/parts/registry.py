"""The schema registry: Apicurio with Confluent's API, which keeps its schemas in PostgreSQL.

A schema's id is inside every message in Kafka, so the registry must never forget one: it stores them in a
database that survives a kill -9, not in memory as it would by default.
"""

import subprocess
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from common.errors import PartUnavailable
from common.settings import LOOPBACK, Settings
from local.home import Home
from local.install.jars import jars
from local.parts import postgres
from local.parts.java import ENVIRONMENT, flags, java
from local.parts.part import Found, NotReady, Part
from local.parts.resolve import dotted, numbers
from local.supervision.launch_file import Launch

SCHEMA = "registry"
"""The PostgreSQL schema of its tables."""


def part(settings: Settings) -> Part:
    """The registry as these settings say. (No distribution of it puts a program on PATH.)"""
    ready = partial(check, settings.registry)
    if settings.registry_url:
        return Part("registry", Found("url", "", settings.registry), settings.registry, ready)
    runner, found = find(settings)
    folder = Home(settings.home).of("registry")
    port, management = settings.port("registry"), settings.port("registry_management")
    options = {
        "quarkus.http.host": LOOPBACK,
        "quarkus.http.port": str(port),
        "quarkus.management.host": LOOPBACK,
        "quarkus.management.port": str(management),
        "quarkus.otel.sdk.disabled": "true",
        "quarkus.log.level": "WARN",
        "quarkus.log.console.format": "%d{yyyy-MM-dd'T'HH:mm:ss,SSS} %-5p %c{1} - %s%e%n",
        "quarkus.http.access-log.enabled": "false",
        "quarkus.log.console.color": "false",
        "quarkus.thread-pool.max-threads": "8",
        "apicurio.storage.snapshot.location": str(folder / "tmp"),
        **storage(settings.postgres),
    }
    command = [
        str(java(settings)[0]),
        "-Xms48m", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=160m",
        "-XX:ReservedCodeCacheSize=48m", "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        *flags(folder / "tmp"), "-jar", str(runner),
    ]  # fmt: skip
    environment = {**ENVIRONMENT, **{_variable(name): value for name, value in options.items()}}
    return Part(
        "registry",
        found,
        settings.registry,
        ready,
        Launch(command, folder, environment),
        lambda: prepare(settings, folder),
        {"registry": port, "registry_management": management},
        needs=("postgres",),
    )


def find(settings: Settings) -> tuple[Path, Found]:
    """The jar that starts it, as unpacked by the installer."""
    files = jars(settings, "registry")
    runner = next((file for file in files if file.name == "quarkus-run.jar"), None)
    app = next((file for file in files if "apicurio-registry-app-" in file.name), None)
    if runner is None or app is None:
        raise PartUnavailable("the registry's files are not complete: run `./souk status`, it fetches them")
    return runner, Found("bundled", dotted(numbers(app.stem)), str(runner.parent))


def storage(url: str) -> dict[str, str]:
    """The options that make it keep its schemas in the PostgreSQL at this URL."""
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


def _variable(name: str) -> str:
    """The environment variable of a Quarkus option: all but letters and digits becomes an underscore."""
    return "".join(c if c.isalnum() else "_" for c in name).upper()


def prepare(settings: Settings, folder: Path) -> None:
    """Make its directory and its schema in PostgreSQL.

    Raises:
        PartUnavailable: PostgreSQL refuses.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    psql, statement = postgres.bundled_binaries() / "psql", f"create schema if not exists {SCHEMA}"
    done = subprocess.run(
        [psql, "--no-psqlrc", "--no-password", "-qc", statement, settings.postgres],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PartUnavailable(f"PostgreSQL does not make the registry's schema: {done.stderr.strip()}")


def check(url: str) -> None:
    """The list of subjects.

    Raises:
        NotReady: it does not answer with one.
    """
    try:
        answer = httpx.get(f"{url}/subjects", timeout=3, trust_env=False)
        answer.raise_for_status()
        if not isinstance(answer.json(), list):
            raise NotReady(f"registry: {url}/subjects is no list")
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"registry: {error}") from error
