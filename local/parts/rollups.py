"""The process that refreshes the roll-ups in ClickHouse: `python -m clickhouse.rollup_worker`."""

import sys
from functools import partial

from common.settings import LOOPBACK, ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = ("clickhouse_admin_password",)
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the worker of this checkout, which uses the ClickHouse of the settings."""
    port = settings.port("rollups")
    url = f"http://{LOOPBACK}:{port}"
    return Part(
        "rollups",
        Resolution("bundled", "", "clickhouse.rollup_worker"),
        f"{url}/metrics",
        partial(readiness.check, "rollups", url),
        LaunchSpec(
            [sys.executable, "-m", "clickhouse.rollup_worker"], ROOT, settings_environment(settings, SECRETS)
        ),
        ports={"rollups": port},
        needs=("tables", "serving"),  # figures are right without it: the pages start first
    )
