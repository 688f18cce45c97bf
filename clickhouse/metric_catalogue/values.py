"""Makes the value of a metric from the columns of a query's result, exactly. Pure."""

from collections.abc import Mapping

from clickhouse.metric_catalogue.definition import Metric
from common.money import divide_half_up

SCALE = 10_000
"""A share, a number, or a number of hours has four decimals."""

MS_PER_HOUR = 3_600_000

Value = int | float | None

Columns = Mapping[str, int | None]
"""Column of a metric → its value: the sum or the count of a measure; None for a quantile of no values."""


def value_of(metric: Metric, columns: Columns) -> Value:
    """Return the value of a metric: an integer of money or a count, or a number with four decimals.

    `columns` has those of the metric. The value of a ratio is None if its denominator is not above 0, that of
    a quantile if there are no values, and that of a sum if it covers nothing. Money is rounded half up, and
    so are decimals of a number.
    """
    if metric.quantile:
        found = columns[metric.quantile.column]
        return None if found is None else _scaled(found, metric)
    numerator = add_up(metric.numerator, columns)
    covered = metric.covered
    if covered and not add_up(covered.numerator, columns) and add_up(covered.denominator, columns):
        return None
    if not metric.denominator:
        return numerator
    denominator = add_up(metric.denominator, columns)
    if over := metric.relative_to:
        numerator *= add_up(over.denominator, columns)
        denominator *= add_up(over.numerator, columns)
    if denominator <= 0:
        return None
    if metric.unit == "money":
        return divide_half_up(numerator, denominator)
    return divide_half_up(numerator * SCALE, denominator) / SCALE


def add_up(terms: tuple[str, ...], columns: Columns) -> int:
    """Return the sum of the terms of a metric."""
    return sum(-(columns[term[1:]] or 0) if term[0] == "-" else columns[term] or 0 for term in terms)


def _scaled(value: int, metric: Metric) -> int | float:
    if metric.unit == "hours":
        return divide_half_up(value * SCALE, MS_PER_HOUR) / SCALE
    return value / SCALE if metric.numerator_unit == "ten_thousandths" else value
