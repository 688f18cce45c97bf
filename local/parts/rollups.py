"""The process that refreshes the roll-ups in ClickHouse: `python -m clickhouse.rollup_worker`."""

import sys
from functools import partial

import httpx

from common.settings import LOOPBACK, ROOT, Settings
from common.tls import tls_context
from local.parts.part import NotReady, Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec


def part(settings: Settings) -> Part:
    """Return the worker of this checkout, which uses the ClickHouse of the settings."""
    port = settings.port("rollups")
    url = f"http://{LOOPBACK}:{port}/metrics"
    return Part(
        "rollups",
        Resolution("bundled", "", "clickhouse.rollup_worker"),
        url,
        partial(check, url),
        LaunchSpec([sys.executable, "-m", "clickhouse.rollup_worker"], ROOT, settings_environment(settings)),
        ports={"rollups": port},
        needs=("tables",),
    )


def check(url: str) -> None:
    """Check that the worker answers.

    Raises:
        NotReady: it does not.
    """
    try:
        httpx.get(url, timeout=3, trust_env=False, verify=tls_context()).raise_for_status()
    except httpx.HTTPError as error:
        raise NotReady(f"rollups: {url} does not answer: {error}") from error
