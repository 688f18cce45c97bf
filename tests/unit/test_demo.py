"""The demo's screen: its values, its size, and its warnings."""

import io
import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import check_options
from common.errors import PartUnavailable, UserError
from common.process_records import process_record_path
from common.settings import Settings
from local.demo.display import DemoSnapshot, render, summary_line
from local.demo.figures import (
    DayFigures,
    EndpointLatency,
    MemoryMonitor,
    Poller,
    ProcessMemory,
    SimulatorStatus,
    read_status,
    status_path,
)
from local.supervision.launch import write_process_record
from producers.simulator import saved_world
from producers.simulator.world.shape import WorldShape

MB = 2**20
PARTS = (
    "taskmanager", "jobmanager", "kafka", "registry", "clickhouse", "commerce", "simulator", "serving",
    "jobs", "postgres", "supervisor", "redis", "rollups",
)  # fmt: skip
STATES = ("confirmed", "cancelled", "undecided", "shipped", "delivered", "returned", "reviewed")
BUSY = SimulatorStatus(
    phase="live",
    sent=1_234_567,
    rate=1000.4,
    orders={"placed": 12_345} | dict.fromkeys(STATES, 12_000),
    endpoints={
        name: EndpointLatency(8.04, 121.5)
        for name in ("events", "order", "orders", "recommendations", "stock")
    },
)
DAY = DayFigures(
    123_456, 1_234_567_890, 1_234, 3_095, "BRL", timedelta(seconds=1.24), timedelta(seconds=2.51)
)


def snapshot(simulator=BUSY, day=DAY, processes=None, problems=()):
    if processes is None:
        processes = [ProcessMemory(name, True, 0, 1_500 * MB, 120 * MB) for name in PARTS]
    return DemoSnapshot(simulator, day, processes, 11_100, list(problems))


def shown(snapshot, width=80):
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=False)
    console.print(render(snapshot, "http://127.0.0.1:8000/", "en", "Ctrl-C stops it."))
    return output.getvalue()


def test_a_busy_marketplace_fits_a_terminal_of_80_by_24_with_nothing_cut_off():
    text = shown(snapshot())

    assert "…" not in text
    assert len(text.splitlines()) <= 24
    for figure in (
        "1,000",
        "1,234,567",
        "12,345",
        "R$12,345,678.90",
        "121.5",
        "1.2 s ago",
        "2.5 s ago",
        "19,500",
        "live for 3h05m",
    ):
        assert figure in text


def test_the_screen_is_shown_before_the_first_figures():
    text = shown(snapshot(SimulatorStatus(), None, []))

    assert "–" in text
    assert "Ctrl-C stops it." in text


@pytest.mark.parametrize("rendered", [shown, lambda snapshot: summary_line(snapshot, "en")])
def test_every_problem_is_shown(rendered):
    wrong = snapshot(
        simulator=SimulatorStatus(
            errors={"orders 503": 7}, pace=0.64, slowed_because="figures were 31 s behind"
        ),
        processes=[ProcessMemory("kafka", False, 0, 0, 0), ProcessMemory("jobs", True, 2, MB, 0)],
        problems=["the API does not answer: timed out"],
    )

    text = rendered(wrong)

    for trouble in (
        "slowed to 64% of the rate: figures were 31 s behind", "7 × orders 503", "kafka is not running",
        "jobs was restarted (2 ×)", "the API does not answer: timed out",
    ):  # fmt: skip
        assert trouble in text


def test_a_dead_supervisor_is_shown_with_what_to_do():
    dead = snapshot(processes=[ProcessMemory("supervisor", False, 0, 0, 0)])

    assert "supervisor is not running: `./souk up` in another terminal" in shown(dead)


def test_without_a_terminal_the_figures_are_one_line():
    text = summary_line(snapshot(), "en")

    assert "\n" not in text
    for figure in (
        "1,000 events/s",
        "12,345 orders placed",
        "orders p99 122 ms",
        "complete to 1.2 s ago",
        "views up to 2.5 s ago",
        "19,500 MB",
    ):
        assert figure in text


