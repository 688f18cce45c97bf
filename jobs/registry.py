"""The jobs that the platform runs, by name."""

from collections.abc import Callable

from common.settings import Settings
from jobs.facts import job as facts
from jobs.metrics import job as metrics
from jobs.metrics.logic import EVENTS as COUNTED
from jobs.plan import Plan
from jobs.recommendations import job as recommendations
from jobs.recommendations.logic import EVENTS as RECOMMENDED_FROM
from schemas.events import all_events

JOBS: dict[str, Callable[[Settings], Plan]] = {
    "facts": facts.build,
    "metrics": metrics.build,
    "recommendations": recommendations.build,
}
"""Name → what makes the job's plan; in the order in which they are submitted."""

READS: dict[str, tuple[str, ...]] = {
    "facts": tuple(all_events()),
    "metrics": COUNTED,
    "recommendations": RECOMMENDED_FROM,
}
"""Name, which is that of its consumer group, too → the topics that a job reads."""
