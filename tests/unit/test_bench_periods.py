"""The periods benchmark: the periods that it requests, and the comparison of sums."""

from datetime import date
from random import Random

from bench.figures.periods import DAYS, questions
from bench.year_of_orders import BEGIN, LENGTH, differences, seller_id


def test_every_period_and_the_ninety_days_before_it_are_within_the_year():
    random = Random(7)
    assert len(questions()) > 1
    for question in questions():
        for _ in range(50):
            requested, _ = question.draw(random)
            first, last = (date.fromisoformat(text or "") for text in (requested.start, requested.end))
            assert BEGIN.date() <= first < last <= (BEGIN + LENGTH).date()
            assert last - first == LENGTH or (first - BEGIN.date()).days > DAYS


def test_ids_of_sellers_have_the_length_of_those_in_the_facts():
    assert seller_id(0) == "seller-0000"
    assert seller_id(2999) == "seller-2999"


def test_equal_sums_have_no_differences():
    assert (
        differences({"facts": {"lines": 2, "units": 3}, "days": {"lines": 2}, "minutes": {"units": 3}}) == []
    )


def test_a_sum_that_differs_by_a_cent_is_described():
    found = differences({"facts": {"gross_minor": 1000}, "hours": {"gross_minor": 999}})

    assert found == ["gross_minor: 999 in hours, but 1,000 in facts"]


def test_a_figure_that_the_facts_lack_is_compared_with_the_first_table_that_has_it():
    found = differences({"facts": {"lines": 2}, "hours": {"orders": 5}, "days": {"orders": 6}})

    assert found == ["orders: 6 in days, but 5 in hours"]
