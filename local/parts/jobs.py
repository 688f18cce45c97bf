"""The process that keeps the Flink jobs running: `python -m jobs.keep`."""

import sys
from functools import partial

import httpx

from common.settings import ROOT, Settings
from local.home import settings_environment
from local.parts.part import Found, NotReady, Part
from local.supervision.launch_file import Launch


def part(settings: Settings) -> Part:
    """The keeper of this checkout's jobs, on whichever Flink the settings name."""
    return Part(
        "jobs",
        Found("bundled", "", "jobs.keep"),
        f"{settings.flink}/#/job/running",
        partial(check, settings.flink),
        Launch([sys.executable, "-m", "jobs.keep"], ROOT, settings_environment(settings)),
        ports={"jobs": settings.port("jobs")},
        needs=("topics", "tables", "taskmanager", "redis"),
    )


def check(flink: str) -> None:
    """That every job runs.

    Raises:
        NotReady: Flink does not answer, or a job has another state.
    """
    try:
        overview = httpx.get(f"{flink}/jobs/overview", timeout=3, trust_env=False).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"jobs: Flink does not say: {error}") from error
    from jobs.registry import JOBS  # here, so that `down` does not load what makes the plans

    jobs = sorted(overview["jobs"], key=lambda job: job["start-time"])
    states = {job["name"]: job["state"] for job in jobs}
    missing = [f"{name} is {states.get(name, 'not there')}" for name in JOBS if states.get(name) != "RUNNING"]
    if missing:
        raise NotReady(f"jobs: {', '.join(missing)}")
