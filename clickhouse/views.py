"""Installs every query of `queries/` as a parameterised view, so that any client can run the API's queries.

`queries/seller_sales.sql` with `{seller_id:String}` becomes `q_seller_sales(seller_id = '...')`.
"""

from hashlib import sha256
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.literals import quoted
from clickhouse.query_files import FOLDER, load_queries
from common.errors import SoukError

PREFIX = "q_"
"""Prefix of the views' names, by which the HTTP server allows readers to call them."""


class BrokenQuery(SoukError):
    """ClickHouse can't create a view from a file of `queries/`; the message names the file."""


def install(client: Client, folder: Path = FOLDER) -> list[str]:
    """Create or replace changed views, drop the views whose file is gone, and return the names of both.

    A view's comment consists of the first line of its query, which describes the result, and of the query's
    version.

    Raises:
        BrokenQuery: ClickHouse refuses a query as a view.
    """
    query_views = (
        "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name LIKE 'q\\_%'"
    )
    installed: dict[str, str] = {row[0]: row[1] for row in client.query(query_views).result_rows}
    changed = []
    for stem, text in load_queries(folder).items():
        file, name, query = f"{stem}.sql", PREFIX + stem, text.strip().rstrip(";")
        comment = _comment(file, query)
        if installed.pop(name, None) != comment:
            try:
                client.command(f"CREATE OR REPLACE VIEW `{name}` AS\n{query}\nCOMMENT {quoted(comment)}")
            except DatabaseError as error:
                reason = " ".join(str(error).split())
                raise BrokenQuery(f"queries/{file} can't be a view: {reason}") from error
            changed.append(name)
    for name in installed:
        client.command(f"DROP VIEW IF EXISTS `{name}`")
        changed.append(name)
    return changed


def _comment(file: str, query: str) -> str:
    """Return a view's comment; by the version in it, `install` detects that the query has changed."""
    first = query.partition("\n")[0]
    description = first.removeprefix("--").strip() if first.startswith("--") else ""
    return f"{description} (queries/{file}, version {sha256(query.encode()).hexdigest()[:8]})".strip()
