"""The jobs that the platform runs, by name."""

from collections.abc import Callable

from common.settings import Settings
from jobs.facts import job as facts
from jobs.plan import JobPlan
from jobs.rankings import job as rankings
from jobs.rankings.logic import EVENTS as RANKINGS_EVENTS
from jobs.recommendations import job as recommendations
from jobs.recommendations.logic import EVENTS as RECOMMENDATIONS_EVENTS
from schemas.events import all_events

JOBS: dict[str, Callable[[Settings], JobPlan]] = {
    "facts": facts.build,
    "rankings": rankings.build,
    "recommendations": recommendations.build,
}
"""Job name → the function that builds the job's plan, in the order of submission."""

TOPICS_BY_GROUP: dict[str, tuple[str, ...]] = {
    "facts": tuple(all_events()),
    "rankings": RANKINGS_EVENTS,
    "recommendations": RECOMMENDATIONS_EVENTS,
}
"""Job name, which is also the job's consumer group → the event topics that the job reads."""
