"""Loads the dashboards' queries and writes them as Grafana's ClickHouse plugin runs them.

A query that the API has, too, is asked through its view: `FROM q_seller_sales(...)` is the query of
`clickhouse/queries/seller_sales.sql`, so that a panel and a page can't say two things.
"""

from collections.abc import Iterable
from pathlib import Path

from common.settings import Settings
from dashboards.parameters import TIMES, VARIABLES, fill, literal, of_shop

FOLDER = Path(__file__).parent / "queries"


class Queries:
    """The queries of `queries/`, with the settings of one shop."""

    def __init__(self, settings: Settings) -> None:
        self._values = {**TIMES, **VARIABLES, **of_shop(settings)}

    def one(self, name: str) -> str:
        """The SQL of `queries/<name>.sql`, such as `marketplace/sales`, without its comments.

        Raises:
            UnknownParameter: it has a parameter that `dashboards/parameters.py` does not know.
        """
        return fill(_text(name), name, self._values)

    def over(self, name: str, events: Iterable[str]) -> str:
        """The same query over the table of each event, one after the other, in the order of `time`.

        It names the table as `{event_table:Identifier}` and the event as `{event:String}`.
        """
        parts = (
            fill(_text(name), name, {**self._values, "event_table": event, "event": literal(event)})
            for event in events
        )
        return "SELECT * FROM (\n" + "\nUNION ALL\n".join(parts) + "\n)\nORDER BY time"


def _text(name: str) -> str:
    lines = (FOLDER / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
