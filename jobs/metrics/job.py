"""Job `metrics` as it runs: the plan over the events that its queries read, and the relays' reports."""

from common.settings import Settings
from jobs.metrics import logic
from jobs.outbox_progress import with_outbox_progress
from jobs.plan import JobPlan
from schemas.events import all_events


def build(settings: Settings) -> JobPlan:
    """The job's plan for these settings."""
    return with_outbox_progress(logic.plan(settings, all_events()), settings)
