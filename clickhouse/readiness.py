"""What `/ready` of a process that works with ClickHouse checks."""

from collections.abc import Mapping

from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from clickhouse.client import connect
from clickhouse.migration_state import NEWEST_APPLIED, check_migrations
from common.errors import PartUnavailable
from common.readiness import MIGRATIONS, Check, NotReady
from common.settings import Settings


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return the checks that ClickHouse answers and has the tables of this version."""
    return {"clickhouse": lambda: _require_answer(settings), MIGRATIONS: lambda: _check_migrations(settings)}


def _require_answer(settings: Settings) -> None:
    connect(settings, admin=True).close()


def _check_migrations(settings: Settings) -> str | None:
    """Return a note if the tables are newer; None also while ClickHouse does not answer."""
    try:
        with connect(settings, admin=True) as client:
            [(newest,)] = client.query(NEWEST_APPLIED).result_rows
    except PartUnavailable:
        return None
    except ClickHouseError as error:
        reason = " ".join(str(error).split())
        raise NotReady(f"ClickHouse has no tables yet: run ./souk up ({reason[:200]})") from error
    return check_migrations(newest)
