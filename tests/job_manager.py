"""Serves the parts of a JobManager's REST API that the platform uses, for jobs that a test describes."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JobManager(ThreadingHTTPServer):
    """Answers from `answers`: path → body. `cancelled` and `checkpointed` hold the paths of requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: dict[str, str] = {}
        self.cancelled: list[str] = []
        self.checkpointed: list[str] = []
        self._jobs: dict[str, dict[str, Any]] = {}
        self.has_slots(5, 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def has_slots(self, total: int, free: int) -> None:
        self.answers["/overview"] = json.dumps({"slots-total": total, "slots-available": free})

    def runs(
        self,
        job_id: str,
        name: str,
        parameters: Mapping[str, str],
        state: str = "RUNNING",
        running_tasks: int = 4,
        started_ms: int | None = None,
    ) -> None:
        """Serve a job, in addition to the others, or in another state than before."""
        started = started_ms or len(self._jobs.keys() | {job_id})
        tasks = {"total": 4, "running": running_tasks, "finished": 0, "scheduled": 4 - running_tasks}
        self._jobs[job_id] = {
            "jid": job_id, "name": name, "state": state, "start-time": started, "tasks": tasks,
        }  # fmt: skip
        config = {"execution-config": {"user-config": dict(parameters)}}
        vertices = [{"status": "RUNNING", "parallelism": 3}, {"status": "RUNNING", "parallelism": 1}]
        self.answers |= {
            "/jobs/overview": json.dumps({"jobs": list(self._jobs.values())}),
            f"/jobs/{job_id}": json.dumps({"vertices": vertices}),
            f"/jobs/{job_id}/config": json.dumps(config),
        }

    def has_checkpoints(self, job_id: str, in_progress: int, completed: Mapping[str, int] | None) -> None:
        counts = {"in_progress": in_progress, "failed": 0}
        self.answers[f"/jobs/{job_id}/checkpoints"] = json.dumps(
            {"counts": counts, "latest": {"completed": completed}}
        )


class Answer(BaseHTTPRequestHandler):
    server: JobManager

    def do_GET(self) -> None:
        self._respond(200, self.server.answers.get(self.path, "").encode())

    def do_PATCH(self) -> None:
        self.server.cancelled.append(self.path)
        self._respond(202, b"{}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert body == {"checkpointType": "CONFIGURED"}
        self.server.checkpointed.append(self.path)
        self._respond(202, b"{}")

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving_jobs() -> Iterator[JobManager]:
    """Run a JobManager without jobs."""
    with JobManager() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
