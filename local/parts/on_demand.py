"""The parts that run only if somebody wants them: from `./souk up --with NAME` until `--without NAME`.

Prometheus and Alertmanager watch the other parts, and are programs on PATH. Zipkin stores traces in memory
and shows them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal

from rich.console import Console

from common.errors import UserError
from common.process_records import read_process_record
from common.settings import LOOPBACK, ROOT, Settings
from dashboards.prometheus.configuration import local_addresses, texts
from local.install.fetch import fetch_all, use_system_certificates
from local.install.jars import folder, groups
from local.parts.part import Part, Resolution, check_answer
from local.parts.resolve import (
    JVM_ENVIRONMENT,
    find_java,
    find_on_path,
    format_version,
    read_version,
    server_flags,
)
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec

Name = Literal["prometheus", "alertmanager"]

PROMETHEUS: Name = "prometheus"
ALERTMANAGER: Name = "alertmanager"

RETENTION = ("--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=1GB")
"""About 2,000 series every 5 seconds; `ProcessDown` looks back 15 days."""

NO_OTHER_SITE = "--web.cors.origin="
"""No origin matches an empty expression. By default, every site's pages may read metrics in a browser."""

WEBHOOK = '    webhook_configs: [{{url: "{url}"}}]\n'
"""For the receiver with which `docker/alertmanager/alertmanager.yml` ends."""

INSTALL: Mapping[Name, str] = {
    PROMETHEUS: "Debian and Ubuntu have it as the package prometheus",
    ALERTMANAGER: "Debian and Ubuntu have it as the package prometheus-alertmanager",
}


def _prometheus(settings: Settings, on_demand: Collection[str]) -> Part:
    """Return Prometheus with this copy's addresses and rules.

    It sends alerts to Alertmanager if `on_demand` has it.

    Raises:
        UserError: it is not on PATH.
    """
    alertmanager_address = f"{LOOPBACK}:{settings.port('alertmanager')}" if ALERTMANAGER in on_demand else ""
    flags = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        *RETENTION,
        f"--web.listen-address={LOOPBACK}:{settings.port('prometheus')}",
        NO_OTHER_SITE,
    ]
    return _part(settings, PROMETHEUS, flags, texts(local_addresses(settings), alertmanager_address))


