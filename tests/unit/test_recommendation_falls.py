"""What counts as the newest day and as usual, for the alerts about clicks and coverage."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.recommendations.health import DayHealth, click_rates, coverages
from serving.web.admin.recommendation_health import HEIGHT, WIDTH, line_chart

USUAL = [DayHealth(2_000, 100 + number, 0.4 + number / 100) for number in range(9)]
"""Nine days with a click rate of 5 % and more."""

NOTHING = DayHealth(0, 0, None)


def test_today_counts_as_soon_as_it_would_usually_have_a_hundred_clicks() -> None:
    found = click_rates(USUAL, DayHealth(2_000, 60, None))
    assert found.newest == 0.03
    assert found.usual == pytest.approx(104 / 2_000)
    early = click_rates(USUAL, DayHealth(300, 0, None))
    assert early.newest == USUAL[-1].click_rate, "while today has too few lists, yesterday counts"
    assert early.usual == pytest.approx((103 + 104) / 2 / 2_000)


@pytest.mark.parametrize("before", [[], USUAL[:6], [NOTHING] * 28, [DayHealth(50, 5, 0.1)] * 28])
def test_without_a_week_of_lists_nothing_is_usual(before: list[DayHealth]) -> None:
    assert isnan(click_rates(before, DayHealth(5_000, 0, None)).usual)
    assert isnan(coverages(before).newest)


def test_one_bad_day_does_not_change_what_is_usual() -> None:
    spoilt = [*USUAL[:4], DayHealth(2_000, 0, 0.0), *USUAL[4:]]
    assert click_rates(spoilt, DayHealth(2_000, 0, None)).usual > 0.05


def test_coverage_of_a_day_is_compared_with_days_of_about_as_many_lists() -> None:
    assert coverages([*USUAL, DayHealth(2_000, 100, 0.1)]).newest == 0.1
    assert isnan(coverages([*USUAL, DayHealth(900, 45, 0.1)]).newest)
    assert isnan(coverages([*USUAL, NOTHING]).newest)


@given(st.lists(st.none() | st.floats(-1e3, 1e3), max_size=40))
def test_every_figure_is_inside_the_picture_once(values: list[float | None]) -> None:
    chart = line_chart(values)
    places = [tuple(map(float, pair.split(","))) for line in chart.lines for pair in line.split()]
    places += list(chart.dots)
    assert len(places) == sum(value is not None for value in values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert 0 <= chart.zero <= HEIGHT


def test_a_day_without_a_figure_is_a_gap() -> None:
    chart = line_chart([0.1, 0.2, None, 0.4])
    assert (len(chart.lines), len(chart.dots)) == (1, 1)
    assert (chart.lowest, chart.highest) == (0.1, 0.4)
    assert line_chart([None]).highest is None
