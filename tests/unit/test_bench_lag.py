"""The lag benchmark recognises its own order among those of others."""

from bench.figures.lag import includes

BEFORE = {"orders": 4, "gross_minor": 1000}


def test_figures_that_have_not_changed_do_not_include_the_order():
    assert not includes(BEFORE, BEFORE, 250)


def test_figures_include_the_order_once_they_have_its_amount():
    assert includes(BEFORE, {"orders": 5, "gross_minor": 1250}, 250)


def test_an_order_with_another_amount_is_somebody_elses():
    assert not includes(BEFORE, {"orders": 5, "gross_minor": 1900}, 250)


def test_the_order_is_found_beside_somebody_elses():
    assert includes(BEFORE, {"orders": 6, "gross_minor": 2150}, 250)
