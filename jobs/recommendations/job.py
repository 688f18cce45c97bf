"""Job `recommendations` as it runs: the plan over the events that its queries read."""

from common.settings import Settings
from jobs.plan import JobPlan
from jobs.recommendations import logic
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """The job's plan for these settings."""
    return logic.plan(settings, all_events())
