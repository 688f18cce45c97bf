"""What a query's typed parameters (`{name:Type}`) are in Grafana: its time range, its variables, the shop.

This is the one place that says so. Grafana's ClickHouse plugin replaces the macros (`$__fromTime`), Grafana
itself the variables (`${grain:singlequote}`), and what the shop's settings say is written down at the build.
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
"""The time range that the reader chose, as `DateTime`s, and the width of a point in seconds."""

VARIABLES = {
    "grain": "${grain:singlequote}",
    "seller_id": "${seller_id:singlequote}",
}
"""What the reader picks at the top of a dashboard."""


class UnknownParameter(SoukError):
    """A query has a parameter that nothing gives a value; the message names both."""


def of_shop(settings: Settings) -> dict[str, str]:
    """What the settings fix for every panel."""
    return {
        "currency": literal(settings.shop_currency),
        "timezone": literal(settings.shop_timezone),
        "minor_units": str(10 ** get_currency_precision(settings.shop_currency)),
    }


def literal(text: str) -> str:
    """A string as ClickHouse reads it: `it's` becomes `'it\\'s'`."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def fill(query: str, name: str, values: Mapping[str, str]) -> str:
    """The query with every `{name:Type}` replaced by what stands for it; an `Identifier` is given bare.

    Raises:
        UnknownParameter: there is no value for one.
    """

    def value(found: re.Match[str]) -> str:
        try:
            return values[found[1]]
        except KeyError:
            known = ", ".join(sorted(values))
            reason = f"{name} has the parameter {found[1]}, for which there is nothing (only {known})"
            raise UnknownParameter(reason) from None

    return PARAMETER.sub(value, query)
