"""Collects what happened in each month of a seller, and computes the metrics in the plainest way."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import Metric

Value = int | float | None

_QUARTER_HOUR_MS = 900_000
_MS_PER_HOUR = 3_600_000


@dataclass
class MonthFigures:
    """The measures of one month: sums, different things that are counted, and values of quantiles."""

    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    counted: dict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: "MonthFigures") -> None:
        """Add the figures of another seller: what both have counted counts once."""
        for name, value in other.sums.items():
            self.sums[name] += value
        for name, things in other.counted.items():
            self.counted[name] |= things
        for name, values in other.values.items():
            self.values[name] += values

    def value_of(self, metric: Metric) -> Value:
        """Return the value of a metric; None for a ratio or a quantile of nothing."""
        if metric.quantile:
            values = sorted(self.values[metric.quantile.measure])
            chosen = values[len(values) * metric.quantile.percent // 100] if values else None
            return _hours(chosen) if metric.unit == "hours" else chosen
        numerator = self._add_up(metric.numerator)
        if covered := metric.covered:
            covers_nothing = not self._add_up(covered.numerator) and self._add_up(covered.denominator)
            return None if covers_nothing else numerator
        if not metric.denominator:
            return numerator
        denominator = self._add_up(metric.denominator)
        if over := metric.relative_to:
            numerator *= self._add_up(over.denominator)
            denominator *= self._add_up(over.numerator)
        return (
            _quotient(numerator, denominator) if metric.unit == "money" else _decimals(numerator, denominator)
        )

    def _add_up(self, terms: tuple[str, ...]) -> int:
        return sum(
            -self._measure(term[1:]) if term.startswith("-") else self._measure(term) for term in terms
        )

    def _measure(self, name: str) -> int:
        return len(self.counted[name]) if name in self.counted else self.sums[name]


class SellerMonths:
    """The months of all sellers in the shop's time zone, by source of the catalogue."""

    def __init__(self, zone: ZoneInfo, until_ms: int = 0) -> None:
        """`until_ms` is the end of the last month, or now if that is earlier (Unix milliseconds)."""
        self._zone = zone
        self._until_ms = until_ms
        self._months: dict[tuple[str, str], dict[str, MonthFigures]] = defaultdict(
            lambda: defaultdict(MonthFigures)
        )
        self._day = lru_cache(maxsize=None)(self._day_of_quarter_hour)
        self._name = lru_cache(maxsize=None)(self._month_of_quarter_hour)

    def of_source(self, source: str) -> "SourceMonths":
        """Return the months of one source."""
        return SourceMonths(self, source)

    def at(self, source: str, seller_id: str, moment_ms: int) -> MonthFigures:
        """Return the figures of a source in the month of a seller that contains a moment."""
        return self._months[seller_id, self._name(moment_ms // _QUARTER_HOUR_MS)][source]

    def month_ends(self, moment_ms: int) -> Iterator[int]:
        """Yield the end of the month that contains a moment, and of the months after it: the last one ends
        at `until_ms`."""
        while moment_ms < self._until_ms:
            after = self.day(moment_ms).replace(day=28) + timedelta(days=4)
            next_month = datetime.combine(after.replace(day=1), time.min, self._zone)
            moment_ms = min(int(next_month.timestamp() * 1000), self._until_ms)
            yield moment_ms

    def day(self, moment_ms: int) -> date:
        """Return the day of the shop that contains a moment."""
        return self._day(moment_ms // _QUARTER_HOUR_MS)

    def together(self, seller_id: str) -> "SellerMonths":
        """Return the months of all sellers together, as those of one seller with this id."""
        merged = SellerMonths(self._zone)
        for (_, month), sources in self._months.items():
            for source, figures in sources.items():
                merged._months[seller_id, month][source].add(figures)
        return merged

    def values(self, metrics: Mapping[str, Metric]) -> Iterator[tuple[str, str, dict[str, Value]]]:
        """Yield seller, month and the value of each metric, for months in which one of them is not 0."""
        nothing = {name: MonthFigures().value_of(metric) for name, metric in metrics.items()}
        of_source: dict[str, dict[str, Metric]] = defaultdict(dict)
        for name, metric in metrics.items():
            of_source[metric.source.name][name] = metric
        for (seller_id, month), sources in self._months.items():
            values = dict(nothing)
            for source, figures in sources.items():
                values |= {name: figures.value_of(metric) for name, metric in of_source[source].items()}
            if any(values.values()):
                yield seller_id, month, values

    def _month_of_quarter_hour(self, quarter_hour: int) -> str:
        return f"{self._day(quarter_hour):%Y-%m}"

    def _day_of_quarter_hour(self, quarter_hour: int) -> date:
        return datetime.fromtimestamp(quarter_hour * _QUARTER_HOUR_MS / 1000, self._zone).date()


@dataclass(frozen=True)
class SourceMonths:
    """The months of one source. Moments are Unix milliseconds."""

    _months: SellerMonths
    _source: str

    def at(self, seller_id: str, moment_ms: int) -> MonthFigures:
        """Return the figures of the month of a seller that contains a moment."""
        return self._months.at(self._source, seller_id, moment_ms)

    def month_ends(self, moment_ms: int) -> Iterator[int]:
        """Yield the end of the month that contains a moment, and of each month after it."""
        return self._months.month_ends(moment_ms)

    def day(self, moment_ms: int) -> date:
        """Return the day of the shop that contains a moment."""
        return self._months.day(moment_ms)


def _quotient(numerator: int, denominator: int) -> int | None:
    """Return the quotient, rounded half up; None if the denominator is not above 0."""
    return (2 * numerator + denominator) // (2 * denominator) if denominator > 0 else None


def _decimals(numerator: int, denominator: int) -> float | None:
    rounded = _quotient(numerator * 10_000, denominator)
    return None if rounded is None else rounded / 10_000


def _hours(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else _decimals(milliseconds, _MS_PER_HOUR)
