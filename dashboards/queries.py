"""Loads the dashboards' queries and fills in their parameters for Grafana's ClickHouse plugin.

A panel uses the API's queries through their views: `FROM q_sellers(...)` runs the query of
`clickhouse/queries/sellers.sql`, so that panels and pages show the same figures.
"""

from collections.abc import Iterable
from pathlib import Path

from common.settings import Settings
from dashboards.parameters import VARIABLES, fill, literal, shop_values, times

FOLDER = Path(__file__).parent / "queries"


class PanelQueries:
    """The queries in `dashboards/queries/`, with the values of one shop's settings."""

    def __init__(self, settings: Settings) -> None:
        self._values = {**times(settings.shop_timezone), **VARIABLES, **shop_values(settings)}

    def sql(self, name: str) -> str:
        """Return the SQL of `queries/<name>.sql`, such as `marketplace/sales`, without its comments.

        Raises:
            UnknownParameter: a parameter is missing in `dashboards/parameters.py`.
        """
        return fill(_text(name), name, self._values)

    def filled(self, query: str, name: str) -> str:
        """Return a query that was written for a panel, with its parameters filled in.

        Raises:
            UnknownParameter: a parameter is missing in `dashboards/parameters.py`.
        """
        return fill(query, name, self._values)

    def union_over(self, name: str, events: Iterable[str]) -> str:
        """Return the union of the query over the tables of the events, ordered by `time`.

        The query names the table as `{event_table:Identifier}` and the event as `{event:String}`.
        """
        parts = (
            fill(_text(name), name, {**self._values, "event_table": event, "event": literal(event)})
            for event in events
        )
        return "SELECT * FROM (\n" + "\nUNION ALL\n".join(parts) + "\n)\nORDER BY time"


def _text(name: str) -> str:
    lines = (FOLDER / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
