"""The jobs that the platform runs, by name."""

from collections.abc import Callable

from common.settings import Settings
from jobs.facts import job as facts
from jobs.metrics import job as metrics
from jobs.plan import Plan
from jobs.recommendations import job as recommendations

JOBS: dict[str, Callable[[Settings], Plan]] = {
    "facts": facts.build,
    "metrics": metrics.build,
    "recommendations": recommendations.build,
}
"""Name → what makes the job's plan; in the order in which they are submitted."""