def test_counters_are_read_and_unknown_fields_are_ignored(tmp_path):
    counters = {"phase": "live", "rate": 5.5, "orders": {"placed": 3}, "added_later": 1}
    latency = {"p50_ms": 1.0, "p99_ms": 2.0, "count": 9}
    path = status_path(tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps(counters | {"endpoints": {"orders": latency}}))

    read = read_status(tmp_path)

    assert read == SimulatorStatus(
        phase="live", rate=5.5, orders={"placed": 3}, endpoints={"orders": EndpointLatency(1.0, 2.0, 9)}
    )


@pytest.mark.parametrize("text", [None, "", '{"phase": "li'])
def test_a_missing_or_partial_status_file_reads_as_starting(tmp_path, text):
    if text is not None:
        status_path(tmp_path).parent.mkdir()
        status_path(tmp_path).write_text(text)

    assert read_status(tmp_path) == SimulatorStatus()


def test_a_failed_poll_keeps_the_previous_value_and_says_why():
    answers = iter([1, 2])
    failed = threading.Event()

    def poll() -> int:
        try:
            return next(answers)
        except StopIteration:
            failed.set()
            raise PartUnavailable("gone") from None

    poller = Poller(poll, interval_s=0.001)
    failed.wait(10)
    poller.close()

    assert (poller.value, poller.problem) == (2, "gone")


def test_restarts_are_counted_from_the_first_measurement(tmp_path: Path):
    launched = {"digest": "", "stop_signal": "TERM"}
    write_process_record(tmp_path, "kafka", launched)
    write_process_record(tmp_path, "kafka", launched)
    memory = MemoryMonitor(tmp_path)

    (before,) = memory.now()
    write_process_record(tmp_path, "kafka", launched)
    (after,) = memory.now()

    assert (before.restarts, after.restarts) == (0, 1)


def test_a_part_that_up_restarted_has_no_negative_restarts(tmp_path: Path):
    launched = {"digest": "", "stop_signal": "TERM"}
    write_process_record(tmp_path, "kafka", launched)
    write_process_record(tmp_path, "kafka", launched)
    memory = MemoryMonitor(tmp_path)
    memory.now()
    process_record_path(tmp_path, "kafka").unlink()

    write_process_record(tmp_path, "kafka", launched)

    assert [process.restarts for process in memory.now()] == [0]


def test_memory_growth_is_counted_from_the_first_measurement(tmp_path: Path):
    write_process_record(tmp_path, "kafka", {"digest": "", "stop_signal": "TERM"})
    memory = MemoryMonitor(tmp_path)

    (before,) = memory.now()
    held = os.urandom(64 * MB)
    (after,) = memory.now()

    assert before.alive
    assert before.grown_bytes == 0
    assert after.grown_bytes >= len(held) * 0.9


@pytest.mark.parametrize(
    ("rate", "minutes", "world", "says"),
    [
        (0, None, {}, "--rate 0: give 1 to 20,000"),
        (20_001, None, {}, "--rate 20001: give 1 to 20,000"),
        (200, 0.0, {}, "--minutes 0: give more than 0"),
        (200, float("nan"), {}, "--minutes nan: give more than 0"),
        (200, None, {"seed": -1}, "--seed -1: give 0 or more"),
        (200, None, {"weeks": 0}, "--weeks 0: give 1 to 104"),
        (200, None, {"shoppers": 0}, "--shoppers 0: give 1 to"),
    ],
)
def test_an_invalid_number_is_refused_before_anything_starts(tmp_path, rate, minutes, world, says):
    with pytest.raises(UserError, match=says):
        check_options(Settings(home=tmp_path), rate, minutes, world)


def test_options_of_another_marketplace_are_refused_before_anything_starts(tmp_path):
    saved_world.write(tmp_path, saved_world.SavedWorld(WorldShape(seed=1), end_ms=0, weeks=4, events=600_000))

    check_options(Settings(home=tmp_path), 200, None, {"seed": 1, "weeks": 4, "shoppers": None})
    with pytest.raises(UserError, match="--seed 2: the world of this home has 1"):
        check_options(Settings(home=tmp_path), 200, None, {"seed": 2})
