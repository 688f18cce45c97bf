"""Builds the plan of job `metrics` over the events that its queries read and the outbox relays' reports."""

from common.settings import Settings
from jobs.metrics import logic
from jobs.outbox_progress import with_outbox_progress
from jobs.plan import JobPlan
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """Return the job's plan for these settings."""
    return with_outbox_progress(logic.plan(settings, all_events()), settings)
