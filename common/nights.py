"""The hour of the night at which the platform does what takes long: trainings and audits. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def last_night(now: datetime, hour: int, timezone: ZoneInfo) -> datetime:
    """Return the newest time until `now` at which the clock of this time zone showed `hour`."""
    local = now.astimezone(timezone)
    tonight = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return tonight if tonight <= local else tonight - timedelta(days=1)
