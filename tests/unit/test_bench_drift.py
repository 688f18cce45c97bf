"""The bench of drift: the same seed gives the same weeks, and the figures are those of the lists."""

import pytest

from bench.recommenders.drift import DriftBenchPlan, ShownInWeek, run

PLAN = DriftBenchPlan(seed=3, weeks=2, products=120, shoppers=150, events=9_000, model="item_item")


def test_a_week_has_the_figures_of_its_lists() -> None:
    week = ShownInWeek()
    week.add(1, [0, 1], ["a", "a"])
    week.add(1, [0, 2], ["a", "b"])
    week.views.update({0: 6, 1: 2, 2: 2})
    week.clicked = 1
    found = week.figures(4)
    assert (found.lists, found.click_rate, found.coverage) == (2, 0.5, 0.75)
    assert found.diversity == 0.5
    assert found.largest_category == 0.75
    second = 1 / 1.584962500721156
    shown = 6 * 2 + 2 * second + 2 * second
    assert found.lift == pytest.approx(shown / (2 + 2 * second) / 2.5 - 1)
    amounts = [2.0, second, second, 0.0]
    differences = sum(abs(one - other) for one in amounts for other in amounts)
    assert found.gini == pytest.approx(differences / (2 * 4 * sum(amounts)))


def test_personal_lists_show_more_products_than_popular_ones() -> None:
    weeks = {strategy: run(PLAN, strategy) for strategy in ("live", "popular")}
    assert [len(each) for each in weeks.values()] == [2, 2]
    for personal, popular in zip(weeks["live"], weeks["popular"], strict=True):
        assert personal.lists == popular.lists > 100, "visits are the same, whatever is recommended"
        assert personal.coverage > popular.coverage
        assert personal.gini < popular.gini
    assert run(PLAN, "popular") == weeks["popular"]
