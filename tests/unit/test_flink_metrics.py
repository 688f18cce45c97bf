"""Whether a job runs, the age of its newest checkpoint, and its load between two readings of Flink."""

import time

import pytest

from common.metrics import CHECKPOINT_AGE_SECONDS, REGISTRY
from common.readiness import NotReady
from jobs import flink_metrics
from jobs.flink_client import FlinkClient, OperatorTimes
from jobs.flink_metrics import HEAP, FlinkMetrics, load_between
from jobs.reconciler import require_jobs
from jobs.registry import JOBS
from tests.job_manager import serving_jobs

NO_FIGURES = {
    "/jobs/facts": '{"vertices": []}',
    "/jobs/facts/metrics?get=numRestarts": "[]",
    f"/jobmanager/metrics?get={HEAP}": "[]",
    f"/taskmanagers/metrics?get={HEAP}": "[]",
}
"""Answers about a job without operators."""


def times(back_pressured_ms: float, busy_ms: float, parallelism: int = 1) -> OperatorTimes:
    return OperatorTimes(back_pressured_ms, busy_ms, parallelism)


def test_the_load_of_a_job_is_that_of_its_most_loaded_operators() -> None:
    before = {"source": times(1_000, 500), "sink": times(0, 4_000)}
    after = {"source": times(10_000, 1_000), "sink": times(0, 13_500)}

    assert load_between(before, after, 10) == (pytest.approx(0.9), pytest.approx(0.95))


def test_an_operator_of_several_subtasks_has_that_many_times_the_time() -> None:
    assert load_between({"a": times(0, 0, 4)}, {"a": times(20_000, 10_000, 4)}, 10) == (0.5, 0.25)


def test_an_operator_that_started_anew_has_no_load_yet() -> None:
    assert load_between({"a": times(9_000, 9_000)}, {"a": times(5, 5), "new": times(9_000, 9_000)}, 10) == (
        0,
        0,
    )


def test_flinks_times_of_an_operator_that_was_never_busy_are_not_numbers() -> None:
    answer = (
        '{"vertices": [{"id": "source", "parallelism": 2, "status": "RUNNING", "metrics": '
        '{"accumulated-backpressured-time": 7, "accumulated-busy-time": "NaN"}}]}'
    )
    with serving_jobs() as manager, FlinkClient(manager.url) as flink:
        manager.answers["/jobs/a"] = answer
        assert flink.operator_times("a") == {"source": times(7.0, 0.0, 2)}


def test_a_job_whose_tasks_wait_for_a_taskmanager_does_not_run_although_flink_calls_it_running() -> None:
    def metric() -> float | None:
        metrics.update({job.name: job for job in flink.jobs() if job.name == "facts"})
        return REGISTRY.get_sample_value("souk_job_running", {"job_name": "facts"})

    with serving_jobs() as manager, FlinkClient(manager.url) as flink:
        metrics = FlinkMetrics(flink, {"facts": None})
        for name in JOBS:
            manager.runs(name, name, {})
        manager.has_checkpoints("facts", 0, None)
        manager.answers |= NO_FIGURES
        require_jobs(flink.jobs())
        assert metric() == 1
        manager.runs("facts", "facts", {}, running_tasks=3)
        assert metric() == 0
        with pytest.raises(NotReady, match=r"^facts is RUNNING without all of its tasks$"):
            require_jobs(flink.jobs())
        manager.runs("facts", "facts", {}, "RESTARTING", running_tasks=0)
        with pytest.raises(NotReady, match=r"^facts is RESTARTING$"):
            require_jobs(flink.jobs())


def test_a_job_without_a_checkpoint_has_the_age_of_its_first_submission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def age_s() -> float:
        for _ in range(2):  # the first update reads what the second one sets
            metrics.update({job.name: job for job in flink.jobs()})
        found = REGISTRY.get_sample_value("souk_checkpoint_age_seconds", {"job_name": "facts"})
        assert found is not None
        return found

    def submit(started_ms: int) -> None:
        manager.runs("facts", "facts", {}, started_ms=started_ms)
        manager.answers |= NO_FIGURES

    CHECKPOINT_AGE_SECONDS.clear()
    monkeypatch.setattr(flink_metrics, "REFRESH_S", 0)
    now_ms = round(time.time() * 1_000)
    with serving_jobs() as manager, FlinkClient(manager.url) as flink:
        metrics = FlinkMetrics(flink, {"facts": None})
        manager.has_checkpoints("facts", 1, None)
        submit(now_ms - 3_600_000)
        assert age_s() >= 3_600
        submit(now_ms)
        assert age_s() >= 3_600
        manager.has_checkpoints("facts", 0, {"latest_ack_timestamp": now_ms, "end_to_end_duration": 20})
        assert age_s() < 3_600
