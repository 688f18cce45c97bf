"""Makes the value of a metric from the sums of its measures, exactly. Pure."""

from collections.abc import Mapping

from clickhouse.metric_catalogue.definition import Metric
from common.money import divide_half_up

SCALE = 10_000
"""A share or a number has four decimals."""

Value = int | float | None


def value_of(metric: Metric, sums: Mapping[str, int]) -> Value:
    """Return the value of a metric: an integer of money or a count, or a number with four decimals.

    `sums` has each measure of the metric. The value of a ratio is None if its denominator is not above 0.
    Money is rounded half up, and so are the decimals of a number.
    """
    numerator = add_up(metric.numerator, sums)
    if not metric.denominator:
        return numerator
    denominator = add_up(metric.denominator, sums)
    if denominator <= 0:
        return None
    if metric.unit == "money":
        return divide_half_up(numerator, denominator)
    return divide_half_up(numerator * SCALE, denominator) / SCALE


def add_up(terms: tuple[str, ...], sums: Mapping[str, int]) -> int:
    """Return the sum of the terms of a metric."""
    return sum(-sums[term[1:]] if term.startswith("-") else sums[term] for term in terms)
