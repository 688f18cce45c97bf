"""Job `recommendations` as it runs: the plan over the events that its queries read."""

from common.settings import Settings
from jobs.plan import Plan
from jobs.recommendations import logic
from schemas.events import all_events


def build(settings: Settings) -> Plan:
    """The job's plan for these settings."""
    return logic.plan(settings, all_events())
