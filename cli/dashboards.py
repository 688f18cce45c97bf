"""`./souk dashboards build | deploy`: writes dashboards to files or deploys them to Grafana."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from common.errors import UserError
from common.settings import ROOT, Settings
from dashboards import build as building
from dashboards import containers, targets
from local.install.environment import installation_lock, sync_packages
from local.install.step import run

PACKAGES = ROOT / "requirements-dashboards.lock"


def python_with_grafana(install: Path) -> Path:
    """Return the Python of `<install>/dashboards`, which has exactly the locked packages. Installs it if
    needed.

    Raises:
        CannotInstall: no network, no space, or a package whose hash differs from the lock.
    """
    folder = install / "dashboards"
    python, stamp = folder / "bin" / "python", folder / "souk.stamp"
    lock_digest = sha256(PACKAGES.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock_digest and python.exists():
        return python
    log = install / "dashboards.log"
    with installation_lock(install):
        stamp.unlink(missing_ok=True)
        run("Python environment", [sys.executable, "-m", "venv", "--without-pip", "--clear", folder], log)
        sync_packages("Grafana's client", install, folder, PACKAGES, log)
        stamp.write_text(lock_digest)
    return python


app = typer.Typer(no_args_is_help=True)


@app.command()
def build(
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: `dashboards` in the state directory.")
    ] = None,
    for_containers: Annotated[
        bool,
        typer.Option("--containers", help="Write what Grafana and Prometheus of docker-compose.yml read."),
    ] = False,
) -> None:
    """Write each dashboard as JSON, and Prometheus' configuration and rules with this copy's ports."""
    settings = Settings.load()
    folder = out or settings.home / "dashboards"
    write = containers.write if for_containers else building.write
    try:
        for path in write(settings, folder):
            print(path)
    except OSError as error:
        raise UserError(f"{folder} can't be written ({error.strerror}): choose another with --out") from error


@app.command()
def deploy(
    url: Annotated[str, typer.Option(help="Grafana's address, such as http://127.0.0.1:3000.")],
    token: Annotated[
        str, typer.Option(envvar="SOUK_GRAFANA_TOKEN", help="A service account's token, role Admin.")
    ],
    clickhouse: Annotated[
        str, typer.Option(help="ClickHouse's address as Grafana reaches it; default: this copy's.")
    ] = "",
    prometheus: Annotated[
        str, typer.Option(help="Prometheus' address as Grafana reaches it.")
    ] = "http://127.0.0.1:9090",
    zipkin: Annotated[
        str, typer.Option(help="Zipkin's address as Grafana reaches it, if traces are to be shown.")
    ] = "",
) -> None:
    """Create or update the data sources and dashboards in a Grafana 11.6 or later."""
    given = {"--url": url, "--clickhouse": clickhouse, "--prometheus": prometheus, "--zipkin": zipkin}
    for option, address in given.items():
        _check(option, address)
    settings = Settings.load()
    sources = [
        targets.clickhouse(settings, clickhouse or settings.clickhouse),
        targets.prometheus(prometheus),
        *([targets.zipkin(zipkin)] if zipkin else []),
    ]
    request = {"url": url, "token": token, "sources": sources, "dashboards": building.build(settings)}
    command: list[str | Path] = [python_with_grafana(settings.install), "-P", "-m", "dashboards.deploy"]
    done = subprocess.run(
        command,
        input=json.dumps(request),
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)


def _check(option: str, address: str) -> None:
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UserError(f"{option} {address} is not an address such as http://127.0.0.1:3000")
