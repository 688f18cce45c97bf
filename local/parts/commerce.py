"""The commerce services, for orders, stock and payments: `python -m producers`."""

import sys
from functools import partial

from common.settings import ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = (
    "internal_secret",
    "postgres_admin_password",
    "postgres_role_secret",
    "registry_password",
)
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the services of this checkout in one process, or those that the settings give by URL."""
    ready = partial(readiness.check, "commerce", settings.commerce)
    if settings.commerce_url:
        return Part("commerce", Resolution("url", "", settings.commerce), settings.commerce, ready)
    return Part(
        "commerce",
        Resolution("bundled", "", "producers"),
        settings.commerce,
        ready,
        LaunchSpec([sys.executable, "-m", "producers"], ROOT, settings_environment(settings, SECRETS)),
        ports={"commerce": settings.port("commerce")},
        needs=("postgres", "topics"),  # the services create their tables themselves
    )
