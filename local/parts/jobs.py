"""The process that submits the Flink jobs and keeps them running: `python -m jobs.reconciler`."""

import sys
from functools import partial

import httpx

from common.settings import ROOT, Settings
from common.tls import tls_context
from jobs.fingerprint import FILES_DIGEST, plan_files_digest
from local.install.jars import connectors_digest
from local.parts.part import NotReady, Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec


def part(settings: Settings) -> Part:
    """Return the reconciler of this checkout's jobs, which uses the Flink of the settings."""
    return Part(
        "jobs",
        Resolution("bundled", "", "jobs.reconciler"),
        f"{settings.flink}/#/job/running",
        partial(check, settings.flink),
        LaunchSpec(
            [sys.executable, "-m", "jobs.reconciler"],
            ROOT,
            # The process builds the plans when it starts, so `up` must restart it when their files change.
            {
                **settings_environment(settings),
                "CONNECTORS_DIGEST": connectors_digest(settings),
                FILES_DIGEST: plan_files_digest(),
            },
        ),
        ports={"jobs": settings.port("jobs")},
        needs=("topics", "tables", "taskmanager", "redis"),
    )


def check(flink: str) -> None:
    """Check that a version of every job runs.

    Raises:
        NotReady: Flink does not answer, or a job is in another state.
    """
    try:
        answer = httpx.get(f"{flink}/jobs/overview", timeout=3, trust_env=False, verify=tls_context())
        overview = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"jobs: Flink does not answer: {error}") from error
    from jobs.registry import JOBS  # here, so that `down` does not load the job plans

    jobs = sorted(overview["jobs"], key=lambda job: (job["state"] == "RUNNING", job["start-time"]))
    states = {job["name"].partition("@")[0]: job["state"] for job in jobs}
    missing = [f"{name} is {states.get(name, 'not there')}" for name in JOBS if states.get(name) != "RUNNING"]
    if missing:
        raise NotReady(f"jobs: {', '.join(missing)}")
