"""Who comes when, and what is made of the answers they got."""

import os
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bench.answers import before_all_others
from bench.asked import KINDS, LIST, ORDER, ORDERS, RATES, RECOMMENDATIONS, SALES, Seen, arrivals, line
from bench.host import LITTLE, SOON_S, CpuTime, Host, Span
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
        seen.answered(SALES, seen.asked(SALES), milliseconds / 1000)
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


def test_answers_asked_for_in_calm_spans_are_told_apart() -> None:
    seen = Seen()
    # A span with something held back, and the ones before and after it, do not count.
    spans = (
        (10, Span(0.0, 0.0)),
        (20, Span(0.005, 0.0)),
        (900, Span(0.02, 0.0)),
        (30, Span(0.0, 0.001)),
        (40, Span(LITTLE, SOON_S)),
        (50, Span(0.0, 0.0)),
        (800, Span(0.0, SOON_S + 0.001)),
    )
    for milliseconds, held_back in spans:
        span = seen.asked(ORDERS)
        seen.ended(held_back)
        seen.answered(ORDERS, span, milliseconds / 1000)
    seen.answered(ORDERS, seen.asked(ORDERS), 0.5)  # in a span that has not ended

    found = seen.figures()[ORDERS]

    assert found.answered is not None
    assert (found.answered.count, found.answered.max_ms) == (8, 900.0)
    assert found.calm is not None
    assert (found.calm.count, found.calm.p50_ms, found.calm.max_ms) == (2, 25.0, 40.0)
    assert seen.host() == Host(stolen=0.005, spans=7, taken_from=1, held_up=1, calm=2)


@pytest.mark.parametrize("held_back", [Span(0.5, 0.0), Span(0.0, 0.5)])
def test_where_no_span_was_calm_no_answer_is_left(held_back: Span) -> None:
    seen = Seen()
    span = seen.asked(ORDERS)
    seen.ended(held_back)
    seen.answered(ORDERS, span, 0.01)

    assert seen.figures()[ORDERS].calm is None
    assert seen.host().calm == 0


def test_a_line_tells_of_times_and_errors() -> None:
    seen = Seen()
    seen.answered(RECOMMENDATIONS, 0, 0.004)
    seen.failed(SALES, "HTTP 500")
    seen.failed(ORDERS, "HTTP 503")

    told = "3 min, p50 and p99: recommendations 4 and 4 ms; errors: 2"
    assert line(3, seen.figures(), seen.host()) == told
    seen.ended(Span(0.031, 0.0))
    assert line(3, seen.figures(), seen.host()) == f"{told}; the host took 3.1% of the cores"
    nothing = Seen()
    assert line(1, nothing.figures(), nothing.host()) == "1 min, p50 and p99: no answers; errors: 0"


def test_what_the_host_took_is_a_share_of_all_time_between_two_looks() -> None:
    assert CpuTime(140.0, 12.0).stolen_since(CpuTime(100.0, 10.0)) == 0.05
    assert CpuTime(100.0, 10.0).stolen_since(CpuTime(100.0, 10.0)) == 0.0


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux tells of it there")
def test_time_is_that_of_all_cores_as_the_kernel_tells_it() -> None:
    first, *_ = Path("/proc/stat").read_text("ascii").splitlines()
    ticks = [int(each) for each in first.split()[1:]]
    tick_s = 1 / os.sysconf("SC_CLK_TCK")

    found = CpuTime.now()

    cores = os.cpu_count() or 1
    assert found.all_s == pytest.approx(sum(ticks[:8]) * tick_s, abs=10 * cores)
    assert found.stolen_s == pytest.approx(ticks[7] * tick_s, abs=10 * cores)


def test_who_does_not_want_real_time_stays_in_line() -> None:
    with before_all_others(Settings(real_time=False)) as first:
        assert first is False
