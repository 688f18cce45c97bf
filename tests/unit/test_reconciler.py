from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.facts import logic as facts
from jobs.flink_client import (
    FINGERPRINT,
    INSTALLATION,
    FlinkClient,
    FlinkJob,
    causes,
    installation_id,
    jobs_without_checkpoint,
    trigger_checkpoints,
)
from jobs.reconciler import JobReconciler, duplicates, is_restore_failure
from tests.job_manager import JobManager, serving_jobs

TRACE = """org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.
\tat java.base/java.lang.Thread.run(Unknown Source)
Caused by: java.io.IOException: Unexpected magic number.
\tat org.apache.flink.runtime.checkpoint.CheckpointCoordinator.restoreSavepoint(CheckpointCoordinator.java:1)
\t... 3 more
"""


def test_the_oldest_live_job_of_a_name_is_not_a_duplicate() -> None:
    dead = FlinkJob("0", "facts", "FAILED", 1)
    first, second = FlinkJob("1", "facts", "RUNNING", 2), FlinkJob("2", "facts", "CREATED", 3)
    other = FlinkJob("3", "rankings", "RUNNING", 4)

    assert duplicates([dead, first, second, other]) == [second]


def test_causes_are_the_messages_without_frames() -> None:
    assert causes(TRACE) == [
        "org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.",
        "java.io.IOException: Unexpected magic number.",
    ]


def test_an_unreadable_checkpoint_is_a_restore_failure() -> None:
    assert is_restore_failure(TRACE)
    assert is_restore_failure("java.lang.Exception: Could not restore keyed state backend for X")


def test_an_unreachable_server_is_no_restore_failure() -> None:
    trace = "java.io.IOException: Connection refused\n\tat StreamTask.restoreInternal(StreamTask.java:1)\n"

    assert not is_restore_failure(trace)


@pytest.fixture
def job_manager() -> Iterator[JobManager]:
    with serving_jobs() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, job_manager: JobManager) -> Settings:
    return Settings(home=tmp_path, flink_url=job_manager.url)


def owner(settings: Settings, installation: str) -> str:
    """The id of this installation for `ours`, else the given name."""
    return installation_id(settings) if installation == "ours" else installation


def poll(settings: Settings) -> None:
    with FlinkClient(settings.flink) as flink:
        JobReconciler(settings, flink).poll({"facts": facts.plan(settings)})


@pytest.mark.parametrize("parameters", [{}, {FINGERPRINT: "f", INSTALLATION: "another installation"}])
def test_a_job_of_another_installation_with_the_same_name_is_not_cancelled(
    settings: Settings, job_manager: JobManager, parameters: dict[str, str]
) -> None:
    job_manager.runs("a1", "facts", parameters)

    poll(settings)

    assert job_manager.cancelled == []


def test_a_job_with_an_outdated_plan_is_cancelled(settings: Settings, job_manager: JobManager) -> None:
    job_manager.runs("a1", "facts", {FINGERPRINT: "old", INSTALLATION: installation_id(settings)})

    poll(settings)

    assert job_manager.cancelled == ["/jobs/a1?mode=cancel"]


def test_a_job_of_ours_without_a_plan_is_cancelled_unless_it_is_tolerated(
    settings: Settings, job_manager: JobManager
) -> None:
    job_manager.runs("a1", "metrics", {FINGERPRINT: "f", INSTALLATION: installation_id(settings)})

    with FlinkClient(settings.flink) as flink:
        reconciler = JobReconciler(settings, flink)
        for tolerated in (None, {"metrics"}):
            reconciler.poll({}, tolerated)
        assert job_manager.cancelled == []
        reconciler.poll({})

    assert job_manager.cancelled == ["/jobs/a1?mode=cancel"]


def test_an_initializing_job_without_parameters_is_not_cancelled(
    settings: Settings, job_manager: JobManager
) -> None:
    job_manager.runs("a1", "facts", {}, state="INITIALIZING")
    job_manager.answers["/overview"] = "nothing was to be submitted"

    poll(settings)

    assert job_manager.cancelled == []


def test_a_job_needs_as_many_slots_as_its_widest_operator_has_subtasks(job_manager: JobManager) -> None:
    job_manager.runs("a1", "others", {})

    with FlinkClient(job_manager.url) as flink:
        assert flink.parallelism("a1") == 3


@pytest.mark.parametrize("body", ['{"jobs": [{"jid"', "{}", '{"jobs": [{}]}', "[]", "<html>", ""])
def test_an_incomplete_answer_counts_as_no_answer(
    settings: Settings, job_manager: JobManager, body: str
) -> None:
    job_manager.answers["/jobs/overview"] = body

    with pytest.raises(PartUnavailable, match="unexpected JSON for /jobs/overview"):
        poll(settings)


@pytest.mark.parametrize(
    ("installation", "in_progress", "triggered"),
    [("ours", 0, ["/jobs/a1/checkpoints"]), ("ours", 1, []), ("another installation", 0, [])],
)
def test_a_checkpoint_of_our_jobs_is_triggered_unless_one_is_in_progress(
    settings: Settings, job_manager: JobManager, installation: str, in_progress: int, triggered: list[str]
) -> None:
    job_manager.runs("a1", "facts", {INSTALLATION: owner(settings, installation)})
    job_manager.has_checkpoints("a1", in_progress, None)

    trigger_checkpoints(settings, ["facts"])

    assert job_manager.checkpointed == triggered


def test_triggering_a_checkpoint_ignores_that_flink_does_not_answer(tmp_path: Path) -> None:
    trigger_checkpoints(Settings(home=tmp_path, flink_url="http://127.0.0.1:9"), ["facts"])


@pytest.mark.parametrize(
    ("installation", "state", "completed", "missing"),
    [
        ("ours", "RUNNING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 1),
        ("ours", "RUNNING", None, 2),
        ("ours", "RESTARTING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 2),
        ("another installation", "RUNNING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 2),
    ],
)
def test_only_running_jobs_of_ours_with_a_completed_checkpoint_count_as_checkpointed(
    settings: Settings,
    job_manager: JobManager,
    installation: str,
    state: str,
    completed: dict[str, int] | None,
    missing: int,
) -> None:
    job_manager.runs(
        "a1",
        "facts",
        {INSTALLATION: owner(settings, installation)},
        state=state,
    )
    job_manager.has_checkpoints("a1", 0, completed)

    assert jobs_without_checkpoint(settings, ["facts", "rankings"]) == missing
