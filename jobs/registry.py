"""The jobs that the platform runs, by name."""

from collections.abc import Callable, Mapping

from common import job_versions
from common.job_versions import VERSIONED_JOBS
from common.settings import Settings
from jobs.facts import job as facts
from jobs.plan import JobPlan
from jobs.rankings import job as rankings
from jobs.rankings.logic import EVENTS as RANKINGS_EVENTS
from jobs.recommendations import job as recommendations
from jobs.recommendations.logic import EVENTS as RECOMMENDATIONS_EVENTS
from jobs.signals import job as signals
from jobs.signals.logic import EVENTS as SIGNALS_EVENTS
from schemas.events import all_events

_PLANS: Mapping[str, Callable[[Settings], JobPlan]] = {
    "facts": facts.build,
    "rankings": rankings.build,
    "recommendations": recommendations.build,
    "signals": signals.build,
}
JOBS: Mapping[str, Callable[[Settings], JobPlan]] = {job: _PLANS[job] for job in job_versions.JOBS}
"""Job name → the function that builds the job's plan, in the order of submission."""

_VERSIONED = {"rankings": rankings.build, "recommendations": recommendations.build}
VERSIONED_PLANS: Mapping[str, Callable[[Settings, str], JobPlan]] = {
    job: _VERSIONED[job] for job in VERSIONED_JOBS
}
"""Job name → the function that builds the plan of a version of the job (`jobs/versions.py`)."""

TOPICS_BY_JOB: Mapping[str, tuple[str, ...]] = {
    "facts": tuple(all_events()),
    "rankings": RANKINGS_EVENTS,
    "recommendations": RECOMMENDATIONS_EVENTS,
    "signals": SIGNALS_EVENTS,
}
"""Job name → the event topics that the job reads. Its consumer group is named as the version in Flink."""
