"""Builds the plan of job `rankings` over the events that its queries read."""

from common.settings import Settings
from jobs.plan import JobPlan
from jobs.rankings import logic
from schemas.events import all_events


def build(settings: Settings, version: str = "") -> JobPlan:
    """Return the plan of a version of the job; without a version, its keys in Redis have no prefix."""
    return logic.plan(settings, all_events(), version)
