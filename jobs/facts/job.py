"""Builds the plan of job `facts` over all events and the outbox relays' reports."""

from common.settings import Settings
from jobs.facts import logic
from jobs.outbox_progress import with_outbox_progress
from jobs.plan import JobPlan
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """Return the job's plan for these settings."""
    return with_outbox_progress(logic.plan(settings, all_events().values()), settings)
