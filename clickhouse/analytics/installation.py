"""Creates the views for analysts in a database of their own."""

from collections.abc import Mapping

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.analytics.catalogue import AnalyticsView
from clickhouse.databases import analytics_database
from clickhouse.literals import quoted
from common import money
from common.errors import SoukError


def minor_units() -> str:
    """Return an expression: the number of minor units in one unit of the column `currency`."""
    units = {code: money.minor_units(code) for code in sorted(money.MINOR_DIGITS)}
    codes, numbers = ", ".join(map(quoted, units)), ", ".join(map(str, units.values()))
    return f"transform(currency, [{codes}], [{numbers}], {10**money.USUAL_DIGITS})"


class BrokenView(SoukError):
    """ClickHouse can't create a view for analysts; the message names its folder."""


def install(client: Client, views: Mapping[str, AnalyticsView]) -> list[str]:
    """Create the database and its views, replace changed ones, and drop the views whose folder is gone.

    Returns:
        The names of the views that were created, replaced or dropped.

    Raises:
        BrokenView: ClickHouse refuses a view.
    """
    facts = client.database or ""
    database = analytics_database(facts)
    client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    found = client.query(
        "SELECT name, comment FROM system.tables WHERE database = {database:String} AND engine = 'View'",
        {"database": database},
    ).result_rows
    installed: dict[str, str] = {row[0]: row[1] for row in found}
    changed = []
    for name, view in views.items():
        statement = view.statement(f"`{database}`.`{name}`", f"`{facts}`", minor_units())
        comment = installed.pop(name, None)
        if comment is None or not statement.endswith(_version(comment)):
            try:
                client.command(statement)
            except DatabaseError as error:
                reason = " ".join(str(error).split())
                raise BrokenView(f"analytics/{name}/view.sql can't be a view: {reason}") from error
            changed.append(name)
    for name in installed:
        client.command(f"DROP VIEW IF EXISTS `{database}`.`{name}`")
        changed.append(name)
    return changed


def _version(comment: str) -> str:
    """Return the end of a statement that creates a view with this comment."""
    return f"{comment[comment.rfind('(version ') :]}'"