def _alertmanager(settings: Settings) -> Part:
    """Return Alertmanager with the configuration in `docker/alertmanager/`, and the webhook of the settings.

    Raises:
        UserError: it is not on PATH.
    """
    flags = [
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        f"--web.listen-address={LOOPBACK}:{settings.port('alertmanager')}",
        "--cluster.listen-address=",  # a single server: no port for others
    ]
    text = (ROOT / "docker" / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    if settings.alert_webhook_url:
        text += WEBHOOK.format(url=settings.alert_webhook_url)
    return _part(settings, ALERTMANAGER, flags, {"alertmanager.yml": text})


def _part(settings: Settings, name: Name, flags: list[str], files: Mapping[str, str]) -> Part:
    program = find_on_path(settings, name, f"prometheus-{name}")
    if program is None:
        raise UserError(f"{name} is not on PATH: install it ({INSTALL[name]}), or leave out `--with {name}`")
    folder = StateDirectory(settings.home).part_directory(name)
    port = settings.port(name)
    url = f"http://{LOOPBACK}:{port}"
    # Neither server reads a changed configuration by itself, so `up` must restart it.
    digest = sha256("".join(files.values()).encode()).hexdigest()
    return Part(
        name,
        Resolution("path", format_version(read_version(program)), str(program)),
        url,
        partial(check_answer, name, f"{url}/-/ready"),
        LaunchSpec([str(program), *flags], folder, {"CONFIGURATION_DIGEST": digest}),
        partial(_write, folder, files),
        ports={name: port},
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


ZIPKIN = "zipkin"
"""The name of the part, and of the setting that turns it on."""

MAX_SPANS = 50_000
"""Spans that Zipkin keeps, about 50 MB; it forgets the oldest traces first."""

ZIPKIN_FLAGS = (
    "-Xms32m", "-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=128m",
    "-XX:ReservedCodeCacheSize=48m",
)  # fmt: skip


def _zipkin(settings: Settings) -> Part:
    """Return Zipkin as configured by these settings."""
    ready = partial(check_answer, "zipkin", f"{settings.zipkin_base}/health")
    if settings.zipkin_url:
        return Part("zipkin", Resolution("url", "", settings.zipkin_base), settings.zipkin_base, ready)
    (jar,) = groups()["zipkin"].jars
    path = folder(settings.install, "zipkin") / jar.filename
    home = StateDirectory(settings.home).part_directory("zipkin")
    port = settings.port("zipkin")
    listener = {"ip": LOOPBACK, "port": str(port), "protocols[0]": "http"}
    command = [
        str(find_java(settings)[0]), *ZIPKIN_FLAGS, *server_flags(home / "tmp"), "-jar", str(path),
        *(f"--armeria.ports[0].{name}={value}" for name, value in listener.items()),
    ]  # fmt: skip
    environment = {
        **JVM_ENVIRONMENT,
        "STORAGE_TYPE": "mem",
        "MEM_MAX_SPANS": str(MAX_SPANS),
        "ZIPKIN_QUERY_ALLOWED_ORIGINS": settings.zipkin_base,  # by default, pages of every site
    }
    return Part(
        "zipkin",
        Resolution("bundled", jar.version, str(path)),
        f"{settings.zipkin_base}/zipkin/",
        ready,
        LaunchSpec(command, home, environment, nice=10),
        lambda: _prepare_zipkin(settings),
        ports={"zipkin": port},
    )


def _prepare_zipkin(settings: Settings) -> None:
    """Create Zipkin's directory, and download its jar (131 MB) the first time.

    Raises:
        UserError: the download failed. The message says what to do.
    """
    (StateDirectory(settings.home).part_directory("zipkin") / "tmp").mkdir(exist_ok=True)
    use_system_certificates()
    fetch_all(settings.install, [groups()["zipkin"]], Console(stderr=True, quiet=True))


ON_DEMAND: Mapping[str, Callable[[Settings, Collection[str]], Part]] = {
    PROMETHEUS: _prometheus,
    ALERTMANAGER: lambda settings, _: _alertmanager(settings),
    ZIPKIN: lambda settings, _: _zipkin(settings),
}
"""Name → a function that returns the part. Its second argument has the names of all that run on demand."""


def change(settings: Settings, wanted: Iterable[str], unwanted: Iterable[str]) -> None:
    """Note which parts this copy wants from now on.

    Raises:
        UserError: there is no such part on demand, or the program of one is not installed.
    """
    wanted, unwanted = list(wanted), list(unwanted)
    if unknown := [name for name in (*wanted, *unwanted) if name not in ON_DEMAND]:
        raise UserError(f"there is no part on demand {unknown[0]!r}: choose from {', '.join(ON_DEMAND)}")
    parts(settings, wanted)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in wanted:
        _file(settings, name).touch()
    for name in unwanted:
        _file(settings, name).unlink(missing_ok=True)


def apply(settings: Settings) -> Settings:
    """Return the settings of a copy that wants Zipkin, so that every process sends it traces."""
    if not _file(settings, ZIPKIN).exists() or ZIPKIN in settings.model_fields_set:
        return settings
    return settings.model_copy(update={ZIPKIN: True})


def wanted(settings: Settings) -> set[str]:
    """Return the names of the parts that this copy wants; `SOUK_ZIPKIN` turns Zipkin on as well."""
    chosen = {name for name in ON_DEMAND if _file(settings, name).exists()} - {ZIPKIN}
    return chosen | {ZIPKIN} if settings.zipkin else chosen


def running(home: StateDirectory) -> set[str]:
    """Return the names of the parts on demand that run in this copy."""
    return {name for name in ON_DEMAND if (record := read_process_record(home.run, name)) and record.alive}


def parts(settings: Settings, names: Collection[str]) -> list[Part]:
    """Return these parts.

    Raises:
        UserError: the program of one of them is not installed.
    """
    return [build(settings, names) for name, build in ON_DEMAND.items() if name in names]


def _file(settings: Settings, name: str) -> Path:
    """Return the file whose existence means that this copy wants a part."""
    return settings.home / f"with_{name}"
