"""Prometheus and Alertmanager, which watch the other parts: programs on PATH, started on demand."""

from collections.abc import Collection, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal

from common.errors import UserError
from common.settings import LOOPBACK, ROOT, Settings
from dashboards.prometheus.configuration import local_addresses, texts
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.parts.resolve import find_on_path, format_version, read_version
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


def prometheus(settings: Settings, on_demand: Collection[str]) -> Part:
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


def alertmanager(settings: Settings, on_demand: Collection[str]) -> Part:  # noqa: ARG001 (as all parts on demand)
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
    configuration = ROOT / "docker" / "alertmanager" / "alertmanager.yml"
    text = configuration.read_text(encoding="utf-8")
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
        partial(readiness.check_answer, name, f"{url}/-/ready"),
        LaunchSpec([str(program), *flags], folder, {"CONFIGURATION_DIGEST": digest}),
        partial(_write, folder, files),
        ports={name: port},
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
