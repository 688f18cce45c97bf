from jobs.keep import blames_checkpoint, duplicates
from jobs.rest import Job, causes

TRACE = """org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.
\tat java.base/java.lang.Thread.run(Unknown Source)
Caused by: java.io.IOException: Unexpected magic number.
\tat org.apache.flink.runtime.checkpoint.CheckpointCoordinator.restoreSavepoint(CheckpointCoordinator.java:1)
\t... 3 more
"""


def test_the_oldest_live_job_of_a_name_stays() -> None:
    dead = Job("0", "facts", "FAILED", 1)
    first, second = Job("1", "facts", "RUNNING", 2), Job("2", "facts", "CREATED", 3)
    other = Job("3", "metrics", "RUNNING", 4)

    assert duplicates([dead, first, second, other]) == [second]


def test_causes_are_the_messages_without_frames() -> None:
    assert causes(TRACE) == [
        "org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.",
        "java.io.IOException: Unexpected magic number.",
    ]


def test_a_failed_restore_blames_the_checkpoint() -> None:
    assert blames_checkpoint(TRACE)
    assert blames_checkpoint("java.lang.Exception: Could not restore keyed state backend for X")


def test_a_server_that_is_away_does_not_blame_the_checkpoint() -> None:
    trace = "java.io.IOException: Connection refused\n\tat StreamTask.restoreInternal(StreamTask.java:1)\n"

    assert not blames_checkpoint(trace)
