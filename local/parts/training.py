"""The process that trains the recommender every night: `python -m recommenders.training.worker`."""

import sys
from functools import partial

from common.settings import LOOPBACK, ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = (
    "clickhouse_admin_password",
    "clickhouse_analyst_password",
    "redis_password",
)
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the worker of this checkout, which uses the ClickHouse and the Redis of the settings."""
    port = settings.port("training")
    url = f"http://{LOOPBACK}:{port}"
    return Part(
        "training",
        Resolution("bundled", "", "recommenders.training.worker"),
        f"{url}/metrics",
        partial(readiness.check, "training", url),
        LaunchSpec(
            [sys.executable, "-m", "recommenders.training.worker"],
            ROOT,
            settings_environment(settings, SECRETS),
        ),
        ports={"training": port},
        needs=("tables", "redis", "serving"),  # it works at night: the pages start first
    )
