"""Installs every query of `queries/` as a view, so that any client can run it, and the views for analysts.

`queries/seller_sales.sql` with `{seller_id:String}` becomes the parameterised view
`q_seller_sales(seller_id = '...')`. The views for analysts are in a database of their own.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.analytics.catalogue import AnalyticsView
from clickhouse.client import one_line
from clickhouse.databases import analytics_database
from clickhouse.literals import quoted
from clickhouse.query_files import FOLDER, load_queries
from common import money
from common.errors import SoukError

PREFIX = "q_"
"""Prefix of the views' names, by which the HTTP server allows readers to call them."""


class BrokenView(SoukError):
    """ClickHouse can't create a view from a file; the message names the file."""


def install_queries(client: Client, folder: Path = FOLDER) -> list[str]:
    """Create or replace changed views of queries, drop those whose file is gone; return the names of both.

    A view's comment consists of the first line of its query, which describes the result, and of the query's
    version.

    Raises:
        BrokenView: ClickHouse refuses a query as a view.
    """
    statements = {}
    for stem, text in load_queries(folder).items():
        query = text.strip().rstrip(";")
        comment = quoted(_comment(f"{stem}.sql", query))
        create = f"CREATE OR REPLACE VIEW `{PREFIX}{stem}` AS\n{query}\nCOMMENT {comment}"
        statements[PREFIX + stem] = (f"queries/{stem}.sql", create)
    return _install(client, client.database or "", PREFIX, statements)


def install_analytics(client: Client, views: Mapping[str, AnalyticsView]) -> list[str]:
    """Create the database and its views, replace changed ones, and drop the views whose folder is gone.

    Returns:
        The names of the views that were created, replaced or dropped.

    Raises:
        BrokenView: ClickHouse refuses a view.
    """
    facts = client.database or ""
    database = analytics_database(facts)
    client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    statements = {
        name: (
            f"analytics/{name}/view.sql",
            view.statement(f"`{database}`.`{name}`", f"`{facts}`", minor_units()),
        )
        for name, view in views.items()
    }
    return _install(client, database, "", statements)


def minor_units() -> str:
    """Return an expression: the number of minor units in one unit of the column `currency`."""
    units = {code: money.minor_units(code) for code in sorted(money.MINOR_DIGITS)}
    codes, numbers = ", ".join(map(quoted, units)), ", ".join(map(str, units.values()))
    return f"transform(currency, [{codes}], [{numbers}], {10**money.USUAL_DIGITS})"


def _install(
    client: Client, database: str, prefix: str, statements: Mapping[str, tuple[str, str]]
) -> list[str]:
    """Run the statement of each view whose comment, with its version, differs; drop views without one.

    `statements` maps the name of a view to its file and its CREATE statement, which ends with the comment.
    """
    found = client.query(
        "SELECT name, comment FROM system.tables "
        "WHERE database = {database:String} AND engine = 'View' AND startsWith(name, {prefix:String})",
        {"database": database, "prefix": prefix},
    ).result_rows
    installed = {name: f"\nCOMMENT {quoted(comment)}" for name, comment in found}
    changed = [
        name
        for name, (_, create) in statements.items()
        if not (comment := installed.pop(name, "")) or not create.endswith(comment)
    ]
    for name in changed:
        file, create = statements[name]
        try:
            client.command(create)
        except DatabaseError as error:
            raise BrokenView(f"{file} can't be a view: {one_line(error)}") from error
    for name in installed:
        client.command(f"DROP VIEW IF EXISTS `{database}`.`{name}`")
    return [*changed, *installed]


def _comment(file: str, query: str) -> str:
    """Return a view's comment; by the version in it, `_install` detects that the query has changed."""
    first = query.partition("\n")[0]
    description = first.removeprefix("--").strip() if first.startswith("--") else ""
    return f"{description} (queries/{file}, version {sha256(query.encode()).hexdigest()[:8]})".strip()
