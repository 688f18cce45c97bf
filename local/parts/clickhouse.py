"""ClickHouse: facts and aggregates. The engine of the wheel `chdb` behind our front, or a server by URL.

A `clickhouse` on PATH is not started: which users and limits a server has, and who may see whose rows, is the
front's to say here, and the operator's on a real server.
"""

import sys
from functools import partial
from importlib.metadata import version

import httpx

from common.settings import ROOT, Settings
from local.home import settings_environment
from local.parts.part import Found, NotReady, Part
from local.supervision.launch_file import ABREAST, Launch


def part(settings: Settings) -> Part:
    """ClickHouse as these settings say."""
    ready = partial(check, settings)
    if settings.clickhouse_url:
        return Part("clickhouse", Found("url", "", settings.clickhouse), settings.clickhouse, ready)
    return Part(
        "clickhouse",
        Found("bundled", version("chdb-core"), "clickhouse.front"),
        settings.clickhouse,
        ready,
        Launch(
            [sys.executable, "-m", "clickhouse.front"], ROOT, settings_environment(settings), session=ABREAST
        ),
        ports={"clickhouse": settings.port("clickhouse")},
    )


def check(settings: Settings) -> None:
    """A query over HTTP, as the admin.

    Raises:
        NotReady: it is refused or not answered.
    """
    user = settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()
    try:
        answer = httpx.post(settings.clickhouse, content="SELECT 1", auth=user, timeout=3, trust_env=False)
    except httpx.HTTPError as error:
        raise NotReady(f"clickhouse: {error}") from error
    if answer.status_code != 200 or answer.text.strip() != "1":
        raise NotReady(f"clickhouse answers {answer.status_code}: {answer.text.strip()[:200]}")
