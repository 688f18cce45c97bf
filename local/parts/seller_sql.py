"""The service that runs the queries of sellers in confined processes: `python -m clickhouse.seller_sql`."""

import sys
from functools import partial

from common.settings import ROOT, Settings
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = ("internal_secret", "clickhouse_serving_password")
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the service of this checkout, or the one that the settings give by URL."""
    ready = partial(readiness.check, "seller_sql", settings.seller_sql)
    if settings.seller_sql_url:
        return Part("seller_sql", Resolution("url", "", settings.seller_sql), settings.seller_sql, ready)
    return Part(
        "seller_sql",
        Resolution("bundled", "", "clickhouse.seller_sql"),
        settings.seller_sql,
        ready,
        LaunchSpec(
            [sys.executable, "-m", "clickhouse.seller_sql"], ROOT, settings_environment(settings, SECRETS)
        ),
        ports={"seller_sql": settings.port("seller_sql")},
        needs=("tables",),
    )
