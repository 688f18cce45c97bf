"""The process that audits the platform every night: `python -m audit.nightly.worker`."""

import sys
from functools import partial

from common.settings import LOOPBACK, ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = (
    "internal_secret",
    "clickhouse_admin_password",
    "clickhouse_analyst_password",
    "postgres_role_secret",
    "redis_password",
    "registry_password",
)
"""The passwords that the process needs. It reads every store."""


def part(settings: Settings) -> Part:
    """Return the worker of this checkout, which reads every store of the settings."""
    port = settings.port("audit")
    url = f"http://{LOOPBACK}:{port}"
    return Part(
        "audit",
        Resolution("bundled", "", "audit.nightly.worker"),
        f"{url}/metrics",
        partial(readiness.check, "audit", url),
        LaunchSpec(
            [sys.executable, "-m", "audit.nightly.worker"], ROOT, settings_environment(settings, SECRETS)
        ),
        ports={"audit": port},
        needs=("tables", "serving"),  # it works at night: the pages start first
    )
