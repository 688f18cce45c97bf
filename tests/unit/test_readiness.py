"""`/health` and `/ready` of a process that works in a loop."""

from threading import Event

import httpx
import pytest

from common.migrations import check_applied
from common.operations_server import serve_operations
from common.readiness import NotReady, ProcessReadiness, excludes
from common.settings import LOOPBACK, Settings
from common.stopping import Stopping
from jobs.registry import JOBS
from serving.ops.readiness import missing_jobs
from tests.ports import free_offset


def fails() -> None:
    raise NotReady("Redis does not answer\nwith many details")


def is_newer() -> str:
    return "newer than this version"


def works() -> None:
    return None


def test_what_fails_is_missing_with_the_first_line_of_its_reason_and_notes_do_not_matter() -> None:
    readiness = ProcessReadiness({"redis": fails, "migrations": is_newer, "flink": works}, Stopping())

    assert readiness.body() == {
        "ready": False,
        "missing": {"redis": "Redis does not answer"},
        "notes": {"migrations": "newer than this version"},
    }


@pytest.mark.parametrize("excluded", [["redis"], ["parts"]])
def test_what_is_excluded_is_not_checked(excluded: list[str]) -> None:
    assert ProcessReadiness({"redis": fails, "flink": works}, Stopping()).body(excluded)["ready"]


@pytest.mark.parametrize(
    ("excluded", "left_out"), [("jobs", {"job:facts"}), ("parts", {"job:facts", "kafka"})]
)
def test_jobs_and_parts_can_be_left_out_together(excluded: str, left_out: set[str]) -> None:
    names = ("job:facts", "kafka", "jobs of others", "migrations")
    assert {name for name in names if excludes([excluded], name)} == left_out


def test_each_job_that_does_not_run_is_missing_with_its_state() -> None:
    listed = [
        {"name": "rankings@1a2b", "state": "FAILED", "start-time": 1},
        {"name": "rankings@1a2b", "state": "RUNNING", "start-time": 2},
        {"name": "recommendations", "state": "INITIALIZING", "start-time": 4},
        {"name": "recommendations", "state": "FAILED", "start-time": 3},
        {"name": "facts", "state": "RUNNING", "start-time": 2},
        {"name": "facts", "state": "CANCELED", "start-time": 5},
    ]
    assert missing_jobs(listed) == {
        "job:recommendations": "Flink says that it is INITIALIZING",
        "job:signals": "it was not started yet",
    }
    assert missing_jobs([]).keys() == {f"job:{job}" for job in JOBS}


def test_parts_do_not_stand_for_the_state_of_the_process_itself() -> None:
    assert ProcessReadiness({"jobs": fails}, Stopping()).body(["parts"])["missing"].keys() == {"jobs"}


def test_a_check_that_does_not_end_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.readiness.TIMEOUT_S", 0.05)
    released, runs = Event(), []

    def hangs() -> None:
        runs.append(True)
        released.wait()

    readiness = ProcessReadiness({"flink": hangs}, Stopping())
    bodies = [readiness.body() for _ in range(3)]
    released.set()

    assert [body["missing"] for body in bodies] == [{"flink": "it does not answer within 0.05 s"}] * 3
    assert len(runs) == 1, "checks of a slow server pile up"


def test_a_process_that_stops_is_alive_and_not_ready_whatever_answers() -> None:
    stopping, settings = Stopping(), Settings(port_offset=free_offset())
    serve_operations(settings, "jobs", ProcessReadiness({"redis": works}, stopping))
    url = f"http://{LOOPBACK}:{settings.port('jobs')}"

    before = httpx.get(f"{url}/ready", trust_env=False)
    stopping.begin()
    after = httpx.get(f"{url}/ready?exclude=stopping", trust_env=False)

    assert (before.status_code, before.json()) == (200, {"ready": True, "missing": {}, "notes": {}})
    assert (after.status_code, list(after.json()["missing"])) == (503, ["stopping"])
    assert after.headers["Retry-After"] == "5"
    health = httpx.get(f"{url}/health", trust_env=False)
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert httpx.get(f"{url}/unknown", trust_env=False).status_code == 404


def test_older_tables_are_missing_and_newer_ones_are_noted() -> None:
    assert check_applied("ClickHouse", 23, 23) is None
    assert "newer than 0023" in (check_applied("ClickHouse", 24, 23) or "")
    with pytest.raises(NotReady, match=r"has migration 0022, and this version needs 0023: run \./souk up"):
        check_applied("ClickHouse", 22, 23)
