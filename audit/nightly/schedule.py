"""When the platform audits itself. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from common.nights import last_night

SETTLING = timedelta(minutes=30)
"""A night that was missed, because the platform was stopped, is made up for this long after the start."""

FIRST_AFTER = timedelta(minutes=5)
"""The first audit of a platform begins this long after its start."""

RETRY_AFTER = timedelta(hours=1)
"""The pause after an audit that failed or was killed."""


@dataclass(frozen=True, slots=True)
class AuditState:
    """What is known at a check.

    `audited_at` is when the newest nightly audit began that did not fail. `up_since` is when the worker
    started, and `attempted_at` when it last began an audit, or None.
    """

    audited_at: datetime | None
    up_since: datetime
    attempted_at: datetime | None


def is_due(state: AuditState, now: datetime, hour: int, timezone: ZoneInfo) -> bool:
    """Return whether an audit begins now. `hour` is that of the shop's night."""
    night = last_night(now, hour, timezone)
    if state.audited_at is not None and state.audited_at >= night:
        return False
    if state.attempted_at is not None and now - state.attempted_at < RETRY_AFTER:
        return False
    settling = FIRST_AFTER if state.audited_at is None else SETTLING
    return night >= state.up_since or now - state.up_since >= settling
