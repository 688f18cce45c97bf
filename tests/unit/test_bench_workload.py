"""The workload's arrival times, and the figures of the request log."""

import os
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bench.interference import FLUSH_LIMIT_S, STEAL_LIMIT, CpuTime, InterferenceSample, InterferenceSummary
from bench.serving.workload import (
    KINDS,
    LIST,
    ORDER,
    ORDERS,
    RATES,
    RECOMMENDATIONS,
    SALES,
    RequestLog,
    arrivals,
    progress_line,
)


def test_arrivals_have_the_requested_rate_and_increasing_times() -> None:
    times = list(arrivals(4.0, 10_000.0, Random(1)))

    assert len(times) == pytest.approx(40_000, rel=0.02)
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 10_000


def test_pauses_between_arrivals_are_exponentially_distributed() -> None:
    times = list(arrivals(4.0, 10_000.0, Random(2)))
    pauses = [after - before for before, after in pairwise(times)]

    mean = sum(pauses) / len(pauses)
    deviation = (sum((pause - mean) ** 2 for pause in pauses) / len(pauses)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.03)
    assert sum(pause > 2 * mean for pause in pauses) / len(pauses) == pytest.approx(0.135, abs=0.01)


def test_the_same_seed_gives_the_same_times() -> None:
    assert list(arrivals(1.5, 60.0, Random("a"))) == list(arrivals(1.5, 60.0, Random("a")))
    assert list(arrivals(1.5, 60.0, Random("a"))) != list(arrivals(1.5, 60.0, Random("b")))


def test_every_kind_of_request_has_a_rate_or_follows_another() -> None:
    assert {*RATES, ORDER, LIST} == set(KINDS)


def test_figures_count_expected_answers_and_errors_separately() -> None:
    log = RequestLog()
    for milliseconds in range(1, 101):
        log.succeed(SALES, log.start(SALES), milliseconds / 1000)
    for why in ("HTTP 500", "HTTP 500", "no answer in 30 s"):
        log.start(SALES)
        log.fail(SALES, why)
    log.start(SALES)

    found = log.figures()[SALES]

    assert found.answered is not None
    assert found.answered.count == 100
    assert found.answered.p50_ms == pytest.approx(50.5)
    assert found.answered.p95_ms == pytest.approx(95, abs=0.1)
    assert found.answered.p99_ms == pytest.approx(99, abs=0.1)
    assert found.answered.max_ms == 100.0
    assert found.share_above_50_ms == 0.5
    assert found.errors == {"HTTP 500": 2, "no answer in 30 s": 1}
    assert found.under_way == 1


def test_a_kind_without_requests_has_no_times() -> None:
    log = RequestLog()
    assert not log
    log.start(ORDERS)
    log.fail(ORDERS, "HTTP 503")

    figures = log.figures()

    assert log
    assert [each.answered for each in figures.values()] == [None] * len(KINDS)
    assert figures[ORDERS].errors == {"HTTP 503": 1}
    assert figures[ORDER].errors == {}


def test_requests_of_calm_intervals_have_their_own_figures() -> None:
    log = RequestLog()
    # An interval with interference, and its neighbours, are not calm.
    intervals = (
        (10, InterferenceSample(0.0, 0.0)),
        (20, InterferenceSample(0.005, 0.0)),
        (900, InterferenceSample(0.02, 0.0)),
        (30, InterferenceSample(0.0, 0.001)),
        (40, InterferenceSample(STEAL_LIMIT, FLUSH_LIMIT_S)),
        (50, InterferenceSample(0.0, 0.0)),
        (800, InterferenceSample(0.0, FLUSH_LIMIT_S + 0.001)),
    )
    for milliseconds, interference in intervals:
        span = log.start(ORDERS)
        log.end_interval(interference)
        log.succeed(ORDERS, span, milliseconds / 1000)
    log.succeed(ORDERS, log.start(ORDERS), 0.5)  # in an interval that has not ended

    found = log.figures()[ORDERS]

    assert found.answered is not None
    assert (found.answered.count, found.answered.max_ms) == (8, 900.0)
    assert found.calm is not None
    assert (found.calm.count, found.calm.p50_ms, found.calm.max_ms) == (2, 25.0, 40.0)
    assert log.interference() == InterferenceSummary(
        stolen=0.005, intervals=7, with_steal=1, with_slow_flush=1, calm=2
    )


@pytest.mark.parametrize("interference", [InterferenceSample(0.5, 0.0), InterferenceSample(0.0, 0.5)])
def test_without_calm_intervals_there_are_no_calm_answers(interference: InterferenceSample) -> None:
    log = RequestLog()
    span = log.start(ORDERS)
    log.end_interval(interference)
    log.succeed(ORDERS, span, 0.01)

    assert log.figures()[ORDERS].calm is None
    assert log.interference().calm == 0


def test_a_progress_line_has_times_and_errors() -> None:
    log = RequestLog()
    log.succeed(RECOMMENDATIONS, 0, 0.004)
    log.fail(SALES, "HTTP 500")
    log.fail(ORDERS, "HTTP 503")

    expected = "3 min, p50 and p99: recommendations 4 and 4 ms; errors: 2"
    assert progress_line(3, log.figures(), log.interference()) == expected
    log.end_interval(InterferenceSample(0.031, 0.0))
    assert (
        progress_line(3, log.figures(), log.interference()) == f"{expected}; the host took 3.1% of the cores"
    )
    nothing = RequestLog()
    assert (
        progress_line(1, nothing.figures(), nothing.interference())
        == "1 min, p50 and p99: no answers; errors: 0"
    )


def test_stolen_time_is_a_share_of_all_time_between_two_samples() -> None:
    assert CpuTime(140.0, 12.0).stolen_since(CpuTime(100.0, 10.0)) == 0.05
    assert CpuTime(100.0, 10.0).stolen_since(CpuTime(100.0, 10.0)) == 0.0


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs /proc/stat of Linux")
def test_cpu_time_is_that_of_all_cores_in_the_kernels_statistics() -> None:
    first, *_ = Path("/proc/stat").read_text("ascii").splitlines()
    ticks = [int(each) for each in first.split()[1:]]
    tick_s = 1 / os.sysconf("SC_CLK_TCK")

    found = CpuTime.now()

    cores = os.cpu_count() or 1
    assert found.all_s == pytest.approx(sum(ticks[:8]) * tick_s, abs=10 * cores)
    assert found.stolen_s == pytest.approx(ticks[7] * tick_s, abs=10 * cores)
