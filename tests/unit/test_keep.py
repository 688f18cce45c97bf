import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.commit import commit_soon, uncommitted
from jobs.facts import job as facts
from jobs.keep import Keeper, blames_checkpoint, duplicates
from jobs.rest import COPY, FINGERPRINT, Flink, Job, causes
from jobs.submit import copy_id

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


class JobManager(ThreadingHTTPServer):
    """Answers as a JobManager's REST API does, from `answers`: path → body. The lists hold paths."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: dict[str, str] = {}
        self.cancelled: list[str] = []
        self.checkpointed: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def runs(self, job_id: str, name: str, parameters: dict[str, str], state: str = "RUNNING") -> None:
        """Answer that there is one job."""
        job = {"jid": job_id, "name": name, "state": state, "start-time": 1}
        config = {"execution-config": {"user-config": parameters}}
        vertices = [{"status": "RUNNING", "parallelism": 3}, {"status": "RUNNING", "parallelism": 1}]
        self.answers |= {
            "/jobs/overview": json.dumps({"jobs": [job]}),
            "/overview": json.dumps({"slots-total": 4, "slots-available": 0}),
            f"/jobs/{job_id}": json.dumps({"vertices": vertices}),
            f"/jobs/{job_id}/config": json.dumps(config),
        }


class Answer(BaseHTTPRequestHandler):
    server: JobManager

    def do_GET(self) -> None:
        self._say(200, self.server.answers.get(self.path, "").encode())

    def do_PATCH(self) -> None:
        self.server.cancelled.append(self.path)
        self._say(202, b"{}")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked == {"checkpointType": "CONFIGURED"}
        self.server.checkpointed.append(self.path)
        self._say(202, b"{}")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def job_manager() -> Iterator[JobManager]:
    with JobManager() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def settings(tmp_path: Path, job_manager: JobManager) -> Settings:
    return Settings(home=tmp_path, flink_url=job_manager.url)


def poll(settings: Settings) -> None:
    with Flink(settings.flink) as flink:
        Keeper(settings, {"facts": facts.build(settings)}, flink).poll()


@pytest.mark.parametrize("parameters", [{}, {FINGERPRINT: "f", COPY: "another home's"}])
def test_a_job_of_others_with_the_name_of_ours_is_left_alone(
    settings: Settings, job_manager: JobManager, parameters: dict[str, str]
) -> None:
    job_manager.runs("a1", "facts", parameters)

    poll(settings)

    assert job_manager.cancelled == []


def test_a_job_of_ours_with_another_plan_is_cancelled(settings: Settings, job_manager: JobManager) -> None:
    job_manager.runs("a1", "facts", {FINGERPRINT: "old", COPY: copy_id(settings)})

    poll(settings)

    assert job_manager.cancelled == ["/jobs/a1?mode=cancel"]


def test_a_job_that_does_not_tell_its_plan_yet_is_waited_for(
    settings: Settings, job_manager: JobManager
) -> None:
    job_manager.runs("a1", "facts", {}, state="INITIALIZING")
    job_manager.answers["/overview"] = "nothing was to be submitted"

    poll(settings)

    assert job_manager.cancelled == []


def test_a_job_needs_as_many_slots_as_its_widest_operator_has_subtasks(job_manager: JobManager) -> None:
    job_manager.runs("a1", "others", {})

    with Flink(job_manager.url) as flink:
        assert flink.parallelism("a1") == 3


@pytest.mark.parametrize("half", ['{"jobs": [{"jid"', "{}", '{"jobs": [{}]}', "[]", "<html>", ""])
def test_half_an_answer_is_no_answer(settings: Settings, job_manager: JobManager, half: str) -> None:
    job_manager.answers["/jobs/overview"] = half

    with pytest.raises(PartUnavailable, match="proper answer to /jobs/overview"):
        poll(settings)


@pytest.mark.parametrize(
    ("copy", "under_way", "asked"),
    [("ours", 0, ["/jobs/a1/checkpoints"]), ("ours", 1, []), ("another home's", 0, [])],
)
def test_a_checkpoint_is_asked_of_our_jobs_unless_one_is_under_way(
    settings: Settings, job_manager: JobManager, copy: str, under_way: int, asked: list[str]
) -> None:
    job_manager.runs("a1", "facts", {COPY: copy_id(settings) if copy == "ours" else copy})
    counts = {"in_progress": under_way, "failed": 0}
    job_manager.answers["/jobs/a1/checkpoints"] = json.dumps(
        {"counts": counts, "latest": {"completed": None}}
    )

    commit_soon(settings, ["facts"])

    assert job_manager.checkpointed == asked


def test_a_flink_that_is_away_keeps_nobody_from_waiting(tmp_path: Path) -> None:
    commit_soon(Settings(home=tmp_path, flink_url="http://127.0.0.1:9"), ["facts"])


@pytest.mark.parametrize(
    ("copy", "state", "completed", "missing"),
    [
        ("ours", "RUNNING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 1),
        ("ours", "RUNNING", None, 2),
        ("ours", "RESTARTING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 2),
        ("another home's", "RUNNING", {"latest_ack_timestamp": 5, "end_to_end_duration": 1}, 2),
    ],
)
def test_a_job_has_committed_once_a_checkpoint_of_its_own_is_complete(
    settings: Settings,
    job_manager: JobManager,
    copy: str,
    state: str,
    completed: dict[str, int] | None,
    missing: int,
) -> None:
    job_manager.runs("a1", "facts", {COPY: copy_id(settings) if copy == "ours" else copy}, state=state)
    job_manager.answers["/jobs/a1/checkpoints"] = json.dumps(
        {"counts": {"in_progress": 0, "failed": 0}, "latest": {"completed": completed}}
    )

    assert uncommitted(settings, ["facts", "metrics"]) == missing
