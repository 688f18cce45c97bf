"""The click rate and the coverage of the newest day beside the usual ones. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import median

MIN_DAYS = 7
"""With fewer earlier days, nothing is usual yet."""

MIN_LISTS = 100
"""A day with fewer lists says nothing about what is usual."""

MIN_EXPECTED_CLICKS = 100
"""A day counts as the newest once it has lists that usually get so many clicks. Then 30 % fewer clicks
are three standard deviations of their number (Poisson)."""

COMPARABLE_LISTS = 0.7
"""Coverage is compared only with at least this share of the usual lists: fewer lists show fewer products."""


@dataclass(frozen=True, slots=True)
class DayHealth:
    """The lists that came into view on a day, those that were clicked, and the share of products shown."""

    lists: int
    clicked: int
    coverage: float | None

    @property
    def click_rate(self) -> float:
        """Clicked lists per list."""
        return self.clicked / self.lists


@dataclass(frozen=True, slots=True)
class NewestAndUsual:
    """A figure of the newest day, and the median of the days before; NaN if they can't be compared."""

    newest: float = nan
    usual: float = nan


def click_rates(before: Sequence[DayHealth], today: DayHealth) -> NewestAndUsual:
    """Return the click rate of today, or of yesterday while today has too few lists.

    `before` are the days before today, the oldest first.
    """
    for newest, earlier in ((today, before), (before[-1], before[:-1])) if before else ():
        rates = [day.click_rate for day in earlier if day.lists >= MIN_LISTS]
        if len(rates) >= MIN_DAYS and newest.lists * median(rates) >= MIN_EXPECTED_CLICKS:
            return NewestAndUsual(newest.click_rate, median(rates))
    return NewestAndUsual()


def coverages(before: Sequence[DayHealth]) -> NewestAndUsual:
    """Return the coverage of the newest of these whole days, which are in order, the oldest first."""
    *earlier, newest = before or (DayHealth(0, 0, None),)
    usual = [day for day in earlier if day.lists >= MIN_LISTS]
    known = [day.coverage for day in usual if day.coverage is not None]
    if len(known) < MIN_DAYS or newest.coverage is None:
        return NewestAndUsual()
    if newest.lists < COMPARABLE_LISTS * median(day.lists for day in usual):
        return NewestAndUsual()
    return NewestAndUsual(newest.coverage, median(known))
