"""Builds the plan of job `facts` over all events."""

from common.settings import Settings
from jobs.facts import logic
from jobs.plan import JobPlan
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """Return the job's plan for these settings."""
    return logic.plan(settings, all_events().values())
