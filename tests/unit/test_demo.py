"""The demo's screen: what it shows, in how little room, and what it says when something is wrong."""

import io
import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import require_sensible
from common.errors import PartUnavailable, UserError
from common.settings import Settings
from local.demo import traffic
from local.demo.latest import Latest
from local.demo.memory import Memory, Process
from local.demo.screen import Seen, line, screen
from local.demo.shop import Day
from local.demo.traffic import Latency, Traffic
from local.supervision.launch import write_record
from local.supervision.processes import record_path
from producers.simulator import kept
from producers.simulator.world.shape import Shape

MB = 2**20
PARTS = (
    "taskmanager", "jobmanager", "kafka", "registry", "clickhouse", "commerce", "simulator", "serving",
    "jobs", "postgres", "supervisor", "redis",
)  # fmt: skip
STATES = ("confirmed", "cancelled", "undecided", "shipped", "delivered", "returned", "reviewed")
BUSY = Traffic(
    phase="live",
    sent=1_234_567,
    rate=1000.4,
    orders={"placed": 12_345} | dict.fromkeys(STATES, 12_000),
    endpoints={
        name: Latency(8.04, 121.5) for name in ("events", "order", "orders", "recommendations", "stock")
    },
)
DAY = Day(123_456, 1_234_567_890, 1_234, 3_095, "BRL", timedelta(seconds=1.24), timedelta(seconds=2.51))


def seen(traffic=BUSY, day=DAY, processes=None, unanswered=()):
    if processes is None:
        processes = [Process(name, True, 0, 1_500 * MB, 120 * MB) for name in PARTS]
    return Seen(traffic, day, processes, 11_100, list(unanswered))


def shown(seen, width=80):
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=False)
    console.print(screen(seen, "http://127.0.0.1:8000/", "en", "Ctrl-C stops it."))
    return output.getvalue()


def test_a_busy_marketplace_fits_a_terminal_of_80_by_24_with_nothing_cut_off():
    text = shown(seen())

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
        "18,000",
        "live for 3h05m",
    ):
        assert figure in text


def test_a_demo_that_has_heard_nothing_yet_has_a_screen_too():
    text = shown(seen(Traffic(), None, []))

    assert "–" in text
    assert "Ctrl-C stops it." in text


@pytest.mark.parametrize("render", [shown, lambda seen: line(seen, "en")])
def test_whatever_is_wrong_is_named(render):
    wrong = seen(
        traffic=Traffic(errors={"orders 503": 7}, tempo=0.64, slowed_because="figures were 31 s behind"),
        processes=[Process("kafka", False, 0, 0, 0), Process("jobs", True, 2, MB, 0)],
        unanswered=["the API does not answer: timed out"],
    )

    text = render(wrong)

    for trouble in (
        "slowed to 64% of the rate: figures were 31 s behind", "7 × orders 503", "kafka is not running",
        "jobs was restarted (2 ×)", "the API does not answer: timed out",
    ):  # fmt: skip
        assert trouble in text


def test_a_supervisor_that_died_is_told_of_with_what_to_do():
    dead = seen(processes=[Process("supervisor", False, 0, 0, 0)])

    assert "supervisor is not running: `./souk up` in another terminal" in shown(dead)


def test_without_a_terminal_the_same_figures_are_one_line():
    text = line(seen(), "en")

    assert "\n" not in text
    for figure in (
        "1,000 events/s",
        "12,345 orders placed",
        "orders p99 122 ms",
        "complete to 1.2 s ago",
        "views known to 2.5 s ago",
        "18,000 MB",
    ):
        assert figure in text


def test_counters_are_read_and_what_a_later_simulator_adds_is_left_alone(tmp_path):
    counters = {"phase": "live", "rate": 5.5, "orders": {"placed": 3}, "added_later": 1}
    latency = {"p50_ms": 1.0, "p99_ms": 2.0, "count": 9}
    path = traffic.path_of(tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps(counters | {"endpoints": {"orders": latency}}))

    read = traffic.read(tmp_path)

    assert read == Traffic(
        phase="live", rate=5.5, orders={"placed": 3}, endpoints={"orders": Latency(1.0, 2.0, 9)}
    )


@pytest.mark.parametrize("text", [None, "", '{"phase": "li'])
def test_a_simulator_that_has_not_counted_yet_has_done_nothing(tmp_path, text):
    if text is not None:
        traffic.path_of(tmp_path).parent.mkdir()
        traffic.path_of(tmp_path).write_text(text)

    assert traffic.read(tmp_path) == Traffic()


def test_a_question_without_an_answer_says_why_and_keeps_the_answer_before():
    answers = iter([1, 2])
    asked_in_vain = threading.Event()

    def ask() -> int:
        try:
            return next(answers)
        except StopIteration:
            asked_in_vain.set()
            raise PartUnavailable("gone") from None

    latest = Latest(ask, period_s=0.001)
    asked_in_vain.wait(10)
    latest.close()

    assert (latest.value, latest.problem) == (2, "gone")


def test_restarts_are_counted_from_when_a_process_was_first_seen(tmp_path: Path):
    launched = {"digest": "", "stop_signal": "TERM"}
    write_record(tmp_path, "kafka", launched)
    write_record(tmp_path, "kafka", launched)
    memory = Memory(tmp_path)

    (before,) = memory.now()
    write_record(tmp_path, "kafka", launched)
    (after,) = memory.now()

    assert (before.restarts, after.restarts) == (0, 1)


def test_a_part_that_up_started_anew_has_no_negative_restarts(tmp_path: Path):
    launched = {"digest": "", "stop_signal": "TERM"}
    write_record(tmp_path, "kafka", launched)
    write_record(tmp_path, "kafka", launched)
    memory = Memory(tmp_path)
    memory.now()
    record_path(tmp_path, "kafka").unlink()

    write_record(tmp_path, "kafka", launched)

    assert [process.restarts for process in memory.now()] == [0]


def test_memory_grows_from_where_it_was_first_seen(tmp_path: Path):
    write_record(tmp_path, "kafka", {"digest": "", "stop_signal": "TERM"})
    memory = Memory(tmp_path)

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
def test_a_number_that_makes_no_sense_is_refused_before_anything_starts(tmp_path, rate, minutes, world, says):
    with pytest.raises(UserError, match=says):
        require_sensible(Settings(home=tmp_path), rate, minutes, world)


def test_another_marketplace_than_that_of_this_copy_is_refused_before_anything_starts(tmp_path):
    kept.write(tmp_path, kept.Kept(Shape(seed=1), end_ms=0, weeks=4, events=600_000))

    require_sensible(Settings(home=tmp_path), 200, None, {"seed": 1, "weeks": 4, "shoppers": None})
    with pytest.raises(UserError, match="--seed 2: the world of this home has 1"):
        require_sensible(Settings(home=tmp_path), 200, None, {"seed": 2})
