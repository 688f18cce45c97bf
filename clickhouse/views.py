"""Installs every query of `queries/` as a parameterised view, so that any client can ask what the API asks.

`queries/seller_sales.sql` with `{seller_id:String}` becomes `q_seller_sales(seller_id = '...')`.
"""

from hashlib import sha256
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.literals import quoted
from common.errors import SoukError

FOLDER = Path(__file__).parent / "queries"

PREFIX = "q_"
"""The names of views begin with it. Readers may call `q_*` beside a few harmless table functions."""


class BrokenQuery(SoukError):
    """A file of `queries/` that ClickHouse can't make a view of; the message names it."""


def install(client: Client, folder: Path = FOLDER) -> list[str]:
    """Create or replace views whose query has changed, drop those whose file is gone; return their names.

    A view's comment says what the view answers (the first line of its query), and the query's version.

    Raises:
        BrokenQuery: ClickHouse refuses a query as a view.
    """
    asked = "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name LIKE 'q\\_%'"
    installed: dict[str, str] = {row[0]: row[1] for row in client.query(asked).result_rows}
    changed = []
    for path in sorted(folder.glob("*.sql")):
        name, query = PREFIX + path.stem, path.read_text().strip().rstrip(";")
        comment = _comment(path.name, query)
        if installed.pop(name, None) != comment:
            try:
                client.command(f"CREATE OR REPLACE VIEW `{name}` AS\n{query}\nCOMMENT {quoted(comment)}")
            except DatabaseError as error:
                reason = " ".join(str(error).split())
                raise BrokenQuery(f"queries/{path.name} can't be a view: {reason}") from error
            changed.append(name)
    for name in installed:
        client.command(f"DROP VIEW IF EXISTS `{name}`")
        changed.append(name)
    return changed


def _comment(file: str, query: str) -> str:
    """What a view answers, and its query's version, which tells `install` that the query has changed."""
    first = query.partition("\n")[0]
    answers = first.removeprefix("--").strip() if first.startswith("--") else ""
    return f"{answers} (queries/{file}, version {sha256(query.encode()).hexdigest()[:8]})".strip()
