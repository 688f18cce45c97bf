"""How the cost of tracing is computed and decided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bench.telemetry.load import CheckoutLoad, EventLoad
from bench.telemetry.run import PairedCost, Round, TelemetryBenchResult, compare, order, show
from bench.telemetry.span_collector import span_collector
from bench.telemetry.unit_costs import LogCost, SpanCost, count_lines, log_cost, span_cost
from common.errors import SoukError
from common.settings import Settings
from common.span_recorder import SpanRecorder, make_exporter
from common.tracing import Span, record_span
from local.state_directory import StateDirectory

NONE = PairedCost(0.0, 0.0, 0.0)


def test_the_cost_is_the_mean_ratio_with_students_interval() -> None:
    cost = PairedCost.of([1.02, 1.04, 1.06])

    assert cost.estimate == pytest.approx(0.0399, abs=1e-4)
    assert cost.low == pytest.approx(-0.0086, abs=1e-4)  # exp(mean ± 4.303 · s / √3) - 1 of the logarithms
    assert cost.high == pytest.approx(0.0908, abs=1e-4)


def test_a_loss_is_a_ratio_below_one() -> None:
    lost = PairedCost.lost([0.9, 0.9])

    assert lost.estimate == lost.low == lost.high == pytest.approx(0.1)


def test_more_than_a_twentieth_of_the_checkouts_or_events_is_too_much() -> None:
    result = TelemetryBenchResult(
        NONE, NONE, NONE, NONE, NONE, {}, SpanCost(1.5, 200.0), LogCost(10.0, 20.0), []
    )

    assert result.missed == []
    assert replace(result, checkout_cpu=PairedCost(0.2, 0.1, 0.3)).missed == []
    assert replace(result, checkouts_lost=PairedCost(0.051, 0.0, 0.1)).missed == [
        "tracing costs at most 5% of checkouts a second"
    ]
    assert len(replace(result, events_lost=PairedCost(0.06, 0.05, 0.07)).missed) == 1


@pytest.mark.parametrize(
    ("cost", "verdict"),
    [
        (PairedCost(-0.09, -0.335, 0.05), "every goal was reached"),
        (PairedCost(-0.09, -0.335, 0.11), "not decided"),
        (PairedCost(0.124, -0.443, 0.468), "missed"),
    ],
)
def test_an_interval_that_is_too_wide_decides_nothing(
    cost: PairedCost, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = TelemetryBenchResult(
        cost, NONE, NONE, NONE, NONE, {}, SpanCost(1.5, 200.0), LogCost(10.0, 20.0), []
    )
    show(result, Console(width=200))
    shown = capsys.readouterr().out

    verdicts = ("every goal was reached", "not decided", "missed")
    assert [each for each in verdicts if each in shown] == [verdict]
    assert len(result.undecided) == (verdict == "not decided")


def test_the_collector_counts_the_spans_that_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    with span_collector() as collector:
        recorder = SpanRecorder(make_exporter(Settings(trace_endpoint=collector.endpoint)))
        monkeypatch.setattr("common.tracing._recorder", recorder)
        for number in range(3):
            record_span(Span("orders", f"span {number}", "ab" * 16, "cd" * 8, "", "internal", 1), 2)
        assert recorder._processor.force_flush(10_000)

        assert (collector.take(), collector.take()) == (3, 0)


def test_the_cost_of_a_span_is_that_of_spans_which_arrive(tmp_path: Path) -> None:
    cost = span_cost(300, 200, tmp_path / "log")

    assert cost.spans_per_checkout == 1.5
    assert cost.span_us > 0


BEGUN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def write_log(path: Path, *lines: tuple[int, str]) -> None:
    """Write lines, each with its second after `BEGUN` and its event."""
    path.parent.mkdir(exist_ok=True)
    fields = {"level": "info", "process": "commerce", "pid": 7}
    path.write_bytes(
        b"".join(
            orjson.dumps({"timestamp": BEGUN + timedelta(seconds=second), **fields, "event": event}) + b"\n"
            for second, event in lines
        )
    )


def test_all_lines_about_the_checkouts_of_a_round_are_counted_and_no_others(tmp_path: Path) -> None:
    logs = StateDirectory(tmp_path).logs
    write_log(logs / "commerce.log.2", (-9, "processed"), (1, "request"))
    write_log(logs / "commerce.log.1", (2, "processed"), (3, "stopping"))
    write_log(logs / "commerce.log", (4, "published"))
    write_log(logs / "serving.log", (-9, "request"), (5, "request"))
    write_log(logs / "jobs.log", (-9, "waiting"))

    assert count_lines(Settings(home=tmp_path), BEGUN) == 4


def test_lines_that_the_rotation_has_deleted_are_missed(tmp_path: Path) -> None:
    for part in ("serving", "commerce", "jobs"):
        write_log(StateDirectory(tmp_path).log(part), (0, "request"))

    with pytest.raises(SoukError, match="measure fewer --seconds"):
        count_lines(Settings(home=tmp_path), BEGUN)


def test_the_cost_of_a_line_is_that_of_lines_like_them(tmp_path: Path) -> None:
    cost = log_cost(300, 200, tmp_path / "log")

    assert cost.lines_per_checkout == 1.5
    assert cost.line_us > 0


def test_rounds_are_compared_in_pairs_whichever_came_first(capsys: pytest.CaptureFixture[str]) -> None:
    def measured(is_traced: bool, per_second: float, cpu: float) -> Round:
        checkouts = CheckoutLoad(100, 10, per_second, {"orders": cpu - 2, "jobs": 1, "postgres": 1})
        return Round(is_traced, checkouts, EventLoad(per_second, cpu), int(is_traced), 1)

    rounds = [
        measured(False, 100, 10),
        measured(True, 97, 11),
        measured(True, 194, 22),
        measured(False, 200, 20),
    ]
    result = compare(rounds, SpanCost(1.5, 200.0), LogCost(10.0, 20.0))

    assert result.checkouts_lost.estimate == result.events_lost.estimate == pytest.approx(0.03)
    assert result.checkout_cpu.estimate == result.event_cpu.estimate == pytest.approx(0.1)
    assert result.checkout_cpu_ms_by_part == {"orders": 1.5, "jobs": 0.0, "postgres": 0.0}
    show(result, Console(width=200))
    assert "0.20 ms of a checkout's CPU time" in capsys.readouterr().out


def test_each_pair_has_a_round_with_and_one_without_tracing_in_a_drawn_order() -> None:
    drawn = order(50)
    pairs = [tuple(drawn[at : at + 2]) for at in range(0, len(drawn), 2)]

    assert pairs.count((True, False)) == pairs.count((False, True)) == 25
    assert len({tuple(order(50)) for _ in range(5)}) == 5


def test_checkouts_are_compared_as_on_a_machine_of_constant_speed() -> None:
    def measured(is_traced: bool, per_second: float, slowness: float) -> Round:
        parts = {"orders": 20 * slowness, "postgres": 5 * slowness}
        return Round(is_traced, CheckoutLoad(100, 10, per_second, parts), EventLoad(1_000, 10), 0, 0)

    rounds = [
        measured(False, 100, 1.0),
        measured(True, 97 / 2, 2.0),
        measured(True, 96, 1.0),
        measured(False, 100, 1.0),
    ]
    result = compare(rounds, SpanCost(1.5, 200.0), LogCost(10.0, 20.0))

    assert result.checkouts_lost.estimate == pytest.approx(0.035, abs=1e-4)
    assert result.checkouts_lost_as_measured.estimate == pytest.approx(1 - (0.97 / 2 * 0.96) ** 0.5, abs=1e-4)
