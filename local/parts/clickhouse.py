"""ClickHouse, for facts and aggregates: our HTTP server on the engine of the wheel `chdb`, or one by URL.

A `clickhouse` on PATH is not started, because nothing would set up its users, limits and row policies. Our
HTTP server has its own, and the operator of a server by URL sets them up there.
"""

import sys
from functools import partial
from importlib.metadata import version

import httpx

from common.settings import ROOT, Settings
from local.parts.part import NotReady, Part, Resolution, send
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

NICE = 1
"""Niceness of ClickHouse: little behind the API and the commerce services. With 5, every figure was a quarter
later and a backlog took a third longer than with 0, because a batch of facts passes its views one after
another (docs/decisions/pipeline-speed.md)."""

SECRETS = (
    "clickhouse_admin_password",
    "clickhouse_analyst_password",
    "clickhouse_reader_password",
    "clickhouse_serving_password",
)
"""The passwords that the process needs: those of its users."""


def part(settings: Settings) -> Part:
    """Return ClickHouse as configured by these settings."""
    ready = partial(check, settings)
    if settings.clickhouse_url:
        return Part("clickhouse", Resolution("url", "", settings.clickhouse), settings.clickhouse, ready)
    return Part(
        "clickhouse",
        Resolution("bundled", version("chdb-core"), "local.embedded_clickhouse"),
        settings.clickhouse,
        ready,
        LaunchSpec(
            [sys.executable, "-m", "local.embedded_clickhouse"],
            ROOT,
            settings_environment(settings, SECRETS),
            nice=NICE,
        ),
        ports={"clickhouse": settings.port("clickhouse")},
    )


def check(settings: Settings) -> None:
    """Run a query over HTTP as the administrator.

    Raises:
        NotReady: the query fails or times out.
    """
    user = settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()
    try:
        answer = send("POST", settings.clickhouse, content="SELECT 1", auth=user)
    except httpx.HTTPError as error:
        raise NotReady(f"clickhouse: {error}") from error
    if answer.status_code != 200 or answer.text.strip() != "1":
        raise NotReady(f"clickhouse answers {answer.status_code}: {answer.text.strip()[:200]}")
