"""The number of minor units (cents) in one unit of each currency, for the views."""

from clickhouse.literals import quoted
from common import money


def minor_units() -> str:
    """Return an expression: the number of minor units in one unit of the column `currency`."""
    units = {code: money.minor_units(code) for code in sorted(money.MINOR_DIGITS)}
    codes, numbers = ", ".join(map(quoted, units)), ", ".join(map(str, units.values()))
    return f"transform(currency, [{codes}], [{numbers}], {10**money.USUAL_DIGITS})"
