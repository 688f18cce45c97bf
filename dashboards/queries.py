"""Loads the dashboards' queries and fills in their parameters for Grafana's ClickHouse plugin.

A panel uses the API's queries through their views: `FROM q_sellers(...)` runs the query of
`clickhouse/queries/sellers.sql`, so that panels and pages show the same figures.

The typed parameters of queries (`{name:Type}`) become Grafana's time range and variables, and settings.
Grafana's ClickHouse plugin replaces the macros (`$__fromTime`). Grafana replaces the variables
(`${grain:singlequote}`). The shop's settings are inserted when the dashboards are built.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from common.errors import SoukError
from common.money import minor_units
from common.settings import Settings

PARAMETER = re.compile(r"\{(\w+):(\w+(?:\([^)]*\))?)\}")

START, END = "$__fromTime", "$__toTime"
"""The selected time range, as `DateTime`s."""

TOP = 20
"""The number of values that a panel lists."""

VARIABLES = {
    "grain": "${grain:singlequote}",
    "seller_id": "${seller_id:singlequote}",
    "experiment": "${experiment:singlequote}",
}
"""The variables that a user selects at the top of a dashboard."""


class UnknownParameter(SoukError):
    """A query has a parameter without a value; the message names the query and the parameter."""


def times(timezone: str) -> dict[str, str]:
    """Return the selected time range, the previous period of the API, and the width of a point in seconds.

    The previous period has as many months if the range has whole months only, as many days if it has whole
    days only, and else the same duration. An unfinished range is compared with as much of it as is over.
    """
    zone = literal(timezone)
    has_days = f"toStartOfDay({START}, {zone}) = {START} AND toStartOfDay({END}, {zone}) = {END}"
    has_months = f"toDayOfMonth({START}, {zone}) = 1 AND toDayOfMonth({END}, {zone}) = 1"
    first, last = f"toDate({START}, {zone})", f"toDate({END}, {zone})"
    previous = (
        f"multiIf(NOT ({has_days}), {START} - ({END} - {START}), "
        f"{has_months}, toDateTime(subtractMonths({first}, dateDiff('month', {first}, {last})), {zone}), "
        f"toDateTime(subtractDays({first}, {last} - {first}), {zone}))"
    )
    over = f"greatest(0, now() - {START})"
    return {
        "period_start": START,
        "period_end": END,
        "previous_start": previous,
        "compared_end": f"if({END} <= now(), {START}, least({START}, {previous} + {over}))",
        "interval_s": "$__interval_s",
    }


def shop_values(settings: Settings) -> dict[str, str]:
    """Return the parameters that the settings determine."""
    return {
        "currency": literal(settings.shop_currency),
        "timezone": literal(settings.shop_timezone),
        "minor_units": str(minor_units(settings.shop_currency)),
        "top": str(TOP),
    }


def literal(text: str) -> str:
    """Return a string as a ClickHouse literal: `it's` becomes `'it\\'s'`."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def fill(query: str, name: str, values: Mapping[str, str]) -> str:
    """Replace every `{name:Type}` of a query by its value; an `Identifier` is inserted without quotes.

    Raises:
        UnknownParameter: a parameter has no value.
    """

    def value(parameter: re.Match[str]) -> str:
        try:
            return values[parameter[1]]
        except KeyError:
            known = ", ".join(sorted(values))
            raise UnknownParameter(
                f"{name} has the parameter {parameter[1]}, which has no value; these have one: {known}"
            ) from None

    return PARAMETER.sub(value, query)


FOLDER = Path(__file__).parent / "queries"


class PanelQueries:
    """The queries in `dashboards/queries/`, with the values of one shop's settings."""

    def __init__(self, settings: Settings) -> None:
        self._values = {**times(settings.shop_timezone), **VARIABLES, **shop_values(settings)}

    def sql(self, name: str) -> str:
        """Return the SQL of `queries/<name>.sql`, such as `marketplace/sales`, without its comments.

        Raises:
            UnknownParameter: a parameter is missing in this module.
        """
        return fill(_text(name), name, self._values)

    def filled(self, query: str, name: str) -> str:
        """Return a query that was written for a panel, with its parameters filled in.

        Raises:
            UnknownParameter: a parameter is missing in this module.
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
