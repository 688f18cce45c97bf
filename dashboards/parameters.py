"""Maps the typed parameters of queries (`{name:Type}`) to Grafana's time range and variables and to settings.

Grafana's ClickHouse plugin replaces the macros (`$__fromTime`). Grafana replaces the variables
(`${grain:singlequote}`). The shop's settings are inserted when the dashboards are built.
"""

import re
from collections.abc import Mapping

from babel.numbers import get_currency_precision

from common.errors import SoukError
from common.settings import Settings

PARAMETER = re.compile(r"\{(\w+):(\w+(?:\([^)]*\))?)\}")

TIMES = {
    "period_start": "$__fromTime",
    "period_end": "$__toTime",
    "previous_start": "$__fromTime - ($__toTime - $__fromTime)",
    "interval_s": "$__interval_s",
}
"""The selected time range as `DateTime`s, and the width of a point in seconds."""

VARIABLES = {
    "grain": "${grain:singlequote}",
    "seller_id": "${seller_id:singlequote}",
}
"""The variables that a user selects at the top of a dashboard."""


class UnknownParameter(SoukError):
    """A query has a parameter without a value; the message names the query and the parameter."""


def shop_values(settings: Settings) -> dict[str, str]:
    """Return the parameters that the settings determine."""
    return {
        "currency": literal(settings.shop_currency),
        "timezone": literal(settings.shop_timezone),
        "minor_units": str(10 ** get_currency_precision(settings.shop_currency)),
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
            reason = f"{name} has the parameter {parameter[1]}, which has no value; these have one: {known}"
            raise UnknownParameter(reason) from None

    return PARAMETER.sub(value, query)
