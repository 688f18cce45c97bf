"""The jobs that the platform runs, by name."""

from collections.abc import Callable

from common.settings import Settings
from jobs.facts import job as facts
from jobs.metrics import job as metrics
from jobs.metrics.logic import EVENTS as COUNTED
from jobs.plan import JobPlan
from jobs.recommendations import job as recommendations
from jobs.recommendations.logic import EVENTS as RECOMMENDED_FROM
from schemas.events import all_events

JOBS: dict[str, Callable[[Settings], JobPlan]] = {
    "facts": facts.build,
    "metrics": metrics.build,
    "recommendations": recommendations.build,
}
"""Job → the function that builds its plan, in the order of submission."""

TOPICS_BY_GROUP: dict[str, tuple[str, ...]] = {
    "facts": tuple(all_events()),
    "metrics": COUNTED,
    "recommendations": RECOMMENDED_FROM,
}
"""Job, which is also its consumer group → the topics of events that it reads."""
