"""What `/ready` of a process that works with ClickHouse checks."""

from collections.abc import Mapping
from functools import partial

import httpx

from clickhouse.migration_state import NEWEST_APPLIED, check_migrations
from common.readiness import MIGRATIONS, TIMEOUT_S, Check, NotReady
from common.settings import Settings


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return the checks that ClickHouse answers and has the tables of this version."""
    # Plain HTTP: a client of `clickhouse_connect` sends many queries when it connects.
    http = httpx.Client(
        base_url=settings.clickhouse,
        auth=(settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()),
        timeout=TIMEOUT_S,
        trust_env=False,
    )
    return {
        "clickhouse": partial(_require_answer, http, settings.clickhouse),
        MIGRATIONS: partial(_check_migrations, http, settings.clickhouse_database),
    }


def _require_answer(http: httpx.Client, url: str) -> None:
    try:
        answer = http.post("/", content="SELECT 1")
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise NotReady(f"ClickHouse at {url} does not answer ({reason})") from error
    if not answer.is_success:
        raise NotReady(f"ClickHouse at {url} refuses the administrator: {_first_line(answer)}")


def _check_migrations(http: httpx.Client, database: str) -> str | None:
    """Return a note if the tables are newer; None also while ClickHouse does not answer."""
    try:
        answer = http.post("/", params={"database": database}, content=NEWEST_APPLIED)
    except httpx.HTTPError:
        return None
    if not answer.is_success:
        raise NotReady(f"ClickHouse has no tables yet: run ./souk up ({_first_line(answer)})")
    return check_migrations(int(answer.text))


def _first_line(answer: httpx.Response) -> str:
    return next(iter(answer.text.splitlines()), "")[:200]
