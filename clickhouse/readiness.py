"""What `/ready` of a process that works with ClickHouse checks."""

from collections.abc import Mapping

import httpx

from clickhouse.migration_state import NEWEST_APPLIED, check_migrations
from common.readiness import MIGRATIONS, TIMEOUT_S, Check, NotReady
from common.settings import Settings


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return the checks that ClickHouse answers and has the tables of this version."""
    server = _Server(settings)
    return {"clickhouse": server.require_answer, MIGRATIONS: server.check_migrations}


class _Server:
    """ClickHouse over plain HTTP: a client of `clickhouse_connect` sends many queries when it connects."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.clickhouse
        self._database = settings.clickhouse_database
        self._http = httpx.Client(
            base_url=settings.clickhouse,
            auth=(settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()),
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def require_answer(self) -> None:
        try:
            answer = self._http.post("/", content="SELECT 1")
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise NotReady(f"ClickHouse at {self._url} does not answer ({reason})") from error
        if not answer.is_success:
            raise NotReady(f"ClickHouse at {self._url} refuses the administrator: {_first_line(answer)}")

    def check_migrations(self) -> str | None:
        """Return a note if the tables are newer; None also while ClickHouse does not answer."""
        try:
            answer = self._http.post("/", params={"database": self._database}, content=NEWEST_APPLIED)
        except httpx.HTTPError:
            return None
        if not answer.is_success:
            raise NotReady(f"ClickHouse has no tables yet: run ./souk up ({_first_line(answer)})")
        return check_migrations(int(answer.text))


def _first_line(answer: httpx.Response) -> str:
    return next(iter(answer.text.splitlines()), "")[:200]
