"""What `/ready` of the reconciler checks: the servers that it needs, and that a version of every job runs."""

from collections.abc import Mapping, Sequence

from clickhouse import readiness as clickhouse_readiness
from common.readiness import Check, NotReady
from common.redis_client import require_redis
from common.settings import Settings
from jobs.flink_client import FlinkClient, FlinkJob
from jobs.registry import JOBS


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return the checks by name."""
    flink = FlinkClient(settings.flink)  # for as long as the process runs

    def require_flink() -> None:
        flink.slots()

    return {
        **clickhouse_readiness.checks(settings),
        "redis": lambda: require_redis(settings),
        "flink": require_flink,
        "jobs": lambda: require_jobs(flink.jobs()),
    }


def require_jobs(listed: Sequence[FlinkJob]) -> None:
    """Check that a version of every job runs. `listed` is oldest first.

    Raises:
        NotReady: a job is in another state. The message has the states of all such jobs.
    """
    ordered = sorted(listed, key=lambda job: job.running)  # the newest attempt, unless one runs
    newest = {job.name.partition("@")[0]: job for job in ordered}
    missing = [f"{name} is {state}" for name in JOBS if (state := _hindrance(newest.get(name)))]
    if missing:
        raise NotReady(", ".join(missing))


def _hindrance(job: FlinkJob | None) -> str:
    """Return the state of a job that does not run; empty if it runs."""
    if job is None:
        return "not there"
    if job.running:
        return ""
    return "RUNNING without all of its tasks" if job.state == "RUNNING" else job.state
