"""Waits until the jobs and services have read the back-fill, before live traffic starts."""

import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console

from common.consumer_lag import total_lag
from common.errors import PartUnavailable
from common.settings import Settings
from jobs.catch_up import ReadLag, wait_while_lag_falls
from jobs.flink_client import jobs_without_checkpoint, trigger_checkpoints
from jobs.versions import topics_of_live_jobs
from local.demo.display import LINE_INTERVAL_S
from schemas.services import TOPICS_BY_GROUP as SERVICE_TOPICS

STALL_TIMEOUT_S = 120.0
"""Longer than a job needs on a busy machine to restart and to commit its offsets."""

COMMIT_EVERY_S = 10.0
"""How often checkpoints are triggered; a job processes nothing for most of a second during each."""


def wait_for_backfill(settings: Settings, console: Console) -> None:
    """Wait until jobs and services have read all messages in Kafka.

    The back-fill would delay earlier live events, and these would refer to products that are not stored yet.
    """
    wait(lag_of(settings), lambda: trigger_checkpoints(settings), console, STALL_TIMEOUT_S)


def lag_of(settings: Settings) -> ReadLag:
    """Return a function that counts the unread messages of jobs and services.

    While Kafka, Flink or Redis does not answer, it returns the previous count.
    """
    last = 1

    def lag() -> int:
        nonlocal last
        with suppress(PartUnavailable):
            # First, so that the lag reflects the commits of every job that has a checkpoint.
            job_topics = topics_of_live_jobs(settings)
            uncommitted_jobs = jobs_without_checkpoint(settings, job_topics)
            last = uncommitted_jobs + total_lag(settings.kafka, job_topics | SERVICE_TOPICS)
        return last

    return lag


def wait(lag: ReadLag, request_commit: Callable[[], None], console: Console, stall_timeout_s: float) -> None:
    """Wait until `lag()` is zero. If it has not fallen for `stall_timeout_s`, print a warning and return."""
    printed_s = time.monotonic()
    with console.status("processing the history") as status:

        def show(behind: int) -> None:
            nonlocal printed_s
            text = f"processing the history: {behind:,} messages to go"
            status.update(text)
            if not console.is_terminal and time.monotonic() - printed_s >= LINE_INTERVAL_S:
                printed_s = time.monotonic()
                console.print(text, highlight=False)

        unread = wait_while_lag_falls(lag, stall_timeout_s, show, request_commit, COMMIT_EVERY_S)
    if unread:
        console.print(
            f"{unread:,} messages are not processed yet, and their number has not fallen for "
            f"{stall_timeout_s:g} s: starting live traffic; see `./souk status` and `./souk logs jobs`",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
