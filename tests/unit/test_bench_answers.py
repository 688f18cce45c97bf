"""Who comes when, and what is made of the answers they got."""

from itertools import pairwise
from random import Random

import pytest

from bench.answers import before_all_others
from bench.asked import KINDS, LIST, ORDER, ORDERS, RATES, RECOMMENDATIONS, SALES, Seen, arrivals, line
from common.settings import Settings


def test_as_many_come_as_the_rate_says_at_times_of_their_own() -> None:
    times = list(arrivals(4.0, 10_000.0, Random(1)))

    assert len(times) == pytest.approx(40_000, rel=0.02)
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 10_000


def test_pauses_between_them_have_no_memory() -> None:
    times = list(arrivals(4.0, 10_000.0, Random(2)))
    pauses = [after - before for before, after in pairwise(times)]

    mean = sum(pauses) / len(pauses)
    deviation = (sum((pause - mean) ** 2 for pause in pauses) / len(pauses)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.03)
    assert sum(pause > 2 * mean for pause in pauses) / len(pauses) == pytest.approx(0.135, abs=0.01)


def test_the_same_seed_gives_the_same_times() -> None:
    assert list(arrivals(1.5, 60.0, Random("a"))) == list(arrivals(1.5, 60.0, Random("a")))
    assert list(arrivals(1.5, 60.0, Random("a"))) != list(arrivals(1.5, 60.0, Random("b")))


def test_every_kind_comes_by_itself_or_after_another() -> None:
    assert {*RATES, ORDER, LIST} == set(KINDS)


def test_figures_are_of_the_answers_as_expected_and_errors_stand_beside_them() -> None:
    seen = Seen()
    for milliseconds in range(1, 101):
        seen.asked(SALES)
        seen.answered(SALES, milliseconds / 1000)
    for why in ("HTTP 500", "HTTP 500", "no answer in 30 s"):
        seen.asked(SALES)
        seen.failed(SALES, why)
    seen.asked(SALES)

    found = seen.figures()[SALES]

    assert found.answered is not None
    assert found.answered.count == 100
    assert found.answered.p50_ms == pytest.approx(50.5)
    assert found.answered.p95_ms == pytest.approx(95, abs=0.1)
    assert found.answered.p99_ms == pytest.approx(99, abs=0.1)
    assert found.answered.max_ms == 100.0
    assert found.share_above_50_ms == 0.5
    assert found.errors == {"HTTP 500": 2, "no answer in 30 s": 1}
    assert found.under_way == 1


def test_a_kind_that_nobody_asked_for_has_no_times() -> None:
    seen = Seen()
    assert not seen
    seen.asked(ORDERS)
    seen.failed(ORDERS, "HTTP 503")

    figures = seen.figures()

    assert seen
    assert [each.answered for each in figures.values()] == [None] * len(KINDS)
    assert figures[ORDERS].errors == {"HTTP 503": 1}
    assert figures[ORDER].errors == {}


def test_a_line_tells_of_times_and_errors() -> None:
    seen = Seen()
    seen.answered(RECOMMENDATIONS, 0.004)
    seen.failed(SALES, "HTTP 500")
    seen.failed(ORDERS, "HTTP 503")

    assert line(3, seen.figures()) == "3 min, p50 and p99: recommendations 4 and 4 ms; errors: 2"
    assert line(1, Seen().figures()) == "1 min, p50 and p99: no answers; errors: 0"


def test_who_does_not_want_real_time_stays_in_line() -> None:
    with before_all_others(Settings(real_time=False)) as first:
        assert first is False
