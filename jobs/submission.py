"""Runs the process that submits jobs (`jobs/submit.py`)."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from common.settings import ROOT, Settings

TIMEOUT_S = 180.0
"""The time limit of a submission, for each job in it."""

POLL_S = 0.2
"""How soon it is seen that the caller must stop."""


def submit(
    names: Sequence[str], job_ids: Sequence[str], settings: Settings, is_stopping: Callable[[], bool]
) -> str:
    """Submit jobs with these ids; return why that failed, and an empty string if it did not.

    Once `is_stopping`, the submission has `stop_timeout_s` to end. Flink then has a job or not, and the next
    reconciler submits those that are missing.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.submit", *names, *(f"--job-id={job_id}" for job_id in job_ids)],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,  # its log has all that it prints
    )  # fmt: skip
    deadline = time.monotonic() + TIMEOUT_S * len(names)
    must_stop = False
    while process.poll() is None and time.monotonic() < deadline:
        if not must_stop and is_stopping():
            must_stop = True
            deadline = min(deadline, time.monotonic() + settings.stop_timeout_s)
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
    if process.poll() is None:
        process.kill()
        process.wait()
        return "its process was stopped" if must_stop else "it took too long"
    return f"its process ended with code {process.returncode}" if process.returncode else ""
