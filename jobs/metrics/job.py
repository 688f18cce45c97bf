"""Job `metrics` as it runs: the plan over the events that its queries read."""

from common.settings import Settings
from jobs.metrics import logic
from jobs.plan import Plan
from schemas.events import all_events


def build(settings: Settings) -> Plan:
    """The job's plan for these settings."""
    return logic.plan(settings, all_events())
