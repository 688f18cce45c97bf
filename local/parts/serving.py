"""The API and the pages: `python -m serving`."""

import sys
from functools import partial

from common.settings import ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

OTHERS = ("figures", "jobs", "flink", "kafka", "registry")
"""What the pages need not wait for."""

SECRETS = (
    "internal_secret",
    "clickhouse_serving_password",
    "redis_password",
    "registry_password",
)
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the serving process of this checkout, or the one that the settings give by URL."""
    # The pages answer without the other parts, and say that the past is still being counted: nobody should
    # have to wait for them. `up` waits for each part by itself.
    ready = partial(readiness.check, "serving", settings.serving, exclude=OTHERS)
    if settings.serving_url:
        return Part("serving", Resolution("url", "", settings.serving), settings.serving, ready)
    return Part(
        "serving",
        Resolution("bundled", "", "serving"),
        settings.serving,
        ready,
        LaunchSpec([sys.executable, "-m", "serving"], ROOT, settings_environment(settings, SECRETS)),
        ports={"serving": settings.port("serving")},
        needs=("tables", "redis", "postgres"),
    )
