"""The jobs that the platform runs, by name."""

from collections.abc import Callable, Mapping

from common import job_versions
from common.settings import Settings
from jobs.facts import logic as facts
from jobs.plan import JobPlan
from jobs.rankings import logic as rankings
from jobs.recommendations import logic as recommendations
from jobs.signals import logic as signals
from schemas.events import all_events

_VERSIONED = {"rankings": rankings.plan, "recommendations": recommendations.plan}
VERSIONED_PLANS: Mapping[str, Callable[[Settings, str], JobPlan]] = {
    job: _VERSIONED[job] for job in job_versions.VERSIONED_JOBS
}
"""Job name → the function that builds the plan of a version of the job (`jobs/versions.py`)."""

_PLANS: Mapping[str, Callable[[Settings], JobPlan]] = {
    **_VERSIONED,
    "facts": facts.plan,
    "signals": signals.plan,
}
JOBS: Mapping[str, Callable[[Settings], JobPlan]] = {job: _PLANS[job] for job in job_versions.JOBS}
"""Job name → the function that builds the job's plan, in the order of submission."""

TOPICS_BY_JOB: Mapping[str, tuple[str, ...]] = {
    "facts": tuple(all_events()),
    "rankings": rankings.EVENTS,
    "recommendations": recommendations.EVENTS,
    "signals": signals.EVENTS,
}
"""Job name → the event topics that the job reads. Its consumer group is named as the version in Flink."""
