"""Builds the plan of job `signals` over the events that its queries read."""

from common.settings import Settings
from jobs.plan import JobPlan
from jobs.signals import logic
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """Return the job's plan for these settings."""
    return logic.plan(settings, all_events())
